// The ear's weighting of ITU-R BS.1770-4, Annex 1: a high shelf for the head, then a high-pass.
//
// Method: the two analogue prototypes behind the standard's 48 kHz coefficients, taken to any rate by the bilinear
//         transform; at 48 kHz they are the standard's to 1e-9.
#pragma once

#include <array>
#include <cstdint>

#include "dsp/biquad.h"

namespace lacquer::dsp {

// In the order of processing. Pure.
std::array<BiquadCoefficients, 2> k_weighting(std::uint32_t sample_rate_hz);

}  // namespace lacquer::dsp
