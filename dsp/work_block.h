// What the stages of the chain hand on to each other: a borrowed piece of at most kWorkFrames frames in double.
#pragma once

#include <cstddef>

#include "dsp/audio_block.h"

namespace lacquer::dsp {

inline constexpr std::size_t kWorkFrames = 256;  // small enough for all scratch memory to stay in the nearest cache

using WorkBlock = BasicAudioBlock<double>;

}  // namespace lacquer::dsp
