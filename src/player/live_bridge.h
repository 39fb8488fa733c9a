// Carries what one stream hears over to the one that plays it, where input and output are two streams with two clocks.
//
//     input's stream --> listener() --> ring --> speaker() --> chain --> output's stream
//
// Between two reads of the output at least margin_seconds() of sound wait in the ring. When it runs empty, the sound
// fades out, what is missing is silence, and the margin grows by half; when one clock is so much slower that the ring
// fills up, the output leaves out what is too much in a fade of 5 ms, or of one call where that is shorter. Both count
// as slips. Two clocks that differ by 50 ppm slip once in several minutes.
//
// Threads: listener() and speaker() each on their device's: no lock, no allocation; the rest on any.
// Memory:  a second of sound, allocated by the constructor.
// Latency: margin_seconds() and what the two devices hand over at once.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "src/player/frame_ring.h"
#include "src/player/sound_system.h"

namespace lacquer::player {

class LiveBridge {
public:
    static constexpr double kFadeSeconds = 0.005;
    static constexpr double kSlackSeconds = 0.015;  // more than the margin before something is left out
    static constexpr double kWatchSeconds = 2.0;    // for so long
    static constexpr double kMostMarginSeconds = 0.25;

    // `chain` is given `channels` of input, [1, 2].
    LiveBridge(AudioCallback& chain, std::size_t channels, std::size_t output_channels, std::uint32_t sample_rate_hz,
               double margin_seconds);

    AudioCallback& listener() noexcept { return listener_; }
    AudioCallback& speaker() noexcept { return speaker_; }
    std::uint64_t slips() const noexcept { return slips_.load(std::memory_order_relaxed); }
    double margin_seconds() const noexcept;

private:
    struct Listener : AudioCallback {
        explicit Listener(LiveBridge& bridge) : bridge_(bridge) {}
        void process(const float* input, float*, std::size_t frames) LACQUER_REALTIME override {
            bridge_.ring_.write({input, frames * bridge_.channels_});
        }
        LiveBridge& bridge_;
    };
    struct Speaker : AudioCallback {
        explicit Speaker(LiveBridge& bridge) : bridge_(bridge) {}
        void process(const float*, float* output, std::size_t frames) LACQUER_REALTIME override {
            bridge_.speak(output, frames);
        }
        LiveBridge& bridge_;
    };
    static constexpr std::size_t kPieceFrames = 256;

    void speak(float* output, std::size_t frames) LACQUER_REALTIME;
    void prepare(std::size_t frames) LACQUER_REALTIME;
    void read_piece(std::size_t frames) LACQUER_REALTIME;
    void leave_out(std::size_t frames) LACQUER_REALTIME;
    void starve() LACQUER_REALTIME;
    void watch(std::size_t frames) LACQUER_REALTIME;

    AudioCallback& chain_;
    const std::size_t channels_;
    const std::size_t output_channels_;
    const std::uint32_t rate_hz_;
    const std::size_t fade_frames_;
    FrameRing ring_;
    Listener listener_{*this};
    Speaker speaker_{*this};

    // The output's thread alone.
    bool flows_ = false;
    float level_ = 0.0f;        // of the fade in
    std::size_t ending_ = 0;    // frames to be played before nothing is left
    std::size_t too_much_ = 0;  // frames to leave out
    std::size_t watched_ = 0;   // frames
    std::size_t least_ = 0;     // that waited after a read, while watched
    std::array<float, 2 * kPieceFrames> piece_{};
    std::array<float, 2 * kPieceFrames> later_{};

    std::atomic<std::size_t> margin_frames_;
    std::atomic<std::uint64_t> slips_ = 0;
};

}  // namespace lacquer::player
