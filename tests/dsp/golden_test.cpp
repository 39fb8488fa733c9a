// What fixed inputs have always come to. A change here is a change of the bytes that listeners get: it raises the
// render version (src/render_plan.h), or it is a mistake.
#include <bit>
#include <cstdint>

#include <gtest/gtest.h>

#include "dsp/quantiser.h"
#include "tests/dsp/chain_fixture.h"
#include "tests/support/checksum.h"
#include "tests/support/every_simd.h"

namespace lacquer::dsp {
namespace {

// Integer arithmetic alone, so that the input is the same everywhere.
AudioBuffer fixed_noise() {
    constexpr std::size_t kFrames = 48'000;
    AudioBuffer noise(2, kFrames);
    std::uint32_t state = 1;
    for (std::size_t i = 0; i < kFrames; ++i) {
        for (std::size_t c = 0; c < 2; ++c) {
            state = state * 1'664'525u + 1'013'904'223u;
            const auto sample = static_cast<std::int32_t>(state) / 65'536;  // of 16 bits
            noise.block().channels[c][i] = static_cast<float>(i % 16'000 < 4'000 ? sample : sample / 8) / 32'768.0f;
        }
    }
    return noise;
}

// No number in it comes from libm.
Recipe fixed_recipe() {
    Recipe recipe;
    recipe.sample_rate_hz = 48'000;
    recipe.channel_count = 2;
    recipe.trim = 0.75;
    for (std::size_t s = 0; s < kEqualiserSections; ++s) {
        const double radius = 1.0 - 0.5 / static_cast<double>(1u << s);
        recipe.equaliser.sections[s] = {1.0625, -1.9375 * radius, 0.9375 * radius * radius, -1.875 * radius,
                                        radius * radius};
    }
    const BiquadCoefficients low_pass{0.0625, 0.125, 0.0625, -1.0, 0.25};
    const BiquadCoefficients high_pass{0.5625, -1.125, 0.5625, -1.0, 0.25};
    const BiquadCoefficients all_pass{0.25, -1.0, 1.0, -1.0, 0.25};
    recipe.compressor.borders.fill({low_pass, high_pass, all_pass});
    recipe.compressor.bands.fill({-30.0, 6.0, 0.5, 0.001, 0.002, 0.0005});
    recipe.saturation.amount = 0.125;
    recipe.width = {1.25, 1.0, {low_pass, high_pass, all_pass}};
    recipe.level.gain = 2.0;
    recipe.level.curve_db = {0.0, 2.0, -1.0};
    recipe.limiter = {0.875, 240, 0.875, 0.984375, 0.0625};
    return recipe;
}

std::uint64_t checksum_of(const Recipe& recipe, SampleFormat format) {
    const AudioBuffer out = test::enhanced(recipe, fixed_noise().block(), 12'345);
    std::vector<std::byte> bytes(out.frame_count() * 2 * bytes_per_sample(format));
    quantise(out.block(), 12'345, format, true, bytes);
    return test::checksum(bytes);
}

// Recorded from this code, render version 2.
constexpr std::uint64_t kFloat = 8549558366123786817u;
constexpr std::uint64_t kDithered16 = 11277081341044392592u;

TEST(Golden, TheWholeChainMakesTheRecordedBytesOnEveryInstructionSet) {
    test::on_every_simd([](const std::string&) {
        EXPECT_EQ(checksum_of(fixed_recipe(), SampleFormat::f32), kFloat);
        EXPECT_EQ(checksum_of(fixed_recipe(), SampleFormat::s16), kDithered16);
    });
}

}  // namespace
}  // namespace lacquer::dsp
