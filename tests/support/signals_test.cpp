#include "tests/support/signals.h"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "tests/support/measures.h"

namespace lacquer::test {
namespace {

TEST(Signals, SineHasThePeakAndThePhaseAskedFor) {
    const auto audio = sine(997.0, -6.0, 1.0);
    EXPECT_NEAR(peak_dbfs(audio.block()), -6.0, 0.001);
    EXPECT_NEAR(rms_dbfs(audio.block()), -9.0103, 0.001);
    EXPECT_NEAR(sine(12'000.0, 0.0, 0.1, {}, 45.0).block().channels[0][0], std::sqrt(0.5), 1e-6);
}

TEST(Signals, NoiseHasTheRmsAskedForAndIndependentChannels) {
    auto audio = pink_noise(1, -20.0, 5.0);
    EXPECT_NEAR(rms_dbfs(audio.block()), -20.0, 0.001);
    double product = 0.0, energy = 0.0;
    for (std::size_t i = 0; i < audio.frame_count(); ++i) {
        product += double{audio.block().channels[0][i]} * audio.block().channels[1][i];
        energy += double{audio.block().channels[0][i]} * audio.block().channels[0][i];
    }
    EXPECT_LT(std::abs(product / energy), 0.15);
    EXPECT_TRUE(same_bits(audio.block(), pink_noise(1, -20.0, 5.0).block()));
    EXPECT_FALSE(same_bits(audio.block(), pink_noise(2, -20.0, 5.0).block()));
}

TEST(Signals, PinkNoiseFallsByThreeDbPerOctave) {
    const auto audio = pink_noise(3, -20.0, 5.0, {44'100, 1});
    const auto around = [&](double hz) {
        double power = 0.0;
        for (int k = -20; k <= 20; ++k)
            power += std::pow(10.0, component_dbfs(audio.block().channel(0), hz * (1.0 + k * 0.005), 44'100) / 10.0);
        return 10.0 * std::log10(power);
    };
    EXPECT_NEAR(around(400.0) - around(3200.0), 9.0, 2.0);
}

TEST(Signals, ChirpEndsOnItsSecondFrequency) {
    const auto audio = chirp(100.0, 1000.0, -12.0, 2.0);
    EXPECT_NEAR(peak_dbfs(audio.block()), -12.0, 0.01);
    int crossings = 0;
    const auto tail = audio.block().channel(0).subspan(audio.frame_count() - 2400);  // 50 ms
    for (std::size_t i = 1; i < tail.size(); ++i) crossings += (tail[i - 1] < 0) != (tail[i] < 0);
    EXPECT_NEAR(crossings, 97, 3);
}

TEST(Signals, ImpulseIsOneFrame) {
    const auto audio = impulse(7, -6.0, 0.01);
    EXPECT_NEAR(audio.block().channels[1][7], 0.5012, 0.0001);
    EXPECT_EQ(audio.block().channels[1][6], 0.0f);
    EXPECT_EQ(audio.block().channels[1][8], 0.0f);
}

TEST(Signals, SectionsHaveTheirLevelsAndLengths) {
    const auto audio = sine_sections(1000.0, {{-30.0, 1.0}, {-10.0, 2.0}});
    ASSERT_EQ(audio.frame_count(), 144'000u);
    EXPECT_NEAR(peak_dbfs(audio.block().slice(0, 48'000)), -30.0, 0.01);
    EXPECT_NEAR(peak_dbfs(audio.block().slice(48'000, 96'000)), -10.0, 0.01);
}

TEST(Signals, CutsCoverEveryFrameOnce) {
    const auto sizes = uneven_cuts(100'000, 700, 5);
    EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), std::size_t{0}), 100'000u);
    for (std::size_t size : sizes) EXPECT_TRUE(size >= 1 && size <= 700);
}

}  // namespace
}  // namespace lacquer::test
