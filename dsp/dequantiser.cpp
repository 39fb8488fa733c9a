#include "dsp/dequantiser.h"

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <cstring>

#include "dsp/interleave.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/dequantiser.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using Integers = hn::Rebind<std::int32_t, Floats>;
using Shorts = hn::Rebind<std::int16_t, Floats>;

// Whole vectors: all three lines have room for `count` rounded up to a multiple of 16.
void FromShorts(const std::int16_t* HWY_RESTRICT from, std::size_t count, float* HWY_RESTRICT to) {
    const Floats d;
    for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
        const auto values = hn::PromoteTo(Integers(), hn::Load(Shorts(), from + i));
        hn::Store(hn::Mul(hn::ConvertTo(d, values), hn::Set(d, 1.0f / 32768.0f)), d, to + i);
    }
}

void FromLongs(const std::int32_t* HWY_RESTRICT from, std::size_t count, float* HWY_RESTRICT to) {
    const Floats d;
    for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
        const auto values = hn::ConvertTo(d, hn::Load(Integers(), from + i));
        hn::Store(hn::Mul(values, hn::Set(d, 1.0f / 2147483648.0f)), d, to + i);
    }
}

}  // namespace
}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lacquer::dsp {
namespace {

HWY_EXPORT(FromShorts);
HWY_EXPORT(FromLongs);

constexpr std::size_t kPiece = 512;  // samples, a multiple of every vector

void read_shorts(const std::byte* bytes, std::size_t count, float* to) LACQUER_REALTIME {
    alignas(64) std::int16_t values[kPiece];
    std::memcpy(values, bytes, count * 2);
    std::fill_n(values + count, (kPiece - count) % 16, std::int16_t{0});
    HWY_DYNAMIC_DISPATCH(FromShorts)(values, count, to);
}

// Each value with the byte before it, which is then cleared.
void read_three_bytes(const std::byte* bytes, std::size_t count, float* to) LACQUER_REALTIME {
    alignas(64) std::int32_t values[kPiece];
    std::uint32_t bits = 0;
    std::memcpy(&bits, bytes, 3);
    values[0] = static_cast<std::int32_t>(bits << 8);
    for (std::size_t i = 1; i < count; ++i) {
        std::memcpy(&bits, bytes + 3 * i - 1, 4);
        values[i] = static_cast<std::int32_t>(bits & 0xFFFF'FF00u);
    }
    std::fill_n(values + count, (kPiece - count) % 16, 0);
    HWY_DYNAMIC_DISPATCH(FromLongs)(values, count, to);
}

void read(const std::byte* bytes, SampleFormat format, std::size_t count, float* to) LACQUER_REALTIME {
    switch (format) {
        case SampleFormat::s16:
            return read_shorts(bytes, count, to);
        case SampleFormat::s24:
            return read_three_bytes(bytes, count, to);
        case SampleFormat::f32:
            std::memcpy(to, bytes, count * sizeof(float));
    }
}

}  // namespace

void dequantise(std::span<const std::byte> bytes, SampleFormat format, AudioBlock out) LACQUER_REALTIME {
    assert(bytes.size() == out.frame_count * out.channel_count * bytes_per_sample(format));
    const std::size_t frame_bytes = out.channel_count * bytes_per_sample(format);
    const std::size_t most_frames = kPiece / out.channel_count;
    alignas(64) float samples[kPiece];
    for (std::size_t done = 0; done < out.frame_count; done += most_frames) {
        const std::size_t frames = std::min(most_frames, out.frame_count - done);
        read(bytes.data() + done * frame_bytes, format, frames * out.channel_count, samples);
        if (out.channel_count == 2) {
            deinterleave(samples, frames, out.channels[0] + done, out.channels[1] + done);
        } else {
            std::copy_n(samples, frames, out.channels[0] + done);
        }
    }
}

}  // namespace lacquer::dsp
#endif
