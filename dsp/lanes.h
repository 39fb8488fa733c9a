// Audio laid out for kernels that work on kLanes signals side by side: frame 0 of every lane, frame 1 of every lane,
// ... The number of lanes is the same on every instruction set, so that the arithmetic is; a narrow one takes several
// steps per frame.
//
// Threads: pure.
#pragma once

#include <array>
#include <cstddef>

#include "dsp/audio_block.h"

namespace lacquer::dsp {

inline constexpr std::size_t kLanes = 16;
inline constexpr std::size_t kLaneRounding = 4;  // to_lanes() reads and writes whole groups of this many frames

using LaneRows = std::array<const float*, kLanes>;

// out[frame * kLanes + lane] = rows[lane][frame] for `frames`, rounded up to kLaneRounding; `out` is 64-byte aligned.
void to_lanes(const LaneRows& rows, std::size_t frames, float* out);
// The same times window[frame]; `frames` is a multiple of kLaneRounding.
void to_lanes(const LaneRows& rows, const float* window, std::size_t frames, float* out);

// Copies; NaN, Inf and what lies beyond kLoudestSample become silence.
void copy_undamaged(const float* from, std::size_t count, float* to);

}  // namespace lacquer::dsp
