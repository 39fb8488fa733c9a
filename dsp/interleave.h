// Two lines of samples to one of left, right, left, ... and back. Copies bits, whatever they mean.
#pragma once

#include <cstddef>

#include "dsp/realtime.h"

namespace lacquer::dsp {

// `interleaved` holds 2 x `frames` samples and overlaps neither line.
void interleave(const float* left, const float* right, std::size_t frames, float* interleaved) LACQUER_REALTIME;
void deinterleave(const float* interleaved, std::size_t frames, float* left, float* right) LACQUER_REALTIME;

}  // namespace lacquer::dsp
