// Dither that depends on nothing but the position in the track.
//
// Method:  SplitMix64's output function over a counter of frame and channel; two uniform numbers from its halves, their
//          difference is triangular (TPDF), mean 0, variance 1/6.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dsp/realtime.h"

namespace lacquer::dsp {

// In (-1, 1), in units of the least significant bit.
inline double triangular_dither(std::int64_t frame, std::size_t channel) LACQUER_REALTIME {
    std::uint64_t z = (static_cast<std::uint64_t>(frame) * 2u + channel + 1u) * 0x9E37'79B9'7F4A'7C15u;
    z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9u;
    z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EBu;
    z ^= z >> 31;
    const auto high = static_cast<std::int64_t>(z >> 32);
    const auto low = static_cast<std::int64_t>(z & 0xFFFF'FFFFu);
    return static_cast<double>(high - low) * 0x1p-32;
}

}  // namespace lacquer::dsp
