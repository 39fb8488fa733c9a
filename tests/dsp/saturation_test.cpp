#include "dsp/saturation.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/units.h"
#include "tests/dsp/chain_fixture.h"
#include "tests/support/checksum.h"
#include "tests/support/every_simd.h"
#include "tests/support/measures.h"

namespace lacquer::dsp {
namespace {

TEST(Saturation, ThirdHarmonicHasTheCubicsLevel) {
    Saturation saturation({0.16});
    AudioBuffer audio = test::sine(1000.0, -6.0, 1.0);
    test::AsStereo(saturation).process(audio.block());
    const auto samples = std::span<const float>(audio.block().channel(0)).subspan(4'800, 38'400);
    const double a = db_to_gain(-6.0);
    EXPECT_NEAR(test::component_dbfs(samples, 3000.0, 48'000), gain_to_db(0.16 * a * a * a / 4.0), 0.1);
}

// Integer frequencies over a whole second: every component that is neither the sine nor its third harmonic is an alias.
TEST(Saturation, AliasesAreBelowMinusEightyDecibels) {
    for (const double hz : {997.0, 5003.0, 7919.0, 11003.0, 14983.0, 19001.0}) {
        Saturation saturation({0.16});
        AudioBuffer audio = test::sine(hz, -3.0, 1.5, {44'100, 2});
        test::AsStereo(saturation).process(audio.block());
        const auto samples = std::span<const float>(audio.block().channel(0)).subspan(10'000, 44'100);
        for (const int harmonic : {3, 5, 7, 9}) {
            const double folded = std::abs(std::remainder(harmonic * hz, 44'100.0));
            if (harmonic == 3 && harmonic * hz < 22'050.0) continue;
            if (folded > 20'000.0) continue;  // the filters' transition, beyond hearing
            EXPECT_LT(test::component_dbfs(samples, folded, 44'100), -80.0) << hz << " Hz, harmonic " << harmonic;
        }
        for (const double around : {3.0, 1.0}) {  // products with the image of the interpolation
            const double folded = std::abs(std::remainder(44'100.0 - around * hz, 44'100.0));
            if (around == 1.0 || folded > 20'000.0 || 3 * hz < 22'050.0) continue;
            EXPECT_LT(test::component_dbfs(samples, folded, 44'100), -80.0) << hz;
        }
    }
}

// The method of the header in double, the filter from libm; frame by frame.
AudioBuffer naive(ConstAudioBlock in, double amount) {
    constexpr int kTaps = 64;
    std::vector<double> taps(kTaps);
    double sum = 0.0;
    for (int j = 0; j < kTaps; ++j) {
        const double distance = j - 31.5;
        const double angle = std::numbers::pi * distance;
        const double inside = 1.0 - distance * distance / 1024.0;
        taps[static_cast<std::size_t>(j)] = std::sin(angle) / angle * std::cyl_bessel_i(0.0, 9.0 * std::sqrt(inside));
        sum += taps[static_cast<std::size_t>(j)];
    }
    const double limit = 1.0 / std::sqrt(3.0 * amount);
    const auto bent = [&](double x) {
        const double inside = std::clamp(x, -limit, limit);
        return x - inside + amount * inside * inside * inside;
    };
    AudioBuffer out(in.channel_count, in.frame_count);
    for (std::size_t c = 0; c < in.channel_count; ++c) {
        const auto at = [&](std::ptrdiff_t i) { return i < 0 ? 0.0 : static_cast<double>(in.channels[c][i]); };
        std::vector<double> between(in.frame_count);
        for (std::size_t i = 0; i < in.frame_count; ++i) {
            double y = 0.0;
            for (int j = 0; j < kTaps; ++j) {
                y += taps[static_cast<std::size_t>(j)] / sum * at(static_cast<std::ptrdiff_t>(i) - j);
            }
            between[i] = bent(y);
        }
        for (std::size_t i = 0; i < in.frame_count; ++i) {
            double y = 0.0;
            for (int j = 0; j < kTaps; ++j) {
                const std::ptrdiff_t from = static_cast<std::ptrdiff_t>(i) - j;
                if (from >= 0) y += taps[static_cast<std::size_t>(j)] / sum * between[static_cast<std::size_t>(from)];
            }
            const double centre = at(static_cast<std::ptrdiff_t>(i) - 63);
            out.block().channels[c][i] = static_cast<float>(centre - 0.5 * (y + bent(centre)));
        }
    }
    return out;
}

AudioBuffer plain_noise(std::size_t frames, std::uint64_t seed, double level) {
    test::Random random(seed);
    AudioBuffer made(2, frames);
    for (std::size_t c = 0; c < 2; ++c) {
        for (float& sample : made.block().channel(c))
            sample = static_cast<float>(level * (2.0 * random.uniform() - 1.0));
    }
    return made;
}

AudioBuffer saturated(ConstAudioBlock block, std::size_t cut = kWorkFrames) {
    Saturation saturation({0.16});
    AudioBuffer out = test::copy(block);
    test::AsStereo stage(saturation);
    for (std::size_t done = 0; done < block.frame_count; done += cut) {
        stage.process(out.block().slice(done, std::min(cut, block.frame_count - done)));
    }
    return out;
}

TEST(Saturation, IsThatOfALoopInDouble) {
    const AudioBuffer source = plain_noise(1'024, 1, 2.0);
    const AudioBuffer expected = naive(source.block(), 0.16);
    test::on_every_simd([&](const std::string&) {
        const AudioBuffer out = saturated(source.block());
        EXPECT_LT(test::residual(out.block(), expected.block(), 48'000).peak_dbfs, -118.0);
    });
}

// The checksum is from the scalar kernels when they were written.
TEST(Saturation, IsTheSameBitsOnEveryInstructionSetAndForEveryCut) {
    const AudioBuffer source = plain_noise(5'008, 2, 1.5);
    test::on_every_simd([&](const std::string&) {
        for (const std::size_t cut : {16u, 48u, 256u}) {
            EXPECT_EQ(test::checksum(saturated(source.block(), cut).block()), 0x4C84'4210'264F'E124u) << cut;
        }
    });
}

TEST(Saturation, ResetEqualsNew) {
    Saturation saturation({0.16});
    AudioBuffer loud = plain_noise(1'000, 3, 1.0);
    test::AsStereo(saturation).process(loud.block());
    saturation.reset();
    const AudioBuffer source = plain_noise(4'096, 4, 1.0);
    AudioBuffer again = test::copy(source.block());
    test::AsStereo(saturation).process(again.block());
    EXPECT_TRUE(test::same_bits(again.block(), saturated(source.block()).block()));
}

}  // namespace
}  // namespace lacquer::dsp
