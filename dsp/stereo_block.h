// What the stages of the chain hand on to each other: a borrowed piece of interleaved stereo. Mono travels as two equal
// channels, so that there is one path.
//
// Every stage works on whole groups of kGroupFrames frames, and groups begin at multiples of kGroupFrames of the
// chain's own clock: what is decided once per group (dynamics) therefore does not depend on how a stream is cut.
#pragma once

#include <cstddef>

namespace lacquer::dsp {

inline constexpr std::size_t kGroupFrames = 16;
inline constexpr std::size_t kWorkFrames = 256;  // small enough for all scratch memory to stay in the nearest cache

template <typename Sample>
struct BasicStereoBlock {
    Sample* samples = nullptr;    // left, right, left, ...; 64-byte aligned
    std::size_t frame_count = 0;  // a multiple of kGroupFrames, at most kWorkFrames
};

using StereoBlock = BasicStereoBlock<float>;
using WideBlock = BasicStereoBlock<double>;  // between the filters that need double

}  // namespace lacquer::dsp
