// Three-band compressor, feed-forward, the channels linked.
//
// Method:  the mean power of each group of 16 frames over both channels, averaged by a one-pole; level in dB, soft knee
//          and slope, then the reduction in dB smoothed by y = max(attack step, release step), which needs no branch
//          because attack is never slower than release (D. Giannoulis et al., JAES 60(6), 2012, gives the parts). The
//          gain moves in a straight line over the group that it was found for. No make-up gain. Recursions in double:
//          in float they would come to rest anywhere near their end, and depend on where they began.
// Threads: not thread-safe; one instance per run.
// Memory:  no heap.
// Latency: latency_frames(), that of the crossover.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "dsp/crossover.h"
#include "dsp/settings.h"
#include "dsp/stereo_block.h"

namespace lacquer::dsp {

// Reduction in dB (>= 0) that a steady level ends in.
double static_reduction_db(const CompressorBandSettings& band, double level_db) noexcept;

class Compressor {
public:
    // Throws std::invalid_argument naming the field when a setting is outside its range.
    explicit Compressor(const CompressorSettings& settings);

    // Both blocks have the same length.
    void process(WideBlock in, StereoBlock out) LACQUER_REALTIME;
    void reset() LACQUER_REALTIME;
    static constexpr std::size_t latency_frames() LACQUER_REALTIME { return Crossover::latency_frames(); }
    // Of the band that is held down the most, at the end of the last block: >= 0.
    double reduction_db() const LACQUER_REALTIME {
        return std::max({dynamics_.reduction_db[0], dynamics_.reduction_db[1], dynamics_.reduction_db[2]});
    }

    static constexpr std::size_t kLanes = 4;  // low, middle, high and one that idles
    template <typename Number>
    using PerBand = std::array<Number, kLanes>;

    // A one-pole per group: y <- keep y + step x.
    struct Smoothing {
        PerBand<double> keep{};
        PerBand<double> step{};
    };
    // The static curves, four times over, so that a vector of any width finds its bands.
    struct Curves {
        using Line = std::array<float, 4 * kLanes>;
        alignas(64) Line start_db{};
        alignas(64) Line width_db{};
        alignas(64) Line slope{};
        alignas(64) Line curvature{};  // slope / (2 x width)
    };
    struct Dynamics {
        Smoothing detector, attack, release;
        Curves curves;
        PerBand<double> power{};
        PerBand<double> reduction_db{};
        PerBand<float> gain{};  // at the end of the last group
    };

private:
    Crossover crossover_;
    Dynamics dynamics_;
    bool idle_;  // no band ever reduces anything
    alignas(64) std::array<std::array<float, 2 * kWorkFrames>, kDynamicsBands> bands_{};
};

}  // namespace lacquer::dsp
