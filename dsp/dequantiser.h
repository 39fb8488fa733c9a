// The way back from the sample formats that are served: interleaved little-endian bytes to planar float, full
// scale 1.0.
#pragma once

#include <cstddef>
#include <span>

#include "dsp/quantiser.h"

namespace lacquer::dsp {

// `bytes` holds exactly out.frame_count frames of out.channel_count channels.
void dequantise(std::span<const std::byte> bytes, SampleFormat format, AudioBlock out) LACQUER_REALTIME;

}  // namespace lacquer::dsp
