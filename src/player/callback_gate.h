// Stands between a device and the callback: closed, the device gets silence and the callback is left alone, even by a
// device that was given up and comes back to life.
//
// Threads: process() on the device's, the others on one. process() never waits for them.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>

#include "src/player/sound_system.h"

namespace lacquer::player {

class CallbackGate : public AudioCallback {
public:
    CallbackGate(AudioCallback& callback, std::size_t output_channels) noexcept
        : callback_(callback), output_channels_(output_channels) {}

    void open() noexcept { open_.store(true); }
    // Returns when no call is under way.
    void close() noexcept {
        open_.store(false);
        while (inside_.load()) std::this_thread::yield();
    }

    // Either this sees that the gate is closed, or close() sees that somebody is inside: both are sequentially
    // consistent.
    void process(const float* input, float* output, std::size_t frames) LACQUER_REALTIME override {
        inside_.store(true);
        if (open_.load()) {
            callback_.process(input, output, frames);
        } else {
            std::fill_n(output, frames * output_channels_, 0.0f);
        }
        inside_.store(false);
    }

private:
    AudioCallback& callback_;
    const std::size_t output_channels_;
    std::atomic<bool> open_{false};
    std::atomic<bool> inside_{false};
};

}  // namespace lacquer::player
