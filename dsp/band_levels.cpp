#include "dsp/band_levels.h"

#include <algorithm>
#include <cmath>

#include "dsp/units.h"

namespace lacquer::dsp {

void count_levels(BandHistograms& histograms, const std::array<double, kDynamicsBands>& mean_squares) {
    for (std::size_t band = 0; band < kDynamicsBands; ++band) ++histograms[band][level_bin(mean_squares[band])];
}

std::size_t level_bin(double mean_square) {
    const double bin = std::floor((power_to_db(mean_square) - kLevelFloorDb) / kLevelStepDb);
    return static_cast<std::size_t>(std::clamp(bin, 0.0, static_cast<double>(kLevelBins - 1)));
}

}  // namespace lacquer::dsp
