#include "dsp/peak_interpolator.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/peak_taps.h"
#include "tests/support/every_simd.h"
#include "tests/support/signals.h"

namespace lacquer::dsp {
namespace {

constexpr std::size_t kTile = kPeakTile;

std::vector<float> noise(std::size_t count, std::uint64_t seed, double level = 1.0) {
    test::Random random(seed);
    std::vector<float> samples(count);
    for (float& sample : samples) sample = static_cast<float>(level * (2.0 * random.uniform() - 1.0));
    return samples;
}

// The method of the header as loops in double, the taps from libm.
double kaiser_by_libm(double x, double beta) {
    return std::cyl_bessel_i(0.0, beta * std::sqrt(1.0 - x * x)) / std::cyl_bessel_i(0.0, beta);
}

double half_way(const float* newest, std::size_t stride) {
    double sum = 0.0;
    double weights = 0.0;
    for (int j = 0; j < 28; ++j) {
        const double distance = j - 13.5;
        const double angle = std::numbers::pi * distance;
        const double weight = std::sin(angle) / angle * kaiser_by_libm(distance / 14.0, 3.4);
        sum += weight * static_cast<double>(newest[-static_cast<std::ptrdiff_t>(stride) * j]);
        weights += weight;
    }
    return sum / weights;
}

// The points a quarter, a half and three quarters behind sample 15 before the newest.
struct Between {
    double quarters[3];
};

Between between(const float* newest, std::size_t stride) {
    const auto step = static_cast<std::ptrdiff_t>(stride);
    const auto sample = [&](int later) { return static_cast<double>(newest[step * (later - 15)]); };
    const auto half = [&](int later) { return half_way(newest + step * (later - 1), stride); };
    constexpr double kTaps[3] = {0.59932, -0.12066, 0.02134};
    const double first =
        kTaps[0] * (sample(0) + half(0)) + kTaps[1] * (half(-1) + sample(1)) + kTaps[2] * (sample(-1) + half(1));
    const double third =
        kTaps[0] * (half(0) + sample(1)) + kTaps[1] * (sample(0) + half(1)) + kTaps[2] * (half(-1) + sample(2));
    return {{first, half(0), third}};
}

double naive_point(const float* newest, std::size_t stride) {
    const auto step = static_cast<std::ptrdiff_t>(stride);
    const Between points = between(newest, stride);
    const double sample = static_cast<double>(newest[step * -15]);
    return std::max({std::abs(points.quarters[0]), std::abs(points.quarters[2]), std::abs(half_way(newest, stride)),
                     std::abs(sample)});
}

TEST(PeakInterpolator, ChannelsPointsAreThoseOfALoopInDouble) {
    const std::vector<float> samples = noise(kPeakPast + 100, 1);
    const float* const x = samples.data() + kPeakPast;
    test::on_every_simd([&](const std::string&) {
        for (const std::size_t count : {1u, 7u, 32u, 75u, 100u}) {
            double expected = 0.0;
            for (std::size_t i = 0; i < count; ++i) expected = std::max(expected, naive_point(x + i, 1));
            EXPECT_NEAR(largest_point(x, count, 0.0f), expected, 1e-6) << count;
        }
    });
}

TEST(PeakInterpolator, GroupsPointsAreThoseOfALoopInDouble) {
    const std::vector<float> samples = noise(8 * kTile, 2);
    const float* const x = samples.data() + 3 * kTile;
    test::on_every_simd([&](const std::string&) {
        float peaks[5];
        EXPECT_EQ(group_peaks(x, 5, 0.0f, peaks), 0u);
        for (std::size_t g = 0; g < 5; ++g) {
            double expected = 0.0;
            for (std::size_t i = 0; i < kTile; ++i) expected = std::max(expected, naive_point(x + g * kTile + i, 2));
            EXPECT_NEAR(peaks[g], expected, 1e-6) << g;
        }
    });
}

TEST(PeakInterpolator, SkippingChangesNothingAboveTheFloor) {
    std::vector<float> samples = noise(19 * kTile, 3, 0.1);
    test::Random random(4);
    for (int bursts = 0; bursts < 5; ++bursts) {
        const std::size_t at = random.below(samples.size() - 8);
        for (std::size_t i = 0; i < 8; ++i) samples[at + i] *= 8.0f;
    }
    const float* const x = samples.data() + 3 * kTile;
    float every[16];
    group_peaks(x, 16, 0.0f, every);
    test::on_every_simd([&](const std::string&) {
        for (const float floor : {0.1f, 0.3f, 0.5f, 0.9f, 1.1f}) {
            float some[16];
            const std::size_t skipped = group_peaks(x, 16, floor, some);
            EXPECT_EQ(static_cast<std::size_t>(std::count(some, some + 16, 0.0f)), skipped);
            EXPECT_GE(skipped, floor < 0.3f ? 0u : 1u);
            for (std::size_t g = 0; g < 16; ++g) {
                if (every[g] > floor || some[g] != 0.0f) {
                    EXPECT_EQ(some[g], every[g]) << "floor " << floor << ", group " << g;
                }
            }
        }
    });
}

// Slow waves are skipped up to close below the floor, and nothing above it is.
TEST(PeakInterpolator, SkippingOfSmoothSignalsChangesNothingAboveTheFloor) {
    std::vector<float> samples(19 * kTile);
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const double phase = static_cast<double>(i / 2) * 0.13;
        samples[i] = static_cast<float>(std::sin(phase) * (0.8 + 0.4 * static_cast<double>(i) / samples.size()));
    }
    const float* const x = samples.data() + 3 * kTile;
    float every[16];
    group_peaks(x, 16, 0.0f, every);
    test::on_every_simd([&](const std::string&) {
        float some[16];
        EXPECT_GE(group_peaks(x, 16, 1.05f, some), 5u);
        EXPECT_GE(std::count_if(some, some + 16, [](float peak) { return peak > 1.05f; }), 3);
        for (std::size_t g = 0; g < 16; ++g) {
            EXPECT_EQ(some[g], every[g] > 1.05f || some[g] != 0.0f ? every[g] : 0.0f) << g;
        }
    });
}

TEST(PeakInterpolator, NoPointIsAboveTheBound) {
    // The signs that make the half-way sum as large as it can be, at the place where it is.
    std::vector<float> samples(kPeakPast + kTile, 0.0f);
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = i % 2 == 0 ? 1.0f : -1.0f;
    for (std::size_t i = kPeakPast; i < samples.size(); ++i) samples[i] *= -1.0f;
    const float peak = largest_point(samples.data() + kPeakPast, kTile, 0.0f);
    EXPECT_LE(peak, peak_bound());
    EXPECT_GT(peak, peak_bound() - 0.01f);
}

// A second difference at one place is a ramp that begins there. How far each takes a point from the line between its
// neighbours, added up, is what the second differences can do at most; the rules must allow for that and no less.
TEST(PeakInterpolator, RulesAllowForTheLargestSecondDifferences) {
    double most[3] = {};
    for (std::size_t place = 0; place < kPeakPast; ++place) {
        std::vector<float> ramp(kPeakPast);
        for (std::size_t i = place; i < kPeakPast; ++i) ramp[i] = static_cast<float>(i - place);
        const float* const newest = ramp.data() + kPeakPast - 1;
        const Between points = between(newest, 1);
        for (int q = 0; q < 3; ++q) {
            const double at = 0.25 * (q + 1);
            const double line = (1.0 - at) * static_cast<double>(newest[-15]) + at * static_cast<double>(newest[-14]);
            most[q] += std::abs(points.quarters[q] - line);
        }
    }
    const double expected = std::max({most[0], most[1], most[2]});
    std::printf("a point exceeds the samples by %.3f second differences at most\n", expected);
    const PeakDesign design = design_peak_interpolator();
    for (std::size_t r = 1; r < kQuietRules; ++r) {
        EXPECT_LT(design.rules[r].level + expected * design.rules[r].bend, 1.0);
        EXPECT_GT(design.rules[r].level + expected * design.rules[r].bend, 0.999);
    }
}

TEST(PeakInterpolator, LargestSampleIsThatOfALoop) {
    const std::vector<float> samples = noise(333, 5);
    test::on_every_simd([&](const std::string&) {
        for (const std::size_t count : {0u, 1u, 31u, 32u, 95u, 333u}) {
            float expected = 0.0f;
            for (std::size_t i = 0; i < count; ++i) expected = std::max(expected, std::abs(samples[i]));
            EXPECT_EQ(largest_sample(samples.data(), count), expected);
        }
    });
}

}  // namespace
}  // namespace lacquer::dsp
