// FNV-1a, 64 bits: says that bytes are the ones they were.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dsp/audio_block.h"

namespace lacquer::test {

inline std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t from = 0xCBF2'9CE4'8422'2325u) {
    for (const std::byte byte : bytes) from = (from ^ std::to_integer<std::uint64_t>(byte)) * 0x0000'0100'0000'01B3u;
    return from;
}

inline std::uint64_t checksum(dsp::ConstAudioBlock block) {
    std::uint64_t sum = 0xCBF2'9CE4'8422'2325u;
    for (std::size_t c = 0; c < block.channel_count; ++c) sum = checksum(std::as_bytes(block.channel(c)), sum);
    return sum;
}

}  // namespace lacquer::test
