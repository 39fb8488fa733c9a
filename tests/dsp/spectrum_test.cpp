#include "dsp/spectrum.h"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "dsp/units.h"
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
