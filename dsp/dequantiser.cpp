#include "dsp/dequantiser.h"

#include <cassert>
#include <cstdint>
#include <cstring>

namespace lacquer::dsp {
namespace {

float sample_at(const std::byte* bytes, SampleFormat format) {
    if (format == SampleFormat::f32) {
        float value = 0.0f;
        std::memcpy(&value, bytes, sizeof value);
        return value;
    }
    const bool wide = format == SampleFormat::s24;
    const auto byte = [&](int i) { return std::to_integer<std::uint32_t>(bytes[i]); };
    const std::uint32_t bits = wide ? byte(0) << 8 | byte(1) << 16 | byte(2) << 24 : byte(0) << 16 | byte(1) << 24;
    return static_cast<float>(static_cast<std::int32_t>(bits)) * (1.0f / 2147483648.0f);
}

}  // namespace

void dequantise(std::span<const std::byte> bytes, SampleFormat format, AudioBlock out) LACQUER_REALTIME {
    assert(bytes.size() == out.frame_count * out.channel_count * bytes_per_sample(format));
    const std::size_t width = bytes_per_sample(format);
    const std::byte* at = bytes.data();
    for (std::size_t i = 0; i < out.frame_count; ++i) {
        for (std::size_t c = 0; c < out.channel_count; ++c, at += width) out.channels[c][i] = sample_at(at, format);
    }
}

}  // namespace lacquer::dsp
