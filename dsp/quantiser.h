// Float to the sample formats that are served, with dither that depends on nothing but the position in the track.
//
// Method:  clip, TPDF dither of +-1 LSB from a counter-based hash of (frame, channel) (dsp/dither.h), round to nearest,
//          clip. Without dither ties go to even, and a value that came from an integer of the same or a smaller depth
//          is restored exactly. NaN is silence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dsp/audio_block.h"
#include "dsp/realtime.h"

namespace lacquer::dsp {

enum class SampleFormat { s16, s24, f32 };

constexpr std::size_t bytes_per_sample(SampleFormat format) noexcept {
    return format == SampleFormat::s16 ? 2 : format == SampleFormat::s24 ? 3 : 4;
}

// Writes `block` interleaved, little-endian, into `out` (exactly frame_count x channel_count x bytes_per_sample bytes).
// `first_frame`: position in the track of the block's first frame. f32 is neither dithered nor clipped.
void quantise(ConstAudioBlock block, std::int64_t first_frame, SampleFormat format, bool dither,
              std::span<std::byte> out) LACQUER_REALTIME;

}  // namespace lacquer::dsp
