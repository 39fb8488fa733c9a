#include "dsp/quantiser.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/dither.h"
#include "tests/support/allocation_guard.h"
#include "tests/support/checksum.h"
#include "tests/support/every_simd.h"
#include "tests/support/signals.h"

namespace lacquer::dsp {
namespace {

std::vector<std::byte> quantised(ConstAudioBlock block, SampleFormat format, bool dither, std::int64_t first = 0) {
    std::vector<std::byte> out(block.frame_count * block.channel_count * bytes_per_sample(format));
    quantise(block, first, format, dither, out);
    return out;
}

std::vector<std::int32_t> integers(const std::vector<std::byte>& bytes, SampleFormat format) {
    const std::size_t size = bytes_per_sample(format);
    std::vector<std::int32_t> values;
    for (std::size_t i = 0; i + size <= bytes.size(); i += size) {
        std::uint32_t value = 0;
        for (std::size_t b = 0; b < size; ++b) value |= std::to_integer<std::uint32_t>(bytes[i + b]) << (8 * b);
        const auto shift = 32 - 8 * size;
        values.push_back(static_cast<std::int32_t>(value << shift) >> shift);
    }
    return values;
}

void expect_restored(SampleFormat format, std::int32_t bits) {
    const std::int32_t half = 1 << (bits - 1);
    constexpr std::int32_t kBlock = 1 << 15;
    for (std::int32_t from = -half; from < half; from += kBlock) {
        AudioBuffer source(1, kBlock);
        for (std::int32_t i = 0; i < kBlock; ++i) {
            source.block().channels[0][i] = static_cast<float>(from + i) / static_cast<float>(half);
        }
        const auto values = integers(quantised(source.block(), format, false), format);
        for (std::int32_t i = 0; i < kBlock; ++i) ASSERT_EQ(values[static_cast<std::size_t>(i)], from + i);
    }
}

TEST(Quantiser, RestoresEverySixteenBitValue) {
    expect_restored(SampleFormat::s16, 16);
}
TEST(Quantiser, RestoresEveryTwentyFourBitValue) {
    expect_restored(SampleFormat::s24, 24);
}

TEST(Quantiser, FloatsPassBitForBit) {
    AudioBuffer source = test::white_noise(1, 3.0, 0.1);
    const auto bytes = quantised(source.block(), SampleFormat::f32, true);
    for (std::size_t i = 0; i < source.frame_count(); ++i) {
        for (std::size_t c = 0; c < 2; ++c) {
            EXPECT_EQ(std::memcmp(bytes.data() + (2 * i + c) * 4, &source.block().channels[c][i], 4), 0);
        }
    }
}

TEST(Quantiser, ClipsAtTheRailsAndReadsNaNAsSilence) {
    AudioBuffer source(1, 5);
    float* const x = source.block().channels[0];
    x[0] = 1.0f;
    x[1] = -7.0f;
    x[2] = std::numeric_limits<float>::infinity();
    x[3] = -std::numeric_limits<float>::infinity();
    x[4] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(integers(quantised(source.block(), SampleFormat::s16, false), SampleFormat::s16),
              (std::vector<std::int32_t>{32767, -32768, 32767, -32768, 0}));
    EXPECT_EQ(integers(quantised(source.block(), SampleFormat::s24, false), SampleFormat::s24),
              (std::vector<std::int32_t>{8388607, -8388608, 8388607, -8388608, 0}));
}

// The error of a constant that lies between two steps: TPDF dither of +-1 LSB makes its mean zero and its variance
// 1/4 LSB^2 (1/6 of the dither, 1/12 of the rounding), whatever the constant.
TEST(Quantiser, DitheredErrorHasTheMomentsOfTriangularDither) {
    constexpr std::size_t kFrames = 1 << 18;
    for (const double offset : {0.0, 0.25, 0.5, 0.9}) {
        AudioBuffer source(2, kFrames);
        for (std::size_t c = 0; c < 2; ++c) {
            std::fill_n(source.block().channels[c], kFrames, static_cast<float>((100.0 + offset) / 32768.0));
        }
        const auto values = integers(quantised(source.block(), SampleFormat::s16, true), SampleFormat::s16);
        double sum = 0.0;
        double squares = 0.0;
        for (const std::int32_t value : values) {
            const double error = value - 100.0 - offset;
            sum += error;
            squares += error * error;
        }
        const auto count = static_cast<double>(values.size());
        EXPECT_NEAR(sum / count, 0.0, 0.005);
        EXPECT_NEAR(squares / count, 0.25, 0.005);
    }
}

TEST(Quantiser, DitherIsWhiteAndDiffersBetweenChannels) {
    constexpr std::size_t kFrames = 1 << 18;
    const AudioBuffer source(2, kFrames);
    const auto values = integers(quantised(source.block(), SampleFormat::s16, true), SampleFormat::s16);
    const auto correlation = [&](std::size_t lag) {
        double products = 0.0;
        double squares = 0.0;
        for (std::size_t i = 0; i + lag < values.size(); ++i) {
            products += static_cast<double>(values[i]) * values[i + lag];
            squares += static_cast<double>(values[i]) * values[i];
        }
        return products / squares;
    };
    for (std::size_t lag = 1; lag <= 64; ++lag) EXPECT_LT(std::abs(correlation(lag)), 0.01) << "lag " << lag;
}

TEST(Quantiser, BytesDependOnThePositionNotOnTheCut) {
    const AudioBuffer source = test::pink_noise(2, -20.0, 0.5);
    constexpr std::int64_t kFirst = 123'456'789;
    for (const auto format : {SampleFormat::s16, SampleFormat::s24}) {
        const auto whole = quantised(source.block(), format, true, kFirst);
        std::vector<std::byte> joined;
        std::size_t done = 0;
        for (const std::size_t frames : test::uneven_cuts(source.frame_count(), 700, 5)) {
            const auto part =
                quantised(source.block().slice(done, frames), format, true, kFirst + static_cast<std::int64_t>(done));
            joined.insert(joined.end(), part.begin(), part.end());
            done += frames;
        }
        EXPECT_EQ(joined, whole);
        EXPECT_NE(quantised(source.block(), format, true, kFirst + 1), whole);
    }
}

// The definition, one sample at a time in double. Exactly half way between two values either may be taken.
void expect_defined_values(ConstAudioBlock block, std::int64_t first, SampleFormat format, bool dither) {
    const double full = format == SampleFormat::s16 ? 32768.0 : 8388608.0;
    const auto values = integers(quantised(block, format, dither, first), format);
    for (std::size_t i = 0; i < block.frame_count; ++i) {
        for (std::size_t c = 0; c < block.channel_count; ++c) {
            double exact = std::clamp(static_cast<double>(block.channels[c][i]) * full, -full, full);
            if (dither) exact += triangular_dither(first + static_cast<std::int64_t>(i), c);
            exact = std::clamp(exact, -full, full - 1.0);
            ASSERT_LE(std::abs(values[i * block.channel_count + c] - exact), 0.5 + 1e-7) << i << ", channel " << c;
        }
    }
}

TEST(Quantiser, ValuesAreThoseOfTheDefinitionOnEveryInstructionSet) {
    constexpr std::int64_t kSpanEnd = std::int64_t{1} << kDitherSpanBits;
    test::on_every_simd([&](const std::string&) {
        for (const std::size_t channels : {1, 2}) {
            const AudioBuffer source = test::white_noise(3, -9.0, 0.05, {48'000, channels});
            for (const auto format : {SampleFormat::s16, SampleFormat::s24}) {
                for (const std::int64_t first : {std::int64_t{0}, std::int64_t{77'777}, kSpanEnd - 1'001}) {
                    expect_defined_values(source.block(), first, format, true);
                    expect_defined_values(source.block(), first, format, false);
                }
            }
        }
    });
}

TEST(Quantiser, TiesGoToEvenWithoutDither) {
    AudioBuffer source(1, 6);
    const float halves[] = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 32766.5f};
    for (std::size_t i = 0; i < 6; ++i) source.block().channels[0][i] = halves[i] / 32768.0f;
    test::on_every_simd([&](const std::string&) {
        EXPECT_EQ(integers(quantised(source.block(), SampleFormat::s16, false), SampleFormat::s16),
                  (std::vector<std::int32_t>{0, 2, 2, 0, -2, 32766}));
    });
}

// Recorded from the scalar kernels when they were written.
TEST(Quantiser, BytesAreTheRecordedOnesOnEveryInstructionSet) {
    test::Random random(5);
    AudioBuffer source(2, 5'003);
    for (std::size_t c = 0; c < 2; ++c) {
        for (float& sample : source.block().channel(c)) sample = static_cast<float>(2.02 * random.uniform() - 1.01);
    }
    test::on_every_simd([&](const std::string&) {
        const auto sum = [&](SampleFormat format, bool dither) {
            return test::checksum(quantised(source.block(), format, dither, 123'456'789));
        };
        EXPECT_EQ(sum(SampleFormat::s16, true), 0x3D7C'14AC'FB51'B566u);
        EXPECT_EQ(sum(SampleFormat::s16, false), 0x3505'B3B4'95F7'5A86u);
        EXPECT_EQ(sum(SampleFormat::s24, true), 0xB6FF'40B0'DF63'4DCCu);
        EXPECT_EQ(sum(SampleFormat::s24, false), 0x8C0C'1866'445C'3D30u);
    });
}

TEST(Quantiser, AllocatesNothing) {
    const AudioBuffer source = test::pink_noise(2, -20.0, 0.1);
    std::vector<std::byte> out(source.frame_count() * 2 * 3);
    const test::AllocationGuard guard;
    quantise(source.block(), 0, SampleFormat::s24, true, out);
    EXPECT_EQ(guard.count(), 0u);
}

}  // namespace
}  // namespace lacquer::dsp
