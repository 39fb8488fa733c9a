// Between planar audio, as the rest of the program has it, and the interleaved stereo of the chain.
#pragma once

#include "dsp/audio_block.h"
#include "dsp/realtime.h"

namespace lacquer::dsp {

// Beyond it, a sample is damage and counts as silence: +120 dBFS.
inline constexpr float kLoudestSample = 1e6f;

// to[2 i + c] = channel c of frame i; mono becomes two equal channels. NaN, Inf and what is beyond kLoudestSample
// become zero.
void interleave(ConstAudioBlock from, float* to) LACQUER_REALTIME;

// The way back, of as many channels as `to` has.
void deinterleave(const float* from, AudioBlock to) LACQUER_REALTIME;

}  // namespace lacquer::dsp
