#include "dsp/spectrum.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/spectrum_kernels.h"
#include "dsp/units.h"
#include "tests/dsp/real_music.h"
#include "tests/support/every_simd.h"
#include "tests/support/measures.h"
#include "tests/support/signals.h"

namespace lacquer::dsp {
namespace {

SpectrumSum measured(ConstAudioBlock block, std::uint32_t sample_rate_hz = 48'000) {
    SpectrumMeter meter(sample_rate_hz, block.channel_count);
    meter.measure(block);
    return meter.take();
}

double octave_db(const SpectrumSum& sum, std::size_t band) {
    return power_to_db(sum.octaves[band] / sum.weight);
}

TEST(Spectrum, SineOfABandsCentreIsInThatBandAtItsLevel) {
    for (std::uint32_t rate : {8000u, 44'100u, 192'000u}) {
        for (std::size_t band = 0; band < kOctaveBands; ++band) {
            const double hz = 31.25 * std::exp2(static_cast<double>(band));
            if (hz > 0.45 * rate) continue;
            const SpectrumSum sum = measured(test::sine(hz, -20.0, 3.0, {rate, 2}).block(), rate);
            EXPECT_NEAR(octave_db(sum, band), -23.01, 0.02) << hz << " Hz at " << rate;
            for (std::size_t other = 0; other < kOctaveBands; ++other)
                EXPECT_TRUE(other == band || octave_db(sum, other) < (band < 3 ? -43.0 : -60.0))
                    << hz << " Hz in " << other;
        }
    }
}

TEST(Spectrum, BandsOfNoiseAddUpToItsPower) {
    const AudioBuffer audio = test::white_noise(3, -20.0, 10.0);
    const SpectrumSum sum = measured(audio.block());
    const double octaves = std::accumulate(sum.octaves.begin(), sum.octaves.end(), 0.0) / sum.weight;
    // From 22.1 Hz to 22.63 of 24 kHz.
    EXPECT_NEAR(power_to_db(octaves), -20.0 + 10.0 * std::log10(22'605.0 / 24'000.0), 0.05);
    EXPECT_NEAR(octave_db(sum, 5) - octave_db(sum, 4), 3.01, 0.3);
}

TEST(Spectrum, ThirdOctavesAddUpToOctaves) {
    const SpectrumSum sum = measured(test::pink_noise(3, -20.0, 10.0).block());
    // 25, 31.5, 40 Hz make the octave at 31.25 Hz to within the difference of their borders.
    for (std::size_t band = 0; band + 1 < kOctaveBands; ++band) {
        const double thirds =
            sum.third_octaves[3 * band] + sum.third_octaves[3 * band + 1] + sum.third_octaves[3 * band + 2];
        EXPECT_NEAR(power_to_db(thirds / sum.weight), octave_db(sum, band), 0.3) << band;
    }
}

TEST(Spectrum, MonoReadsLikeStereoWithTheSameInBoth) {
    const SpectrumSum mono = measured(test::sine(1000.0, -20.0, 2.0, {48'000, 1}).block());
    const SpectrumSum stereo = measured(test::sine(1000.0, -20.0, 2.0).block());
    EXPECT_NEAR(octave_db(mono, 5), octave_db(stereo, 5), 1e-9);
}

TEST(Spectrum, ShortAudioIsCountedByWhatItCovers) {
    for (double seconds : {0.05, 0.2, 0.5}) {
        const SpectrumSum sum = measured(test::sine(1000.0, -20.0, seconds).block());
        EXPECT_NEAR(octave_db(sum, 5), -23.01, 0.3) << seconds;
    }
}

TEST(Spectrum, NothingAboveNyquistAndNothingInSilence) {
    const SpectrumSum low = measured(test::white_noise(1, -20.0, 2.0, {8000, 1}).block(), 8000);
    EXPECT_EQ(octave_db(low, 8), kSilenceDb);
    EXPECT_EQ(octave_db(low, 9), kSilenceDb);
    EXPECT_GT(octave_db(low, 7), -40.0);
    const SpectrumSum silent = measured(test::silence(2.0).block());
    EXPECT_EQ(octave_db(silent, 5), kSilenceDb);
    EXPECT_EQ(measured(test::silence(0.0).block()).weight, 0.0);
}

// Sine-squared windows of `size`, every half of it, in double: the power of each octave band, by bins between its
// borders.
void transform(std::vector<std::complex<double>>& x) {  // radix 2, recursive
    if (x.size() == 1) return;
    std::vector<std::complex<double>> even, odd;
    for (std::size_t i = 0; i < x.size(); i += 2) even.push_back(x[i]), odd.push_back(x[i + 1]);
    transform(even);
    transform(odd);
    for (std::size_t k = 0; k < even.size(); ++k) {
        const auto turned =
            odd[k] * std::polar(1.0, -2.0 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(x.size()));
        x[k] = even[k] + turned;
        x[k + even.size()] = even[k] - turned;
    }
}

std::array<double, kOctaveBands> naive_octaves(ConstAudioBlock audio, double rate, std::size_t size) {
    std::array<double, kOctaveBands> octaves{};
    double weight = 0.0;
    for (std::size_t first = 0; first + size <= audio.frame_count; first += size / 2) {
        std::vector<std::complex<double>> x(size);
        for (std::size_t i = 0; i < size; ++i) {
            const double s = std::sin(std::numbers::pi * (static_cast<double>(i) + 0.5) / static_cast<double>(size));
            x[i] = std::complex<double>(audio.channels[0][first + i], audio.channels[1][first + i]) * s * s;
            weight += s * s * s * s;
        }
        transform(x);
        for (std::size_t k = 1; k < size; ++k) {
            const double hz = static_cast<double>(std::min(k, size - k)) * rate / static_cast<double>(size);
            const double band = std::floor(std::log2(hz / 31.25) + 0.5);
            if (band >= 0.0 && band < kOctaveBands)
                octaves[static_cast<std::size_t>(band)] += std::norm(x[k]) / static_cast<double>(2 * size);
        }
    }
    for (double& power : octaves) power /= weight;
    return octaves;
}

TEST(Spectrum, OctavesOfNoiseAndOfRealMusicAreThoseOfOneLongTransform) {
    const auto expect_close = [](ConstAudioBlock audio, double tolerance_db, const std::string& name) {
        const auto naive = naive_octaves(audio, 48'000, 16'384);
        const SpectrumSum ours = measured(audio);
        for (std::size_t band = 0; band < kOctaveBands; ++band)
            EXPECT_NEAR(octave_db(ours, band), power_to_db(naive[band]), tolerance_db) << name << ", band " << band;
    };
    expect_close(test::pink_noise(4, -20.0, 20.0).block(), 0.25, "noise");
    // Real, freely licensed music from Debian's singularity-music. A tone at a band's border may fall to either side:
    // windows are short where frequencies are high.
    for (const char* name : {"Awakening", "Nebula", "Orbital Elevator"}) {
        const test::MusicPassage music = test::singularity_music(name, 60.0, 20.0);
        ASSERT_EQ(music.sample_rate_hz, 48'000u) << "script/setup installs singularity-music";
        expect_close(music.audio.block(), 1.0, name);
    }
}

TEST(Spectrum, EveryInstructionSetGivesTheSameBits) {
    const AudioBuffer audio = test::pink_noise(9, -20.0, 3.3, {44'100, 2});
    const SpectrumSum fastest = measured(audio.block(), 44'100);
    test::on_every_simd([&](const std::string&) {
        EXPECT_EQ(measured(audio.block(), 44'100).octaves, fastest.octaves);
        EXPECT_EQ(measured(audio.block(), 44'100).third_octaves, fastest.third_octaves);
    });
}

TEST(SpectrumKernels, PowersAreThoseOfATransformInDouble) {
    const AudioBuffer noise = test::white_noise(2, -10.0, 0.1, {48'000, 2});
    test::on_every_simd([&](const std::string&) {
        AudioBuffer work(2, kFourierSize * kLanes), power(1, kFourierSize * kLanes);
        for (std::size_t i = 0; i < kFourierSize * kLanes; ++i)
            for (std::size_t c = 0; c < 2; ++c) work.block().channels[c][i] = noise.block().channels[c][i];
        add_power_spectrum(work.block().channels[0], work.block().channels[1], power.block().channels[0]);
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            std::vector<std::complex<double>> x(kFourierSize);
            for (std::size_t i = 0; i < kFourierSize; ++i)
                x[i] = {noise.block().channels[0][i * kLanes + lane], noise.block().channels[1][i * kLanes + lane]};
            transform(x);
            for (std::size_t k = 0; k < kFourierSize; ++k)
                EXPECT_NEAR(power.block().channels[0][fourier_position(k) * kLanes + lane], std::norm(x[k]), 1e-4)
                    << lane << " " << k;
        }
    });
}

TEST(SpectrumKernels, DecimatorIsItsPolynomial) {
    const AudioBuffer noise = test::white_noise(2, -10.0, 0.2, {48'000, 1});
    const std::size_t past = 28, outputs = 700;
    std::vector<double> naive(noise.block().channels[0], noise.block().channels[0] + noise.frame_count());
    for (const std::size_t delay : {1u, 1u, 1u, 2u, 2u, 2u, 2u, 2u})
        for (std::size_t i = naive.size(); i-- > delay;) naive[i] = (naive[i] + naive[i - delay]) / 2.0;
    test::on_every_simd([&](const std::string&) {
        AudioBuffer out(1, outputs + kLanes);
        decimate(noise.block().channels[0] + past, outputs, out.block().channels[0]);
        for (std::size_t i = 0; i < outputs; ++i)
            EXPECT_NEAR(out.block().channels[0][i], naive[past + 4 * i + 3], 1e-6) << i;
    });
}

TEST(SpectrumKernels, WhatFoldsIntoTheBandOfTheNextRateIs45DbDown) {
    EXPECT_EQ(decimator_power(0.0), 1.0);
    const double edge = 14.0 / 256.0;  // the highest frequency that a slower rate is asked about
    for (int step = 0; step <= 100; ++step) {
        const double inside = edge * step / 100.0;
        for (const double folded : {0.25 - inside, 0.25 + inside, 0.5 - inside})
            EXPECT_LT(power_to_db(decimator_power(folded)) - power_to_db(decimator_power(inside)), -45.0) << folded;
    }
}

TEST(Spectrum, DoesNotDependOnHowTheStreamIsCut) {
    const AudioBuffer audio = test::pink_noise(9, -20.0, 2.0);
    SpectrumMeter cut(48'000, 2);
    std::size_t first = 0;
    for (std::size_t size : test::uneven_cuts(audio.frame_count(), 9000, 4)) {
        cut.measure(audio.block().slice(first, size));
        first += size;
    }
    EXPECT_EQ(cut.take().third_octaves, measured(audio.block()).third_octaves);
}

}  // namespace
}  // namespace lacquer::dsp
