#include "dsp/dequantiser.h"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/every_simd.h"
#include "tests/support/measures.h"
#include "tests/support/signals.h"

namespace lacquer::dsp {
namespace {

std::vector<std::byte> random_bytes(std::size_t count) {
    test::Random random(1);
    std::vector<std::byte> bytes(count);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(256));
    return bytes;
}

TEST(Dequantiser, IntegersAreTheirPartOfFullScale) {
    for (const auto format : {SampleFormat::s16, SampleFormat::s24}) {
        const std::size_t width = bytes_per_sample(format);
        for (const std::size_t channels : {1, 2}) {
            for (const std::size_t frames : {1u, 15u, 256u, 1'000u}) {
                const auto bytes = random_bytes(frames * channels * width);
                test::on_every_simd([&](const std::string&) {
                    AudioBuffer out(channels, frames);
                    dequantise(bytes, format, out.block());
                    for (std::size_t i = 0; i < frames * channels; ++i) {
                        std::int64_t value = 0;  // of 32 bits
                        for (std::size_t b = 0; b < width; ++b) {
                            value |= std::to_integer<std::int64_t>(bytes[i * width + b]) << (8 * (b + 4 - width));
                        }
                        if (value >= 0x8000'0000) value -= 0x1'0000'0000;
                        ASSERT_EQ(out.block().channels[i % channels][i / channels],
                                  static_cast<double>(value) / 2147483648.0);
                    }
                });
            }
        }
    }
}

TEST(Dequantiser, FloatsComeBackBitForBit) {
    const AudioBuffer source = test::white_noise(2, 3.0, 0.1);
    std::vector<std::byte> bytes(source.frame_count() * 2 * 4);
    test::on_every_simd([&](const std::string&) {
        quantise(source.block(), 0, SampleFormat::f32, false, bytes);
        AudioBuffer out(2, source.frame_count());
        dequantise(bytes, SampleFormat::f32, out.block());
        EXPECT_TRUE(test::same_bits(out.block(), source.block()));
    });
}

}  // namespace
}  // namespace lacquer::dsp
