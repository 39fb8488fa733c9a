// A look-ahead limiter on the true (inter-sample) peak, the channels linked.
//
// Method:  4x peak estimate (dsp/peak_interpolator.h), one value per group of kGroupFrames frames; the gain as
//          dsp/limiter_gain.h decides it, applied at the sample rate and clamped to the ceiling. Groups that provably
//          stay below the ceiling are not interpolated; where nothing in reach needs a reduction the output is the
//          delayed input, bit for bit.
// Margin:  four points per frame read a peak up to 0.55 dB low at 0.45 x the rate, lower still above, and the moving
//          gain adds a little; the ceiling handed in is meant to lie kLimiterMarginDb below the promise. Measured over
//          the ceiling handed in: 0.14 dB for signals below 0.45 x the rate, 0.98 dB for clipped full-band noise.
// Cuts:    the output does not depend on the blocks. Runs that are to agree begin at the same place in a group.
// Forgets: whatever came before within 5 s, to 2^-36, with releases and build-up of at most 200 ms.
// Threads: not thread-safe; one instance per run.
// Memory:  allocated by the constructor; process() touches only that.
// Latency: latency_frames(), constant for the life of the object, a multiple of kGroupFrames.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "dsp/history.h"
#include "dsp/limiter_gain.h"
#include "dsp/settings.h"
#include "dsp/stereo_block.h"

namespace lacquer::dsp {

inline constexpr double kLimiterMarginDb = 0.5;

class TruePeakLimiter {
public:
    // Throws std::invalid_argument naming the field when a setting is outside its range.
    explicit TruePeakLimiter(const LimiterSettings& settings);

    // In place. No sample of the result is above the ceiling. Takes what is no larger than the largest float; no NaN.
    void process(StereoBlock block) LACQUER_REALTIME;
    void reset() LACQUER_REALTIME;
    std::size_t latency_frames() const LACQUER_REALTIME { return gain_.look_ahead_frames(); }

    // The least gain since the last call, looked at every group; 1: nothing was limited.
    float take_least_gain() LACQUER_REALTIME { return std::exchange(least_gain_, 1.0f); }

    // Groups seen since construction and those of them whose peaks were not interpolated.
    std::uint64_t groups() const LACQUER_REALTIME { return groups_; }
    std::uint64_t skipped_groups() const LACQUER_REALTIME { return skipped_groups_; }

private:
    static constexpr std::size_t kBlockGroups = kWorkFrames / kGroupFrames;

    void find_peaks(const StereoBlock& block) LACQUER_REALTIME;

    double ceiling_;
    float clamp_;        // the largest float that is no larger
    float quiet_below_;  // no point can reach the ceiling when every sample is below
    LimiterGain gain_;
    StereoHistory audio_;
    std::size_t quiet_groups_ = 0;  // at the end of the last block
    std::array<float, kBlockGroups> peaks_{};
    std::array<GroupGain, kBlockGroups> gains_{};
    float least_gain_ = 1.0f;
    std::uint64_t groups_ = 0;
    std::uint64_t skipped_groups_ = 0;
};

}  // namespace lacquer::dsp
