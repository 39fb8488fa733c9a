#include "dsp/true_peak_limiter.h"

#include <cmath>

#include <gtest/gtest.h>

#include "dsp/recipe.h"
#include "dsp/units.h"
#include "tests/dsp/chain_fixture.h"
#include "tests/support/measures.h"

namespace lacquer::dsp {
namespace {

constexpr double kCeilingDbtp = -1.0;

LimiterSettings settings(std::uint32_t rate_hz = 48'000) {
    return neutral_recipe(rate_hz, 2).limiter;
}

void limit(AudioBlock block, std::uint32_t rate_hz = 48'000) {
    TruePeakLimiter limiter(settings(rate_hz));
    test::AsFloats(limiter).process(block);
}

// Faded in and out, with silence after it: a cut would put energy above the band the promise is for.
AudioBuffer faded(AudioBuffer audio) {
    const std::size_t fade = test::frames_of(0.01);
    const std::size_t frames = audio.frame_count();
    for (std::size_t c = 0; c < audio.channel_count(); ++c) {
        const auto samples = audio.block().channel(c);
        for (std::size_t i = 0; i < fade; ++i) {
            const auto gain = static_cast<float>(0.5 - 0.5 * std::cos(3.14159265 * static_cast<double>(i) / fade));
            samples[i] *= gain;
            samples[frames - 1 - i] *= gain;
        }
    }
    return test::concatenate({audio.block(), test::silence(0.02).block()});
}

// One of several kinds of signal that are hard on limiters, below 0.45 x the rate, up to 12 dB over full scale.
AudioBuffer hard_signal(std::uint64_t seed) {
    test::Random random(seed);
    const double level_db = 12.0 * random.uniform();
    constexpr double kSeconds = 0.15;
    switch (seed % 5) {
        case 0:
            return test::sine(20.0 + 21'500.0 * random.uniform(), level_db, kSeconds, {}, 360.0 * random.uniform());
        case 1:
            return test::sine(12'000.0, level_db, kSeconds, {}, 45.0);  // between the samples by 3 dB
        case 2: {
            AudioBuffer mix = test::sine(200.0 + 800.0 * random.uniform(), level_db, kSeconds);
            test::add(mix.block(), test::sine(5'000.0 + 16'000.0 * random.uniform(), level_db - 3.0, kSeconds).block());
            return mix;
        }
        case 3:
            return test::pink_noise(seed, level_db - 12.0, kSeconds);
        default:
            return test::chirp(50.0, 21'000.0, level_db, kSeconds);
    }
}

TEST(TruePeakLimiter, TruePeakOfHardSignalsStaysBelowTheCeiling) {
    double worst_dbtp = -200.0;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        AudioBuffer audio = faded(hard_signal(seed));
        limit(audio.block());
        const double peak_dbtp = test::true_peak_dbtp(audio.block());
        worst_dbtp = std::max(worst_dbtp, peak_dbtp);
        EXPECT_LE(peak_dbtp, kCeilingDbtp + 0.1) << "seed " << seed;
    }
    RecordProperty("worst_dbtp", std::to_string(worst_dbtp));
    EXPECT_GT(worst_dbtp, kCeilingDbtp - kLimiterMarginDb - 0.1) << "the signals were not hard enough";
}

// Without a release nothing but the window holds a reduction until the smoothing has reached it.
TEST(TruePeakLimiter, WindowAloneHoldsTheReduction) {
    LimiterSettings instant = settings();
    instant.release = 0.0;
    for (const std::size_t gap : {50, 120, 200, 400}) {
        AudioBuffer audio = test::silence(0.1);
        for (std::size_t peak = 0; peak < 4; ++peak) {
            for (float* const channel : {audio.block().channels[0], audio.block().channels[1]}) {
                for (std::size_t i = 0; i < 24; ++i) {
                    channel[1000 + peak * gap + i] = static_cast<float>(3.0 * std::sin(3.14159265 * i / 24.0));
                }
            }
        }
        TruePeakLimiter limiter(instant);
        AudioBuffer out = test::copy(audio.block());
        test::AsFloats(limiter).process(out.block());
        const std::size_t delay = limiter.latency_frames();
        double largest_step_db = 0.0;  // of the gain, between frames of one peak: clipping would bend it
        for (std::size_t i = 1001; i < 1000 + 3 * gap + 23; ++i) {
            const double before = audio.block().channels[0][i];
            const double last = audio.block().channels[0][i - 1];
            if (before < 1.0 || last < 1.0) continue;
            const double step = gain_to_db(out.block().channels[0][i + delay] / before) -
                                gain_to_db(out.block().channels[0][i - 1 + delay] / last);
            largest_step_db = std::max(largest_step_db, std::abs(step));
        }
        EXPECT_LT(largest_step_db, 0.25) << "gap " << gap;
    }
}

TEST(TruePeakLimiter, NoSampleIsAboveTheCeiling) {
    for (const std::uint32_t rate_hz : {8'000u, 44'100u, 192'000u}) {
        AudioBuffer audio = test::white_noise(3, 6.0, 1.0, {rate_hz, 2});
        limit(audio.block(), rate_hz);
        EXPECT_LE(test::peak_dbfs(audio.block()), kCeilingDbtp - kLimiterMarginDb + 1e-6);
    }
}

TEST(TruePeakLimiter, WhatIsBelowTheCeilingPassesUntouchedButForTheDelay) {
    AudioBuffer audio = test::pink_noise(4, -20.0, 2.0);
    const AudioBuffer before = test::copy(audio.block());
    ASSERT_LT(test::true_peak_dbtp(before.block()), -3.0);
    TruePeakLimiter limiter(settings());
    test::AsFloats(limiter).process(audio.block());
    const std::size_t delay = limiter.latency_frames();
    const std::size_t frames = audio.frame_count() - delay;
    EXPECT_TRUE(test::same_bits(before.block().slice(0, frames), audio.block().slice(delay, frames)));
}

TEST(TruePeakLimiter, GainIsBackAQuarterSecondTimesFiveAfterAPeak) {
    AudioBuffer audio = test::sine_sections(1000.0, {{12.0, 0.5}, {-20.0, 2.0}});
    limit(audio.block());
    const auto end = audio.block().slice(test::frames_of(2.0), test::frames_of(0.4));
    EXPECT_NEAR(test::peak_dbfs(end), -20.0, 0.001);
}

TEST(TruePeakLimiter, ResetEqualsNew) {
    TruePeakLimiter limiter(settings());
    AudioBuffer loud = test::white_noise(5, 6.0, 0.3);
    test::AsFloats(limiter).process(loud.block());
    limiter.reset();
    AudioBuffer again = test::pink_noise(6, -6.0, 1.0);
    AudioBuffer fresh = test::copy(again.block());
    test::AsFloats(limiter).process(again.block());
    limit(fresh.block());
    EXPECT_TRUE(test::same_bits(again.block(), fresh.block()));
}

TEST(TruePeakLimiter, RefusesSettingsOutOfRange) {
    EXPECT_THROW(TruePeakLimiter({1.5, 100, 0.9}), std::invalid_argument);
    EXPECT_THROW(TruePeakLimiter({0.9, 0, 0.9}), std::invalid_argument);
    EXPECT_THROW(TruePeakLimiter({0.9, 100, 1.0}), std::invalid_argument);
}

}  // namespace
}  // namespace lacquer::dsp
