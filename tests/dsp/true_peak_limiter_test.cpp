#include "dsp/true_peak_limiter.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>

#include <gtest/gtest.h>

#include "dsp/recipe.h"
#include "dsp/units.h"
#include "tests/dsp/chain_fixture.h"
#include "tests/support/allocation_guard.h"
#include "tests/support/checksum.h"
#include "tests/support/every_simd.h"
#include "tests/support/measures.h"

namespace lacquer::dsp {
namespace {

constexpr double kCeilingDbtp = -1.0;

LimiterSettings settings(std::uint32_t rate_hz = 48'000) {
    return neutral_recipe(rate_hz, 2).limiter;
}

void limit(AudioBlock block, std::uint32_t rate_hz = 48'000) {
    TruePeakLimiter limiter(settings(rate_hz));
    test::AsStereo(limiter).process(block);
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

// A square wave of its harmonics below 0.45 x the rate.
AudioBuffer square(double hz, double dbfs, double seconds) {
    AudioBuffer made = test::sine(hz, dbfs, seconds);
    for (int n = 3; n * hz < 21'600.0; n += 2) {
        test::add(made.block(), test::sine(n * hz, dbfs - gain_to_db(n), seconds).block());
    }
    return made;
}

// Bursts of a few periods that swell and fade, from silence.
AudioBuffer bursts(double hz, double dbfs, double seconds, double phase_degrees) {
    AudioBuffer made = test::sine(hz, dbfs, seconds, {}, phase_degrees);
    constexpr std::size_t kEvery = 1'600;
    constexpr std::size_t kLength = 96;
    for (std::size_t c = 0; c < 2; ++c) {
        const auto samples = made.block().channel(c);
        for (std::size_t i = 0; i < samples.size(); ++i) {
            const double at = static_cast<double>(i % kEvery) / kLength;
            const double envelope = at < 1.0 ? 0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * at) : 0.0;
            samples[i] *= static_cast<float>(envelope);
        }
    }
    return made;
}

// One of several kinds of signal that are hard on limiters, below 0.45 x the rate, up to 12 dB over full scale.
AudioBuffer hard_signal(std::uint64_t seed) {
    test::Random random(seed);
    const double level_db = 12.0 * random.uniform();
    const double phase = 360.0 * random.uniform();
    constexpr double kSeconds = 0.15;
    switch (seed % 7) {
        case 0:
            return test::sine(20.0 + 21'500.0 * random.uniform(), level_db, kSeconds, {}, phase);
        case 1:
            return test::sine(12'000.0, level_db, kSeconds, {}, 45.0);  // between the samples by 3 dB
        case 2: {
            AudioBuffer mix = test::sine(200.0 + 800.0 * random.uniform(), level_db, kSeconds);
            test::add(mix.block(), test::sine(5'000.0 + 16'000.0 * random.uniform(), level_db - 3.0, kSeconds).block());
            return mix;
        }
        case 3: {
            AudioBuffer mix = test::pink_noise(seed, level_db - 12.0, kSeconds);
            test::add(mix.block(), test::sine(50.0 + 100.0 * random.uniform(), level_db - 6.0, kSeconds).block());
            return mix;
        }
        case 4:
            return square(100.0 + 900.0 * random.uniform(), level_db, kSeconds);
        case 5:
            return bursts(1'000.0 + 19'000.0 * random.uniform(), level_db, kSeconds, phase);
        default:
            return test::chirp(50.0, 21'000.0, level_db, kSeconds);
    }
}

TEST(TruePeakLimiter, TruePeakOfHardSignalsStaysBelowTheCeiling) {
    double worst_dbtp = -200.0;
    for (std::uint64_t seed = 1; seed <= 210; ++seed) {
        AudioBuffer audio = faded(hard_signal(seed));
        limit(audio.block());
        const double peak_dbtp = test::true_peak_dbtp(audio.block());
        worst_dbtp = std::max(worst_dbtp, peak_dbtp);
        EXPECT_LE(peak_dbtp, kCeilingDbtp + 0.1) << "seed " << seed;
    }
    std::printf("worst true peak of 210 hard signals: %.2f dBTP\n", worst_dbtp);
    EXPECT_GT(worst_dbtp, kCeilingDbtp - kLimiterMarginDb - 0.1) << "the signals were not hard enough";
}

// Without a release nothing but the window holds a reduction until the smoothing has reached it.
TEST(TruePeakLimiter, WindowAloneHoldsTheReduction) {
    LimiterSettings instant = settings();
    instant.fast_release = 0.0;
    instant.slow_release = 0.0;
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
        test::AsStereo(limiter).process(out.block());
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
    test::AsStereo(limiter).process(audio.block());
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

// Beyond the band of the promise: noise that fills it to the last hertz and has been clipped before.
TEST(TruePeakLimiter, ClippedFullBandNoiseStaysWithinHalfADecibel) {
    double worst_dbtp = -200.0;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        AudioBuffer audio = test::white_noise(seed, 0.0, 0.5);
        for (std::size_t c = 0; c < 2; ++c) {
            for (float& sample : audio.block().channel(c)) sample = std::clamp(sample, -1.0f, 1.0f);
        }
        audio = faded(std::move(audio));
        limit(audio.block());
        worst_dbtp = std::max(worst_dbtp, test::true_peak_dbtp(audio.block()));
    }
    std::printf("clipped full-band noise: %.2f dBTP\n", worst_dbtp);
    EXPECT_LE(worst_dbtp, kCeilingDbtp + 0.5);
}

TEST(TruePeakLimiter, SteadyTonesAreTurnedDownNotDistorted) {
    struct Case {
        double hz, bound_db;
    };
    for (const Case& c : {Case{40.0, -45.0}, Case{60.0, -60.0}, Case{100.0, -120.0}, Case{1000.0, -120.0}}) {
        AudioBuffer audio = test::sine(c.hz, 6.0 + kCeilingDbtp - kLimiterMarginDb, 3.0);
        limit(audio.block());
        const auto settled = std::span<const float>(audio.block().channel(0)).subspan(48'000, 96'000);
        const double thd_n_db = test::thd_n_db(settled, c.hz, 48'000);
        std::printf("%4.0f Hz, 6 dB of limiting: THD+N %.1f dB\n", c.hz, thd_n_db);
        EXPECT_LT(thd_n_db, c.bound_db) << c.hz << " Hz";
        EXPECT_NEAR(test::component_dbfs(settled, c.hz, 48'000), kCeilingDbtp - kLimiterMarginDb, 0.2) << c.hz;
    }
}

// A drum every 500 ms that alone needs about 6 dB, over a tone that needs nothing. The gain is read from the tone.
TEST(TruePeakLimiter, GainIsBackSoonAfterADrum) {
    constexpr double kToneHz = 3'000.0;
    AudioBuffer audio = test::sine(kToneHz, -12.0, 4.0);
    for (std::size_t hit = 0; hit < 8; ++hit) {
        for (std::size_t i = 0; i < 24'000; ++i) {
            const double t = static_cast<double>(i) / 48'000.0;
            const double phase = 2.0 * std::numbers::pi * (55.0 * t + 1.8 * (1.0 - std::exp(-50.0 * t)));
            const auto drum = static_cast<float>(db_to_gain(4.5) * std::exp(-t / 0.04) * std::sin(phase));
            for (std::size_t c = 0; c < 2; ++c) audio.block().channels[c][hit * 24'000 + i] += drum;
        }
    }
    TruePeakLimiter limiter(settings());
    test::AsStereo(limiter).process(audio.block());
    const auto gain_db = [&](std::size_t hit, double after_ms) {
        const auto at = hit * 24'000 + static_cast<std::size_t>(48.0 * after_ms) + limiter.latency_frames();
        const auto part = std::span<const float>(audio.block().channel(0)).subspan(at, 240);
        return test::component_dbfs(part, kToneHz, 48'000) + 12.0;
    };
    for (std::size_t hit = 1; hit < 8; ++hit) {
        EXPECT_LT(gain_db(hit, 3.0), -5.0) << hit;
        EXPECT_GT(gain_db(hit, 120.0), -1.0) << hit;
        EXPECT_GT(gain_db(hit, 450.0), -0.2) << hit;
    }
}

AudioBuffer plain_noise(std::size_t frames, std::uint64_t seed) {
    test::Random random(seed);
    AudioBuffer made(2, frames);
    for (std::size_t i = 0; i < frames; ++i) {
        const double level = (i / 3'000) % 3 == 0 ? 1.5 : (i / 3'000) % 3 == 1 ? 0.5 : 0.2;
        for (std::size_t c = 0; c < 2; ++c) {
            made.block().channels[c][i] = static_cast<float>(level * (2.0 * random.uniform() - 1.0));
        }
    }
    return made;
}

// The checksum is from the scalar kernels when they were written.
TEST(TruePeakLimiter, IsTheSameBitsOnEveryInstructionSetAndForEveryCut) {
    const AudioBuffer source = plain_noise(30'000 / 16 * 16, 8);
    // Numbers as such: those of a recipe come from libm.
    const LimiterSettings with{0.85, 220, 0.993, 0.998, 0.002};
    test::on_every_simd([&](const std::string&) {
        for (const std::size_t cut : {16u, 48u, 256u}) {
            TruePeakLimiter limiter(with);
            test::AsStereo stage(limiter);
            AudioBuffer out = test::copy(source.block());
            for (std::size_t done = 0; done < out.frame_count(); done += cut) {
                stage.process(out.block().slice(done, std::min(cut, out.frame_count() - done)));
            }
            EXPECT_EQ(test::checksum(out.block()), 0xAC1D'AA69'557C'4D20u) << cut;
            EXPECT_GT(limiter.skipped_groups(), limiter.groups() / 5);
            EXPECT_LT(limiter.skipped_groups(), limiter.groups() / 2);
        }
    });
}

// A burst in silence is limited alike wherever in a block it stands, the end of the block included.
TEST(TruePeakLimiter, ABurstIsLimitedAlikeInEveryGroupOfABlock) {
    constexpr std::size_t kBlocks = 8;
    std::uint64_t first = 0;
    for (std::size_t at = 0; at < kWorkFrames; at += kGroupFrames) {
        AudioBuffer audio(2, kBlocks * kWorkFrames);
        for (std::size_t c = 0; c < 2; ++c) {
            for (std::size_t i = 0; i < kGroupFrames; ++i) audio.block().channels[c][at + i] = i % 4 < 2 ? 1.5f : -1.5f;
        }
        limit(audio.block());
        const std::uint64_t sum = test::checksum(audio.block().slice(at, (kBlocks - 1) * kWorkFrames));
        if (at == 0) first = sum;
        EXPECT_EQ(sum, first) << "at frame " << at;
    }
}

TEST(TruePeakLimiter, FiveSecondsForgetThePast) {
    const AudioBuffer loud = test::white_noise(9, 6.0, 3.0);
    const AudioBuffer silence = test::silence(3.0);
    const AudioBuffer quiet = test::pink_noise(10, -30.0, 6.0);
    const AudioBuffer busy = test::pink_noise(11, -8.0, 6.0);
    for (const AudioBuffer* then : {&quiet, &busy}) {
        AudioBuffer after_loud = test::concatenate({loud.block(), then->block()});
        AudioBuffer after_silence = test::concatenate({silence.block(), then->block()});
        limit(after_loud.block());
        limit(after_silence.block());
        const std::size_t from = test::frames_of(8.0);
        const std::size_t frames = test::frames_of(1.0);
        EXPECT_LE(
            test::residual(after_loud.block().slice(from, frames), after_silence.block().slice(from, frames), 48'000)
                .peak_dbfs,
            -150.0);
    }
}

TEST(TruePeakLimiter, AllocatesNothing) {
    TruePeakLimiter limiter(settings());
    AudioBuffer line(1, 2 * kWorkFrames);
    float* const samples = line.block().channels[0];
    const test::AllocationGuard guard;
    for (int blocks = 0; blocks < 40; ++blocks) {
        for (std::size_t i = 0; i < 2 * kWorkFrames; ++i) samples[i] = i % 9 == 0 ? 2.0f : -1.0f;
        limiter.process({samples, kWorkFrames});
    }
    EXPECT_EQ(guard.count(), 0u);
}

TEST(TruePeakLimiter, ResetEqualsNew) {
    TruePeakLimiter limiter(settings());
    AudioBuffer loud = test::white_noise(5, 6.0, 0.3);
    test::AsStereo(limiter).process(loud.block());
    limiter.reset();
    AudioBuffer again = test::pink_noise(6, -6.0, 1.0);
    AudioBuffer fresh = test::copy(again.block());
    test::AsStereo(limiter).process(again.block());
    limit(fresh.block());
    EXPECT_TRUE(test::same_bits(again.block(), fresh.block()));
}

TEST(TruePeakLimiter, RefusesSettingsOutOfRange) {
    EXPECT_THROW(TruePeakLimiter({1.5, 100, 0.9, 0.9, 0.1}), std::invalid_argument);
    EXPECT_THROW(TruePeakLimiter({0.9, 0, 0.9, 0.9, 0.1}), std::invalid_argument);
    EXPECT_THROW(TruePeakLimiter({0.9, 100, 1.0, 0.9, 0.1}), std::invalid_argument);
    EXPECT_THROW(TruePeakLimiter({0.9, 100, 0.9, 1.0, 0.1}), std::invalid_argument);
    EXPECT_THROW(TruePeakLimiter({0.9, 100, 0.9, 0.9, 0.0}), std::invalid_argument);
}

}  // namespace
}  // namespace lacquer::dsp
