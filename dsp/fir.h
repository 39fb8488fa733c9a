// Finite impulse responses: their design without libm, and the one loop that runs them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "dsp/realtime.h"

namespace lacquer::dsp {

// Kaiser window at `x` in [-1, 1]; series of the Bessel function, by arithmetic alone.
double kaiser(double x, double beta);

// Taps of the windowed sinc that interpolates `quarter` quarters (1-3) of a sample behind the sample at index
// taps/2 - 1 back: value(t + quarter/4) = sum taps[j] x[t + taps/2 - j]. Scaled to unit sum.
std::vector<double> quarter_sample_taps(int quarter, std::size_t tap_count, double beta);

// The even taps of a half-band filter of 2 x count - 1 taps (symmetric; the others are zero but for the centre), scaled
// so that interpolation has unit gain: value(t + 1/2) = sum taps[j] x[t + count/2 - j]. `count` is even.
std::vector<double> half_band_taps(std::size_t count, double beta);

// out[i] = sum taps[j] x[i - j]; `x` has taps.size() - 1 values before its first. taps.size() is a multiple of 8. The
// order of the sum is fixed, whatever the length.
void convolve(const double* x, std::size_t count, std::span<const double> taps, double* out) LACQUER_REALTIME;

}  // namespace lacquer::dsp
