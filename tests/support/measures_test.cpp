#include "tests/support/measures.h"

#include <cmath>

#include <gtest/gtest.h>

#include "dsp/biquad.h"
#include "tests/support/signals.h"

namespace lacquer::test {
namespace {

TEST(Measures, LevelsOfSilenceReadMinusTwoHundred) {
    const auto audio = silence(0.1);
    EXPECT_EQ(rms_dbfs(audio.block()), -200.0);
    EXPECT_EQ(peak_dbfs(audio.block()), -200.0);
    EXPECT_EQ(true_peak_dbtp(audio.block()), -200.0);
}

TEST(Measures, TruePeakSeesBetweenTheSamples) {
    // A quarter of the rate at 45 degrees: every sample 3.01 dB below the peak of the wave.
    const auto audio = sine(12'000.0, 0.0, 0.5, {}, 45.0);
    EXPECT_NEAR(peak_dbfs(audio.block()), -3.0103, 0.0001);
    const auto middle = copy(audio.block());
    EXPECT_NEAR(true_peak_dbtp(middle.block()), 0.0, 0.3);  // the hard edges ring
}

TEST(Measures, TruePeakIsExactForFadedSines) {
    for (double hz : {100.0, 997.0, 6000.0, 12'000.0, 19'000.0, 21'000.0}) {
        auto audio = sine(hz, -1.0, 0.5, {48'000, 1}, 33.0);
        auto samples = audio.block().channel(0);
        const auto frames = static_cast<double>(samples.size());
        for (std::size_t i = 0; i < samples.size(); ++i) {
            const double u = static_cast<double>(i) / frames;
            samples[i] *= static_cast<float>(
                std::min(1.0, 8.0 * std::sin(3.14159265358979 * u) * std::sin(3.14159265358979 * u)));
        }
        EXPECT_NEAR(true_peak_dbtp(audio.block()), -1.0, 0.01) << hz;
    }
}

TEST(Measures, GainOfASectionIsItsTransferFunction) {
    struct Halving {
        dsp::Biquad left{{0.25, 0.25, 0.0, 0.0, 0.0}};
        void process(dsp::AudioBlock block) {
            for (float& x : block.channel(0)) x = static_cast<float>(left.process(x));
        }
    } stage;
    EXPECT_NEAR(gain_db_at(stage, 20.0), -6.0206, 0.001);
    EXPECT_NEAR(gain_db_at(stage, 12'000.0), -6.0206 - 3.0103, 0.001);
}

TEST(Measures, ThdOfASineWithASecondHarmonicIsTheirRatio) {
    auto audio = sine(1000.0, -6.0, 1.0);
    add(audio.block(), sine(2000.0, -66.0, 1.0).block());
    EXPECT_NEAR(thd_n_db(audio.block().channel(0), 1000.0, 48'000), -60.0, 0.01);
}

TEST(Measures, ResidualFindsTheLoudestSecond) {
    const auto a = sine(1000.0, -6.0, 5.0);
    auto b = copy(a.block());
    add(b.block().slice(100'000, 48'000), sine(300.0, -100.0, 1.0).block());
    const Residual found = residual(a.block(), b.block(), 48'000);
    EXPECT_NEAR(found.peak_dbfs, -100.0, 0.1);
    EXPECT_NEAR(found.rms_dbfs, -103.01, 0.5);
    EXPECT_EQ(residual(a.block(), a.block(), 48'000).peak_dbfs, -200.0);
}

TEST(Measures, OneFlippedBitIsSeen) {
    const auto a = sine(1000.0, -6.0, 0.1);
    auto b = copy(a.block());
    EXPECT_TRUE(same_bits(a.block(), b.block()));
    b.block().channels[1][100] = std::nextafter(b.block().channels[1][100], 1.0f);
    EXPECT_FALSE(same_bits(a.block(), b.block()));
    b.block().channels[1][100] = std::nanf("");
    EXPECT_FALSE(all_finite(b.block()));
}

// EBU Tech 3341, case 1: -23.0 +/- 0.1 LUFS.
TEST(Measures, LibraryReadsTheStandardsFirstCase) {
    const auto audio = sine(1000.0, -23.0, 20.0);
    const Ebur128Result result = ebur128_measure(audio.block(), 48'000);
    EXPECT_NEAR(result.integrated_lufs, -23.0, 0.1);
    EXPECT_NEAR(result.range_lu, 0.0, 0.1);
    EXPECT_NEAR(result.sample_peak_dbfs, -23.0, 0.01);
}

}  // namespace
}  // namespace lacquer::test
