#include "dsp/limiter_gain.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/stereo_block.h"
#include "tests/support/signals.h"

namespace lacquer::dsp {
namespace {

constexpr std::size_t kGroup = kGroupFrames;

LimiterSettings settings(std::uint32_t look_ahead_frames = 220) {
    return {0.9, look_ahead_frames, 0.993, 0.998, 0.002};
}

// Peaks now and then, some alone and some in a row.
std::vector<double> requirements(std::size_t groups, std::uint64_t seed) {
    test::Random random(seed);
    std::vector<double> required(groups);
    for (std::size_t g = 0; g < groups; ++g) {
        const bool busy = (g / 200) % 3 == 1;
        if (random.uniform() < (busy ? 0.5 : 0.02)) required[g] = 0.9 * random.uniform();
    }
    return required;
}

std::vector<double> gains_of(const LimiterSettings& with, const std::vector<double>& required) {
    LimiterGain gain(with);
    std::vector<double> gains;
    for (const double reduction : required) {
        const GroupGain curve = gain.next(reduction);
        for (std::size_t t = 0; t < kGroup; ++t) {
            const auto at = static_cast<double>(t);
            gains.push_back(curve.start - curve.slope * (at + 1) - curve.bend * (at + 1) * (at + 2) / 2);
        }
    }
    return gains;
}

// Group g requires its reduction for the frames from 15 before its own first to 4 behind it, which leave the limiter
// the look-ahead later.
TEST(LimiterGain, IsNeverAboveWhatIsRequired) {
    for (const std::uint32_t look_ahead : {1u, 40u, 220u, 960u}) {
        const auto required = requirements(3'000, look_ahead);
        const auto gains = gains_of(settings(look_ahead), required);
        const std::size_t delay = LimiterGain(settings(look_ahead)).look_ahead_frames();
        EXPECT_GE(delay, look_ahead);
        for (std::size_t g = 1; g < required.size(); ++g) {
            const std::size_t first = g * kGroup - 15 + delay;
            for (std::size_t i = first; i < std::min(first + 20, gains.size()); ++i) {
                ASSERT_LE(gains[i], 1.0 - required[g] + 2e-7) << "look-ahead " << look_ahead << ", frame " << i;
            }
        }
    }
}

// The method as loops over frames in double.
TEST(LimiterGain, IsTwoBoxcarsOverTheReleasedMaximum) {
    const LimiterSettings with = settings();
    const auto required = requirements(1'000, 7);
    const auto gains = gains_of(with, required);
    const std::size_t boxcar = (LimiterGain(with).look_ahead_frames() - kGroup) / 2;
    const std::size_t window = 2 * boxcar / kGroup + 2;
    double fast = 0.0, slow = 0.0, average = 0.0;
    std::vector<double> held(required.size() * kGroup);
    for (std::size_t g = 0; g < required.size(); ++g) {
        double most = 0.0;
        for (std::size_t k = 0; k < std::min(window, g + 1); ++k) most = std::max(most, required[g - k]);
        fast = std::max(most, with.fast_release * fast);
        slow = std::max(most, with.slow_release * slow);
        average += with.build_up * (most - average);
        std::fill_n(held.begin() + static_cast<std::ptrdiff_t>(g * kGroup), kGroup,
                    std::max(fast, std::min(slow, 1.25 * average)));
    }
    const auto smooth = [&](const std::vector<double>& in) {
        std::vector<double> out(in.size());
        for (std::size_t i = 0; i < in.size(); ++i) {
            for (std::size_t k = 0; k < std::min(boxcar, i + 1); ++k) out[i] += in[i - k] / static_cast<double>(boxcar);
        }
        return out;
    };
    const auto reduction = smooth(smooth(held));
    for (std::size_t i = 0; i < gains.size(); ++i) ASSERT_NEAR(gains[i], 1.0 - reduction[i], 5e-7) << i;
}

double reduction_db_after(std::size_t limited_groups, std::size_t later_groups) {
    std::vector<double> required(limited_groups + later_groups, 0.0);
    std::fill_n(required.begin(), limited_groups, 0.5);
    const std::size_t look_ahead = LimiterGain(settings()).look_ahead_frames() / kGroup;
    required.resize(required.size() + look_ahead, 0.0);
    return -20.0 * std::log10(gains_of(settings(), required).back());
}

// Times at 44.1 kHz: 2.76 groups a millisecond.
TEST(LimiterGain, ASinglePeakIsLetGoFastAndLongLimitingSlowly) {
    EXPECT_LT(reduction_db_after(30, 276), 1.0);     // 11 ms of 6 dB, 100 ms later
    EXPECT_GT(reduction_db_after(2'760, 276), 2.5);  // 1 s of 6 dB
    EXPECT_LT(reduction_db_after(2'760, 2'760), 0.1);
}

TEST(LimiterGain, RestsWithAGainOfExactlyOne) {
    LimiterGain gain(settings());
    EXPECT_TRUE(gain.at_rest());
    gain.next(0.5);
    EXPECT_FALSE(gain.at_rest());
    std::size_t groups = 0;
    GroupGain last;
    for (; !gain.at_rest() && groups < 13'800; ++groups) last = gain.next(0.0);  // 5 s
    EXPECT_TRUE(gain.at_rest());
    last = gain.next(0.0);
    EXPECT_EQ(last.start, 1.0f);
    EXPECT_EQ(last.slope, 0.0f);
    EXPECT_EQ(last.bend, 0.0f);
}

TEST(LimiterGain, StaysExactWithTheLongestLookAhead) {
    LimiterGain gain(settings(4096));
    for (int i = 0; i < 2'000; ++i) gain.next(1.0);
    const GroupGain full = gain.next(1.0);
    EXPECT_EQ(full.start, 0.0f);
    EXPECT_EQ(full.slope, 0.0f);
    for (int i = 0; i < 200'000 && !gain.at_rest(); ++i) gain.next(0.0);
    EXPECT_TRUE(gain.at_rest());
    EXPECT_EQ(gain.next(0.0).start, 1.0f);
}

}  // namespace
}  // namespace lacquer::dsp
