// What the device's stream calls: the mixer of the present session, silence where there is none.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>

#include "src/player/mixer.h"
#include "src/player/sound_system.h"

namespace lacquer::player {

class Outlet : public AudioCallback {
public:
    explicit Outlet(std::size_t channels) : channels_(channels) {}

    void process(const float* input, float* output, std::size_t frames) LACQUER_REALTIME override {
        inside_.store(true, std::memory_order_seq_cst);
        if (Mixer* mixer = mixer_.load(std::memory_order_seq_cst)) {
            mixer->process(input, output, frames);
        } else {
            std::fill_n(output, frames * channels_, 0.0f);
        }
        inside_.store(false, std::memory_order_seq_cst);
    }
    // The mixer is not used any more when connect(nullptr) returns, even by a driver that does not stop calling. Waits
    // for a call that is under way: not for the device's thread.
    void connect(Mixer* mixer) noexcept {
        mixer_.store(mixer, std::memory_order_seq_cst);
        while (mixer == nullptr && inside_.load(std::memory_order_seq_cst)) std::this_thread::yield();
    }

private:
    const std::size_t channels_;
    std::atomic<Mixer*> mixer_ = nullptr;
    std::atomic<bool> inside_ = false;
};

}  // namespace lacquer::player
