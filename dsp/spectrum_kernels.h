// What the spectrum is made of: kLanes Fourier transforms side by side, and a decimator.
//
// Method:  radix-4 decimation in frequency (W. M. Gentleman and G. Sande, AFIPS 1966), in place, so that the bins end
//          up in the order of their base-4 digits read in reverse; two halvings by binomial filters, whose zeros lie
//          where the halving folds.
// Threads: pure.
#pragma once

#include <cstddef>

#include "dsp/lanes.h"

namespace lacquer::dsp {

inline constexpr std::size_t kFourierSize = 256;

// Adds the power of each bin of each lane to `power`. `real` and `imaginary` are kFourierSize x kLanes, as `power` is,
// and are used up; all 64-byte aligned.
void add_power_spectrum(float* real, float* imaginary, float* power);
std::size_t fourier_position(std::size_t bin);  // where a bin's power is

inline constexpr std::size_t kDecimation = 4;
inline constexpr std::size_t kDecimatorPast = 10;  // frames

// y[i] is every kDecimation-th output of (1 + z^-1)^3 (1 + z^-2)^5 / 256, from x[4 i] ... x[4 i + 3] and those before
// them. kDecimatorPast frames before x[0] and kDecimatorSlack after the last one are read (what those after are does
// not matter); y is 64-byte aligned and has room for a multiple of kLanes.
inline constexpr std::size_t kDecimatorSlack = 16 * kLanes;
void decimate(const float* x, std::size_t outputs, float* y);
double decimator_power(double frequency);  // power gain at a frequency, cycles per frame

}  // namespace lacquer::dsp
