#include "dsp/resampler.h"

#include <cmath>
#include <numbers>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/allocation_guard.h"
#include "tests/support/measures.h"
#include "tests/support/signals.h"

namespace lacquer::dsp {
namespace {

using Quality = Resampler::Quality;
using Rates = Resampler::Rates;
using Samples = std::vector<float>;

constexpr Quality kQualities[] = {Quality::best, Quality::medium, Quality::fastest};
constexpr Rates kUp{44'100, 48'000};

Samples random_samples(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    Samples samples(count);
    for (float& sample : samples) sample = static_cast<float>(random()) / 4.3e9f - 0.5f;
    return samples;
}

Samples sine(double hz, Rates rates, std::size_t frames) {
    Samples samples(frames);
    for (std::size_t i = 0; i < frames; ++i) {
        const double turns = hz * static_cast<double>(i) / rates.in_hz;
        samples[i] = static_cast<float>(0.5 * std::sin(2.0 * std::numbers::pi * turns));
    }
    return samples;
}

struct Cuts {
    std::size_t in = 1024;
    std::size_t out = 1 << 20;
};

Samples resampled(Resampler& resampler, std::span<const float> in, std::size_t channels, Cuts cuts = {}) {
    Samples out;
    Samples room(cuts.out * channels);
    const auto keep = [&](std::size_t frames) {
        out.insert(out.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(frames * channels));
    };
    while (!in.empty()) {
        const auto step = resampler.process(in.first(std::min(in.size(), cuts.in * channels)), room);
        keep(step.produced);
        in = in.subspan(step.consumed * channels);
    }
    while (const std::size_t frames = resampler.finish(room)) keep(frames);
    return out;
}

Samples resampled(Quality quality, Rates rates, std::span<const float> in, std::size_t channels = 1) {
    Resampler resampler(quality, rates, channels);
    return resampled(resampler, in, channels);
}

double noise_db(Quality quality, Rates rates, double hz) {
    const Samples out = resampled(quality, rates, sine(hz, rates, 2 * rates.in_hz));
    return test::thd_n_db(std::span(out).subspan(rates.out_hz / 2, rates.out_hz), hz, rates.out_hz);
}

TEST(Resampler, AddsAsLittleToASineAsItsHeaderSays) {
    EXPECT_LE(noise_db(Quality::best, kUp, 1'000.0), -148.0);
    EXPECT_LE(noise_db(Quality::best, kUp, 15'000.0), -141.0);
    EXPECT_LE(noise_db(Quality::medium, kUp, 1'000.0), -141.0);
    EXPECT_LE(noise_db(Quality::medium, kUp, 15'000.0), -121.0);
    EXPECT_LE(noise_db(Quality::fastest, kUp, 1'000.0), -118.0);
    EXPECT_LE(noise_db(Quality::fastest, kUp, 15'000.0), -97.0);
    for (const Rates rates : {Rates{48'000, 44'100}, Rates{96'000, 44'100}}) {
        EXPECT_LE(noise_db(Quality::best, rates, 1'000.0), -140.0) << rates.in_hz;
        EXPECT_LE(noise_db(Quality::best, rates, 15'000.0), -140.0) << rates.in_hz;
    }
}

// What the sampling theorem says the value between the samples is: a sinc of 2 x 512 crossings in a Kaiser window.
double interpolated(std::span<const float> samples, double time) {
    constexpr double kReach = 512.0;
    constexpr double kBeta = 16.0;
    double sum = 0.0;
    for (auto i = static_cast<std::int64_t>(time - kReach) + 1; i < static_cast<std::int64_t>(time + kReach); ++i) {
        if (i < 0 || i >= static_cast<std::int64_t>(samples.size())) continue;
        const double x = time - static_cast<double>(i);
        const double place = std::min(1.0, std::abs(x) / kReach);
        const double window =
            std::cyl_bessel_i(0.0, kBeta * std::sqrt(1.0 - place * place)) / std::cyl_bessel_i(0.0, kBeta);
        const double angle = std::numbers::pi * x;
        sum += samples[static_cast<std::size_t>(i)] * window * (x == 0.0 ? 1.0 : std::sin(angle) / angle);
    }
    return sum;
}

TEST(Resampler, AgreesWithTheSamplingTheoremFrameByFrame) {
    Samples in(2 * kUp.in_hz);
    for (const double hz : {57.0, 440.0, 3'000.0, 9'000.0, 15'000.0, 19'000.0}) {
        const Samples part = sine(hz, kUp, in.size());
        for (std::size_t i = 0; i < in.size(); ++i) in[i] += 0.3f * part[i];
    }
    const Samples out = resampled(Quality::best, kUp, in);
    double error = 0.0;
    double power = 0.0;
    for (std::size_t k = 30'000; k < 33'000; ++k) {
        const double exact = interpolated(in, static_cast<double>(k) * kUp.in_hz / kUp.out_hz);
        error += (out[k] - exact) * (out[k] - exact);
        power += exact * exact;
    }
    EXPECT_LE(10.0 * std::log10(error / power), -130.0);
}

TEST(Resampler, MakesEveryFrameThatLiesBeforeTheEndOfTheInput) {
    for (const Rates rates : {kUp, Rates{48'000, 44'100}, Rates{96'000, 44'100}, Rates{8'001, 48'000}}) {
        for (const std::size_t frames : {std::size_t{0}, std::size_t{1}, std::size_t{147}, std::size_t{9'999}}) {
            const auto exact =
                static_cast<std::size_t>((frames * std::uint64_t{rates.out_hz} + rates.in_hz - 1) / rates.in_hz);
            EXPECT_EQ(resampled(Quality::medium, rates, Samples(frames)).size(), exact) << rates.in_hz << " " << frames;
        }
    }
}

TEST(Resampler, OutputDoesNotDependOnTheCuts) {
    const Samples in = random_samples(2 * 20'000, 1);
    for (const Quality quality : kQualities) {
        const Samples whole = resampled(quality, kUp, in, 2);
        for (const Cuts cuts : {Cuts{1, 7}, Cuts{997, 100}, Cuts{40'000, 13}}) {
            Resampler resampler(quality, kUp, 2);
            EXPECT_EQ(resampled(resampler, in, 2, cuts), whole) << cuts.in;
        }
    }
}

TEST(Resampler, AnAlignedRestartContinuesBitForBit) {
    for (const Rates rates : {kUp, Rates{48'000, 44'100}, Rates{96'000, 44'100}, Rates{22'050, 48'000}}) {
        const Samples in = random_samples(std::size_t{6} * rates.in_hz, 2);
        for (const Quality quality : kQualities) {
            const Samples straight = resampled(quality, rates, in);
            const std::size_t from = std::size_t{4} * rates.out_hz + 37;
            const auto start = Resampler::start_at(static_cast<std::int64_t>(from), quality, rates);
            ASSERT_GT(start.in_frame, std::int64_t{3} * rates.in_hz);
            const Samples late =
                resampled(quality, rates, std::span(in).subspan(static_cast<std::size_t>(start.in_frame)));
            ASSERT_EQ(late.size() - start.skip_out, straight.size() - from);
            EXPECT_TRUE(std::equal(late.begin() + static_cast<std::ptrdiff_t>(start.skip_out), late.end(),
                                   straight.begin() + static_cast<std::ptrdiff_t>(from)))
                << rates.in_hz << " to " << rates.out_hz;
        }
    }
}

TEST(Resampler, ARestartNearTheBeginningIsTheBeginning) {
    const auto start = Resampler::start_at(100, Quality::best, kUp);
    EXPECT_EQ(start.in_frame, 0);
    EXPECT_EQ(start.skip_out, 100u);
}

TEST(Resampler, LooksNoFurtherAheadThanItSays) {
    for (const Rates rates : {kUp, Rates{96'000, 44'100}, Rates{8'001, 48'000}}) {
        for (const Quality quality : kQualities) {
            Resampler resampler(quality, rates, 1);
            Samples room(48'000);
            const std::size_t given = 4'000;
            const std::size_t made = resampler.process(Samples(given), room).produced;
            const auto known = given - Resampler::look_ahead_frames(quality, rates);
            EXPECT_GE(made, known * rates.out_hz / rates.in_hz) << rates.in_hz;
            EXPECT_LE(made, given * rates.out_hz / rates.in_hz);
        }
    }
}

TEST(Resampler, ResetEqualsNew) {
    const Samples in = random_samples(5'000, 3);
    Resampler resampler(Quality::medium, kUp, 1);
    const Samples first = resampled(resampler, in, 1);
    resampler.reset();
    EXPECT_EQ(resampled(resampler, in, 1), first);
}

TEST(Resampler, ProcessAllocatesNothing) {
    const Samples in = random_samples(2 * 4'096, 4);
    Samples out(2 * 8'192);
    for (const Quality quality : kQualities) {
        Resampler resampler(quality, kUp, 2);
        const test::AllocationGuard guard;
        resampler.process(in, out);
        resampler.finish(out);
        resampler.reset();
        EXPECT_EQ(guard.count(), 0u);
    }
}

TEST(Resampler, RefusesWhatItCannotDo) {
    EXPECT_THROW(Resampler(Quality::best, {7'999, 48'000}, 2), std::invalid_argument);
    EXPECT_THROW(Resampler(Quality::best, {44'100, 400'000}, 2), std::invalid_argument);
    EXPECT_THROW(Resampler(Quality::best, kUp, 3), std::invalid_argument);
}

}  // namespace
}  // namespace lacquer::dsp
