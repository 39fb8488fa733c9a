#include "dsp/quantiser.h"

#include <algorithm>
#include <bit>
#include <cassert>

#include "dsp/dither.h"

namespace lacquer::dsp {
namespace {

template <std::size_t Bytes>
void store_little_endian(std::uint32_t value, std::byte* to) LACQUER_REALTIME {
    for (std::size_t b = 0; b < Bytes; ++b) to[b] = static_cast<std::byte>(value >> (8 * b));
}

// To the nearest integer, ties to even, by the rounding of an addition.
double nearest(double x) LACQUER_REALTIME {
    constexpr double kRound = 6755399441055744.0;  // 1.5 x 2^52
    return (x + kRound) - kRound;
}

template <std::size_t Bytes>
void quantise_to_integers(const ConstAudioBlock& block, std::int64_t first_frame, bool dither,
                          std::byte* out) LACQUER_REALTIME {
    constexpr double kFullScale = Bytes == 2 ? 32768.0 : 8388608.0;
    const std::size_t channels = block.channel_count;
    for (std::size_t c = 0; c < channels; ++c) {
        const float* const samples = block.channels[c];
        std::byte* to = out + c * Bytes;
        for (std::size_t i = 0; i < block.frame_count; ++i, to += channels * Bytes) {
            const double sample = samples[i] == samples[i] ? static_cast<double>(samples[i]) : 0.0;
            double steps = std::clamp(sample, -2.0, 2.0) * kFullScale;
            if (dither) steps += triangular_dither(first_frame + static_cast<std::int64_t>(i), c);
            const double clipped = std::clamp(nearest(steps), -kFullScale, kFullScale - 1.0);
            store_little_endian<Bytes>(static_cast<std::uint32_t>(static_cast<std::int32_t>(clipped)), to);
        }
    }
}

void copy_floats(const ConstAudioBlock& block, std::byte* out) LACQUER_REALTIME {
    const std::size_t channels = block.channel_count;
    for (std::size_t i = 0; i < block.frame_count; ++i) {
        for (std::size_t c = 0; c < channels; ++c) {
            store_little_endian<4>(std::bit_cast<std::uint32_t>(block.channels[c][i]), out + (i * channels + c) * 4);
        }
    }
}

}  // namespace

void quantise(ConstAudioBlock block, std::int64_t first_frame, SampleFormat format, bool dither,
              std::span<std::byte> out) LACQUER_REALTIME {
    assert(out.size() == block.frame_count * block.channel_count * bytes_per_sample(format));
    switch (format) {
        case SampleFormat::s16:
            return quantise_to_integers<2>(block, first_frame, dither, out.data());
        case SampleFormat::s24:
            return quantise_to_integers<3>(block, first_frame, dither, out.data());
        case SampleFormat::f32:
            return copy_floats(block, out.data());
    }
}

}  // namespace lacquer::dsp
