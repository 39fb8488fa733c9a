// What a device's stream calls: the callback that is connected, or none, and then the device gets silence. So a
// callback can be left alone even by a device that was given up and comes back to life.
//
// Threads: process() on the device's, connect() on one. process() never waits for it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>

#include "src/player/sound_system.h"

namespace lacquer::player {

class Outlet : public AudioCallback {
public:
    explicit Outlet(std::size_t output_channels) noexcept : output_channels_(output_channels) {}

    // Either this sees that nothing is connected, or connect() sees that somebody is inside: both are sequentially
    // consistent.
    void process(const float* input, float* output, std::size_t frames) LACQUER_REALTIME override {
        inside_.store(true);
        if (AudioCallback* callback = callback_.load()) {
            callback->process(input, output, frames);
        } else {
            std::fill_n(output, frames * output_channels_, 0.0f);
        }
        inside_.store(false);
    }
    // The callback before is not used any more when connect(nullptr) returns. Waits for a call that is under way: not
    // for the device's thread.
    void connect(AudioCallback* callback) noexcept {
        callback_.store(callback);
        while (callback == nullptr && inside_.load()) std::this_thread::yield();
    }

private:
    const std::size_t output_channels_;
    std::atomic<AudioCallback*> callback_ = nullptr;
    std::atomic<bool> inside_ = false;
};

}  // namespace lacquer::player
