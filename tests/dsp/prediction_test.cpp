#include "dsp/prediction.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/loudness.h"
#include "dsp/units.h"

namespace lacquer::dsp {
namespace {

double power_of(double lufs) {
    return std::pow(10.0, lufs / 10.0);
}

// Seconds of these levels as the profile's curve has them, with a last second of `last_hops` steps of 100 ms.
Profile profile_with(const std::vector<double>& levels_lufs, std::size_t last_hops) {
    std::vector<double> hops;
    for (const double level : levels_lufs) hops.insert(hops.end(), 10, power_of(level + 0.691));
    hops.resize(hops.size() - (10 - last_hops));
    Profile profile;
    profile.sample_rate_hz = 48'000;
    profile.frame_count = static_cast<std::int64_t>(hops.size()) * 4800 + 1234;
    profile.short_term_lufs = short_term_curve(hops);
    return profile;
}

TEST(Prediction, SecondsAreSolvedFromWindowsOfThree) {
    // Every length modulo 3, whole and partial last seconds; one silent second makes the undetermined length exact.
    for (std::size_t count = 1; count <= 30; ++count) {
        for (const std::size_t last_hops : {10u, 3u}) {
            std::vector<double> levels;
            for (std::size_t i = 0; i < count; ++i) levels.push_back(-14.0 - 15.0 * static_cast<double>((i / 2) % 2));
            if (count > 4) levels[3] = levels[4] = -90.0;
            const std::vector<double> solved = loudness_by_second(profile_with(levels, last_hops));
            ASSERT_EQ(solved.size(), count);
            if (count == 2) continue;  // one window, two unknowns
            for (std::size_t i = 0; i < count; ++i) {
                const double expected = levels[i] < -70.0 ? power_of(-70.0) : power_of(levels[i]);
                EXPECT_NEAR(power_of(solved[i]), expected, power_of(-50.0)) << count << " second " << i;
            }
        }
    }
    EXPECT_TRUE(loudness_by_second(Profile{}).empty());
}

TEST(Prediction, FloatLevelsDoNotAddUpOverHours) {
    std::vector<double> levels;
    for (int i = 0; i < 3 * 3600; ++i) levels.push_back(-20.0 + 8.0 * std::sin(i * 0.7) + (i % 97 == 0 ? -60.0 : 0.0));
    const std::vector<double> solved = loudness_by_second(profile_with(levels, 10));
    double worst = 0.0;
    for (std::size_t i = 0; i < levels.size(); ++i)
        worst = std::max(worst, std::abs(power_of(solved[i]) - power_of(std::max(levels[i], -70.0))));
    std::printf("3 h: each second within %.1f dB of full scale\n", power_to_db(worst));
    EXPECT_LT(worst, power_of(-50.0));
}

TEST(Prediction, QuietBlocksThatBeginToPassTheGatePullTheLoudnessDown) {
    // Half at -14, half at -32: gated out. Loud ones 9 dB down: the quiet half passes, the mean falls to that of both.
    std::vector<double> blocks(100, -14.0), gains(100, -4.0);
    std::fill(blocks.begin(), blocks.begin() + 50, -32.0);
    std::fill(gains.begin(), gains.begin() + 50, 0.0);
    EXPECT_NEAR(gating_change_db(blocks, {}, std::vector<double>(100, 0.0)), 0.0, 1e-9);
    EXPECT_NEAR(gating_change_db(blocks, gains, {}), 0.0, 1e-9) << "14 dB apart: still out";
    std::fill(gains.begin() + 50, gains.end(), -9.0);
    const double both = 10.0 * std::log10(0.5 * (power_of(-32.0) + power_of(-23.0)));
    EXPECT_NEAR(gating_change_db(blocks, gains, {}), both - (-23.0), 1e-9);
    EXPECT_NEAR(gating_change_db(blocks, {}, gains), both - (-14.0), 1e-9);
}

TEST(Prediction, LimitingTakesMoreFromDenseMaterial) {
    EXPECT_EQ(limiting_change_db(-1.0, 10.0), 0.0);
    EXPECT_LT(limiting_change_db(3.0, 8.0), limiting_change_db(3.0, 17.0));
    EXPECT_GT(limiting_change_db(3.0, 8.0), -3.0) << "never more than the peaks are held down";
}

}  // namespace
}  // namespace lacquer::dsp
