// What the stages of the chain hand on to each other: a borrowed piece of at most kWorkFrames frames in double.
#pragma once

#include <cstddef>

#include "dsp/audio_block.h"
#include "dsp/stereo_block.h"

namespace lacquer::dsp {

using WorkBlock = BasicAudioBlock<double>;

}  // namespace lacquer::dsp
