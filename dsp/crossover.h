// Splits into three bands whose sum is the input but for phase: within 0.01 dB of flat at every frequency.
//
// Method:  Linkwitz-Riley, 4th order (S. P. Lipshitz and J. Vanderkooy, JAES 34(1/2), 1986); the low band passes the
//          all-pass that the upper border amounts to, so that the bands stay in phase.
// Threads: not thread-safe; one instance per run.
// Memory:  no heap.
// Latency: none.
#pragma once

#include <array>
#include <cstddef>

#include "dsp/settings.h"
#include "dsp/stereo_biquad.h"
#include "dsp/work_block.h"

namespace lacquer::dsp {

using BandBlocks = std::array<WorkBlock, kDynamicsBands>;  // low, middle, high

class Crossover {
public:
    explicit Crossover(const std::array<CrossoverSettings, kDynamicsBands - 1>& borders);

    // The bands have the shape of `block`.
    void split(BasicAudioBlock<const double> block, const BandBlocks& bands) LACQUER_REALTIME;
    void reset() LACQUER_REALTIME;

private:
    template <std::size_t Channels>
    void run(BasicAudioBlock<const double> block, const BandBlocks& bands) LACQUER_REALTIME;

    std::array<StereoBiquad, 3> low_;     // low-pass twice, all-pass of the upper border
    std::array<StereoBiquad, 2> rest_;    // high-pass of the lower border twice
    std::array<StereoBiquad, 2> middle_;  // of the rest
    std::array<StereoBiquad, 2> high_;    // of the rest
};

}  // namespace lacquer::dsp
