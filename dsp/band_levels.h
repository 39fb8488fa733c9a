// How loud each of the compressor's bands is, how often: histograms of the RMS of 100 ms.
//
// Threads: pure. The levels come from dsp/hop_meter.h.
#pragma once

#include <array>
#include <cstddef>

#include "dsp/profile.h"

namespace lacquer::dsp {

using BandHistograms = std::array<LevelHistogram, kDynamicsBands>;

void count_levels(BandHistograms& histograms, const std::array<double, kDynamicsBands>& mean_squares);

// The bin of a mean square; bin 0 also takes everything below it, the last everything above.
std::size_t level_bin(double mean_square);

}  // namespace lacquer::dsp
