// A look-ahead limiter on the true (inter-sample) peak, the channels linked.
//
// Method:  4x polyphase peak estimate (ITU-R BS.1770-4, Annex 2; 24 taps per phase, Kaiser), sliding maximum of the
//          reduction that is required, release as a decaying maximum, then two boxcars no longer together than that
//          window, so the gain never rises above what is required. The boxcars add integers: their sums do not drift
//          and do not depend on where the run began. The gain is applied at the sample rate.
// Margin:  four points per frame read a peak up to 0.55 dB low at 0.45 x the rate, and the moving gain adds a little;
//          the ceiling handed in is meant to lie kLimiterMarginDb below the promise.
// Threads: not thread-safe; one instance per run.
// Memory:  allocated by the constructor; process() touches only that.
// Latency: latency_frames(), constant for the life of the object.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dsp/history.h"
#include "dsp/settings.h"
#include "dsp/work_block.h"

namespace lacquer::dsp {

inline constexpr double kLimiterMarginDb = 0.5;

class TruePeakLimiter {
public:
    // Throws std::invalid_argument naming the field when a setting is outside its range.
    explicit TruePeakLimiter(const LimiterSettings& settings);

    // At most kWorkFrames frames. No sample of the result is above the ceiling.
    void process(WorkBlock block) LACQUER_REALTIME;
    void reset() LACQUER_REALTIME;
    std::size_t latency_frames() const LACQUER_REALTIME { return delay_; }

private:
    using Quantum = std::int64_t;

    void find_peaks(const WorkBlock& block) LACQUER_REALTIME;
    void hold_maximum(std::size_t frames) LACQUER_REALTIME;
    void smooth(std::size_t frames) LACQUER_REALTIME;

    double ceiling_;
    double release_;
    double quiet_below_;  // no interpolated peak can reach the ceiling when every sample is below
    std::size_t window_;
    std::size_t first_boxcar_;
    std::size_t second_boxcar_;
    std::size_t delay_;
    std::array<std::vector<double>, 3> taps_;

    std::array<History<double>, kMaxChannels> audio_;
    History<double> required_;  // reduction 1 - gain, before the maximum
    History<Quantum> held_;     // after release, in 2^-36
    History<Quantum> once_;     // sums of the first boxcar
    double released_ = 0.0;
    Quantum first_sum_ = 0;
    Quantum second_sum_ = 0;
    std::vector<double> scratch_;
    std::vector<double> other_scratch_;
    std::array<double, kWorkFrames> gain_{};
};

}  // namespace lacquer::dsp
