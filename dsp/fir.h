// The design of finite impulse responses, by arithmetic alone: no libm, so that every machine gets the same taps.
#pragma once

#include <cstddef>
#include <vector>

namespace lacquer::dsp {

// The even taps of a half-band filter of 2 x count - 1 taps (symmetric; the others are zero but for the centre), scaled
// so that interpolation has unit gain: value(t + 1/2) = sum taps[j] x[t + count/2 - j]. `count` is even.
std::vector<double> half_band_taps(std::size_t count, double beta);

}  // namespace lacquer::dsp
