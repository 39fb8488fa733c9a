// Splits into three bands whose sum is the input but for phase: within 0.01 dB of flat at every frequency.
//
// Method:  Linkwitz-Riley, 4th order (S. P. Lipshitz and J. Vanderkooy, JAES 34(1/2), 1986); the low band passes the
//          all-pass that the upper border amounts to, so that the bands stay in phase. Because the two sides of such
//          a border add up to its all-pass, a high side is that all-pass minus the low side: seven sections instead of
//          nine, in double, each a step behind the one that feeds it.
// Threads: not thread-safe; one instance per run.
// Memory:  no heap.
// Latency: latency_frames(), the same on every instruction set.
#pragma once

#include <array>
#include <cstddef>

#include "dsp/section_lanes.h"
#include "dsp/settings.h"
#include "dsp/stereo_block.h"

namespace lacquer::dsp {

using BandBlocks = std::array<StereoBlock, kDynamicsBands>;  // low, middle, high

class Crossover {
public:
    explicit Crossover(const std::array<CrossoverSettings, kDynamicsBands - 1>& borders);

    // The bands have the length of `block`.
    void split(WideBlock block, const BandBlocks& bands) LACQUER_REALTIME;
    void reset() LACQUER_REALTIME;
    static constexpr std::size_t latency_frames() LACQUER_REALTIME { return 3; }

    // A line of pairs that starts `Past` frames before the block.
    template <std::size_t Past>
    using Delayed = std::array<double, 2 * (Past + kWorkFrames)>;
    // In pairs: all-pass 1, low-pass 1 | all-pass 2, low-pass 1 again | all-pass 2 of the low band, low-pass 2 |
    // low-pass 2 again.
    struct Lanes : SectionLanes<14> {
        alignas(64) std::array<double, 12> y{};  // what the first six made of the step before
        std::array<double, 2> fed{};             // what the second all-pass was given then
        alignas(64) Delayed<2> sum{};            // all bands together
        alignas(64) Delayed<1> low{};
        alignas(64) Delayed<0> middle{};
    };

private:
    Lanes lanes_;
};

}  // namespace lacquer::dsp
