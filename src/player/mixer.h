// What the device's thread does: copies frames from the lane that is heard, fades to the other one when asked to, and
// nothing else. No lock, no allocation, no system call.
//
//     feeder --write--> lane 0 [ frames ... ] --+
//                                               |-- fade --> gate --> device
//     feeder --write--> lane 1 [ frames ... ] --+
//
// A switch (seek, preset, A/B) is written into the lane that is not heard and then asked for; when that lane holds
// enough, the device's thread goes over to it in 30 ms, frame for frame at the same place in time where the lanes are
// aligned. What is heard otherwise is what was written, bit for bit: the gate (pause, and silence after an underrun)
// works only while it moves, and while it is shut nothing is taken: what was not heard is heard when it opens.
//
// A lane that is about to run dry is faded out while it still has something to fade, and in again when it holds the
// fade and a period more: one underrun.
//
// Threads: process() on the device's; everything else on one other, the feeder's, but for what is said to be for any.
// Memory:  two rings and a little, allocated by the constructor.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "src/player/frame_ring.h"
#include "src/player/sound_system.h"

namespace lacquer::player {

inline constexpr double kFadeSeconds = 0.030;

class Mixer : public AudioCallback {
public:
    Mixer(std::size_t channels, std::uint32_t sample_rate_hz, double lane_seconds);

    void process(const float* input, float* output, std::size_t frames) LACQUER_REALTIME override;

    // How a lane takes over.
    struct Start {
        std::uint16_t run = 0;  // tells position() whose frames it counts
        // Aligned: the frame of the lane heard until then at whose time this lane's first frame belongs; what lies
        // before the moment of the switch is skipped. nullopt: from its first frame on.
        std::optional<std::uint64_t> aligned_with{};
        bool fades_in = true;  // out of silence; a track that begins where the device does is not touched
    };
    // The lane to prepare, empty; nullptr while a switch is under way.
    FrameRing* spare() noexcept;
    // What spare() gave takes over as soon as it holds what the fade needs, and from then on is heard().
    void switch_to_spare(const Start& start) noexcept;
    // The lane that is or will be heard; nullptr before the first switch.
    FrameRing* heard() noexcept;
    // Nothing more will be written to it: that it runs empty is its end, not an underrun.
    void end_lane() noexcept;

    // For any thread.
    struct Position {
        std::uint16_t run = 0;
        std::uint64_t frame = 0;  // of the lane: what the device takes next
    };
    std::optional<Position> position() const noexcept;  // nullopt before anything was taken
    std::size_t available_frames() const noexcept;      // ready to be played
    void pause(bool paused) noexcept { paused_.store(paused, std::memory_order_release); }
    // Nothing was heard yet, or paused or starved and faded out.
    bool silent() const noexcept { return silent_.load(std::memory_order_acquire); }
    // The lane of this run is at its end, and nothing else is asked for.
    bool finished(std::uint16_t run) const noexcept { return finished_.load(std::memory_order_acquire) == run; }
    std::uint64_t underruns() const noexcept { return underruns_.load(std::memory_order_relaxed); }

private:
    struct Lane {
        Lane(std::size_t channels, std::size_t frames) : ring(channels, frames) {}
        FrameRing ring;
        std::atomic<bool> ended = false;
        Start start{};
    };
    static constexpr std::size_t kPieceFrames = 512;
    static constexpr int kNone = -1;

    void mix(float* out, std::size_t frames) LACQUER_REALTIME;
    void mix_closing(float* out, std::size_t frames, std::size_t available) LACQUER_REALTIME;
    void try_to_switch(std::size_t frames) LACQUER_REALTIME;
    std::size_t to_skip(const Lane& lane) const LACQUER_REALTIME;
    bool can_fade_out() const LACQUER_REALTIME;
    void read_heard(float* out, std::size_t frames) LACQUER_REALTIME;
    void add_fading(float* out, std::size_t frames) LACQUER_REALTIME;
    void open_gate(float* out, std::size_t frames) LACQUER_REALTIME;
    void publish() LACQUER_REALTIME;
    std::size_t fade_left() const LACQUER_REALTIME { return fade_frames_ - faded_frames_; }
    bool closed() const LACQUER_REALTIME { return gate_ == 0 && (starved_ || was_paused_); }

    const std::size_t channels_;
    const std::size_t fade_frames_;
    const std::size_t reserve_frames_;  // a lane that holds less beyond what is asked for is about to run dry
    std::array<Lane, 2> lanes_;

    // The device's thread alone.
    int current_ = kNone;
    int outgoing_ = kNone;  // the lane faded out of, while a fade is under way
    std::size_t faded_frames_ = 0;
    std::size_t gate_;  // [0, fade_frames_]: shut to open
    bool starved_ = false;
    bool was_paused_ = false;
    std::array<float, kPieceFrames * 2> piece_{};

    int next_ = kNone;  // the feeder's alone: what it asked for last
    std::atomic<int> wanted_ = kNone;
    std::atomic<int> settled_ = kNone;  // the lane that is heard, while no fade is under way
    std::atomic<std::uint64_t> position_ = kNoPosition;
    static constexpr std::uint64_t kNoPosition = ~std::uint64_t{0};
    std::atomic<bool> paused_ = false;
    std::atomic<bool> silent_ = true;
    std::atomic<int> finished_ = kNone;  // a run
    std::atomic<std::uint64_t> underruns_ = 0;
};

}  // namespace lacquer::player
