// The equal-gain (linear, sums to 1) fade from the tail of one chunk into the head of the next. In double, rounded
// once: the same bytes on every instruction set and as one frame after the other gives.
#pragma once

#include <cstdint>

#include "dsp/audio_block.h"
#include "dsp/realtime.h"

namespace lacquer::dsp {

// out = outgoing faded into incoming, for the frames [first_frame, first_frame + frame_count) of a fade of
// `fade_frames`. All three blocks have the same shape; `out` may be one of the others. Where both sides hold the same
// sample the result is that sample.
void crossfade(ConstAudioBlock outgoing, ConstAudioBlock incoming, std::int64_t first_frame, std::int64_t fade_frames,
               AudioBlock out) LACQUER_REALTIME;

}  // namespace lacquer::dsp
