// Dither that depends on nothing but the position in the track. This is its definition; the quantiser computes the same
// for many samples at once.
//
// Method:  a 32-bit integer hash (two rounds of xor-shift and multiply, the "lowbias32" of C. Wellons' hash-prospector)
//          over a counter of frame and channel; the bits of the frame that do not fit are hashed into the counter's
//          start. Two uniform numbers from its halves, their difference is triangular (TPDF), mean 0, variance 1/6.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dsp/realtime.h"

namespace lacquer::dsp {

inline std::uint32_t dither_hash(std::uint32_t z) LACQUER_REALTIME {
    z = (z ^ (z >> 16)) * 0x7FEB'352Du;
    z = (z ^ (z >> 15)) * 0x846C'A68Bu;
    return z ^ (z >> 16);
}

// The counter of a frame: the next channel and the next frame have the next numbers, two per frame, as long as the
// frames share what is above their lowest kDitherSpanBits bits.
inline constexpr int kDitherSpanBits = 31;

inline std::uint32_t dither_counter(std::int64_t frame, std::size_t channel) LACQUER_REALTIME {
    const auto position = static_cast<std::uint64_t>(frame);
    const auto span = static_cast<std::uint32_t>(position >> kDitherSpanBits);
    return static_cast<std::uint32_t>(position) * 2u + static_cast<std::uint32_t>(channel) +
           dither_hash(span + 0x9E37'79B9u);
}

// In (-1, 1), in units of the least significant bit.
inline double triangular_dither(std::int64_t frame, std::size_t channel) LACQUER_REALTIME {
    const std::uint32_t z = dither_hash(dither_counter(frame, channel));
    return (static_cast<std::int32_t>(z >> 16) - static_cast<std::int32_t>(z & 0xFFFFu)) * 0x1p-16;
}

}  // namespace lacquer::dsp
