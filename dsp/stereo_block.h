// What the stages of the chain hand on to each other: a borrowed piece of interleaved stereo in float. Mono travels as
// two equal channels, so that there is one path.
//
// Every stage works on whole groups of kGroupFrames frames, and groups begin at multiples of kGroupFrames of the
// chain's own clock: what is decided once per group (dynamics) therefore does not depend on how a stream is cut.
#pragma once

#include <cstddef>

#include "dsp/audio_block.h"

namespace lacquer::dsp {

inline constexpr std::size_t kGroupFrames = 16;
inline constexpr std::size_t kWorkFrames = 256;  // small enough for all scratch memory to stay in the nearest cache

struct StereoBlock {
    float* samples = nullptr;     // left, right, left, ...; 64-byte aligned
    std::size_t frame_count = 0;  // a multiple of kGroupFrames, at most kWorkFrames
};

}  // namespace lacquer::dsp
