// The chain between an input and an output, in the device's own callback.
//
//     input --+--> Enhancer (what is heard) -- delay --+
//             |                                        |-- fade --> output
//             +--> Enhancer (what comes next) - delay -+
//             `--> tap() <-- and what goes out
//
// Another recipe is an Enhancer built beforehand, handed over by one pointer. It runs beside the old one for
// kWarmUpSeconds, so that its dynamics have settled, then takes over in a linear fade of kFadeSeconds. All recipes have
// the same delay: what a recipe's own chain needs less than latency_frames() is made up for, so nothing ever moves in
// time. The old one is destroyed by the thread that brought the new one.
//
// Here running state decides what is heard: which recipe is at work depends on what came before, and on when the other
// thread got to it. With one recipe the output is that of a dsp::Enhancer, bit for bit.
//
// Threads: process() on the device's: no lock, no allocation, no system call; everything else on one other.
// Memory:  allocated by the constructor and by offer().
// Cost:    of a core in real time, stereo 48 kHz: 0.1 %, while another recipe takes over 0.2 % (bench/meter_bench.cpp).
// Latency: latency_frames(), fixed.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "dsp/audio_block.h"
#include "dsp/enhancer.h"
#include "dsp/recipe.h"
#include "src/player/frame_ring.h"
#include "src/player/sound_system.h"

namespace lacquer::player {

struct LiveShape {
    std::uint32_t sample_rate_hz = 48'000;
    std::uint32_t input_channels = 2;  // [1, 2]; the chain has as many
    std::uint32_t output_channels = 2;
};

class LiveChain : public AudioCallback {
public:
    static constexpr double kWarmUpSeconds = 0.4;
    static constexpr double kFadeSeconds = 2.4;
    static constexpr double kTapSeconds = 4.0;

    // Begins with the neutral recipe: flat, nothing but the limiter. Throws std::invalid_argument as dsp::Enhancer
    // does.
    LiveChain(const LiveShape& shape, const dsp::RecipeRequest& request);
    ~LiveChain() override;  // the stream is stopped

    void process(const float* input, float* output, std::size_t frames) LACQUER_REALTIME override;

    // What any recipe of this request is delayed by; 0 for intensity 0, which is a wire.
    std::size_t latency_frames() const noexcept { return latency_frames_; }
    // Takes over from here on; false, and nothing happens, while another one is still on its way. Throws
    // std::invalid_argument when the recipe cannot be rendered or needs more than latency_frames().
    bool offer(const dsp::Recipe& recipe);
    bool takes_offers() const noexcept { return !busy_.load(std::memory_order_acquire); }

    // What passed: the input's channels, then as many of what came out. When nobody reads for kTapSeconds the newest
    // are lost, and counted.
    FrameRing& tap() noexcept { return tap_; }
    std::uint64_t lost_frames() const noexcept { return lost_frames_.load(std::memory_order_relaxed); }
    dsp::GainReduction take_reduction() noexcept;  // the most since the last call

private:
    // A recipe at work, delayed to the common latency. Runs begin at multiples of dsp::kGroupFrames.
    class Path {
    public:
        Path(const dsp::Recipe& recipe, std::size_t latency_frames);
        void process(dsp::AudioBlock block) LACQUER_REALTIME;
        dsp::GainReduction take_reduction() LACQUER_REALTIME { return enhancer_.take_reduction(); }

    private:
        dsp::Enhancer enhancer_;
        dsp::AudioBuffer delay_;
        std::size_t delay_frames_;
        std::size_t at_ = 0;
    };
    static constexpr std::size_t kPieceFrames = 256;

    std::size_t next_piece(std::size_t frames) const LACQUER_REALTIME;
    void begin_next() LACQUER_REALTIME;
    void take_input(const float* input, std::size_t frames) LACQUER_REALTIME;
    void run(std::size_t frames) LACQUER_REALTIME;
    void give_output(float* output, std::size_t frames) LACQUER_REALTIME;
    void end_fade() LACQUER_REALTIME;
    void note_reduction() LACQUER_REALTIME;

    const LiveShape shape_;
    const std::size_t channels_;
    const std::size_t latency_frames_;
    const std::size_t warm_up_frames_;
    const std::size_t fade_frames_;

    // The device's thread alone.
    std::unique_ptr<Path> current_;
    std::unique_ptr<Path> next_;
    std::size_t next_age_ = 0;    // frames since it began to run
    std::uint64_t position_ = 0;  // frames
    dsp::AudioBuffer heard_;
    dsp::AudioBuffer coming_;
    std::array<float, 4 * kPieceFrames> tapped_{};

    std::atomic<Path*> incoming_ = nullptr;  // owned by whoever takes it out
    std::atomic<Path*> retired_ = nullptr;   // likewise
    std::atomic<bool> busy_ = false;         // from an offer until the one before it is retired
    std::atomic<float> compressor_db_ = 0.0f;
    std::atomic<float> limiter_db_ = 0.0f;
    std::atomic<std::uint64_t> lost_frames_ = 0;
    FrameRing tap_;
};

}  // namespace lacquer::player
