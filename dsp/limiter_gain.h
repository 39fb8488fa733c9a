// The gain of the limiter over time, decided once per group of frames.
//
// Method:  what a group requires is held for as long as the smoothing looks ahead; then the release, shaped by the
//          programme; then two equal boxcars. Over values that stay the same for a whole group two boxcars are a
//          parabola within each group, so the work is done per group. They add integers (2^-24, 64 bits: at this rate
//          the width costs nothing, and the longest look-ahead needs 46): nothing drifts, nothing depends on where the
//          run began.
// Release: a peak that stands alone is let go with `fast_release`. What has been limited for long has built up an
//          average, and as far as that reaches the reduction falls with `slow_release` only:
//          max(fast fall, min(slow fall, 1.25 x average)).
// Threads: not thread-safe. Memory: allocated by the constructor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dsp/realtime.h"
#include "dsp/settings.h"

namespace lacquer::dsp {

// The gain of frame t of a group, [0, kGroupFrames): start - slope (t + 1) - bend (t + 1)(t + 2) / 2.
struct GroupGain {
    float start = 1.0f;
    float slope = 0.0f;
    float bend = 0.0f;
};

class LimiterGain {
public:
    // Throws std::invalid_argument naming the field when a setting is outside its range.
    explicit LimiterGain(const LimiterSettings& settings);

    // `required`: [0, 1), the reduction 1 - gain that the newest group needs. The full reduction holds for the frames
    // of the groups hold_groups() - 1 before the newest up to that one, look_ahead_frames() frames later.
    GroupGain next(double required) LACQUER_REALTIME;

    // The gain is 1 and stays so until something is required.
    bool at_rest() const LACQUER_REALTIME { return quiet_groups_ > rest_after_; }
    void reset() LACQUER_REALTIME;
    std::size_t look_ahead_frames() const LACQUER_REALTIME { return delay_frames_; }

private:
    using Quanta = std::int64_t;

    Quanta held(Quanta required) LACQUER_REALTIME;
    void find_held() LACQUER_REALTIME;
    Quanta released(Quanta required) LACQUER_REALTIME;

    double fast_release_;
    double slow_release_;
    double build_up_;
    std::size_t boxcar_groups_;
    std::size_t delay_frames_;
    std::size_t rest_after_;
    double to_gain_;

    std::vector<Quanta> required_;  // ring: what the window holds
    std::size_t newest_ = 0;
    Quanta held_ = 0;
    std::size_t held_age_ = 0;
    std::vector<Quanta> released_;  // ring: what both boxcars hold
    std::size_t oldest_ = 0;
    double fast_ = 0.0;
    double slow_ = 0.0;
    double average_ = 0.0;
    Quanta sum_ = 0;   // of the second boxcar over the first, at the end of the last group
    Quanta rise_ = 0;  // by which it grows per frame
    std::size_t quiet_groups_;
};

}  // namespace lacquer::dsp
