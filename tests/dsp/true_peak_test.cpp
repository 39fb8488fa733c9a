#include "dsp/true_peak.h"

#include <cmath>
#include <numbers>
#include <set>

#include <gtest/gtest.h>

#include "dsp/units.h"
#include "tests/support/allocation_guard.h"
#include "tests/support/every_simd.h"
#include "tests/support/measures.h"
#include "tests/support/signals.h"

namespace lacquer::dsp {
namespace {

double measured_dbtp(ConstAudioBlock block) {
    TruePeakMeter meter;
    meter.process(block);
    return gain_to_db(meter.true_peak());
}

// EBU's files fade their tones in and out, so that the edges do not ring.
AudioBuffer faded_tone(double cycles_per_frame, double amplitude, double phase_degrees) {
    AudioBuffer audio = test::sine(cycles_per_frame * 48'000.0, gain_to_db(amplitude), 1.0, {}, phase_degrees);
    for (std::size_t c = 0; c < 2; ++c) {
        auto samples = audio.block().channel(c);
        for (std::size_t i = 0; i < 4800; ++i) {
            const auto gain =
                static_cast<float>(0.5 - 0.5 * std::cos(std::numbers::pi * static_cast<double>(i) / 4800.0));
            samples[i] *= gain;
            samples[samples.size() - 1 - i] *= gain;
        }
    }
    return audio;
}

struct ToneCase {
    int number;
    double cycles_per_frame, amplitude, phase_degrees;
    double standard;  // +0.2 / -0.4 dB
    double recorded;  // +/- 0.0005; ours as of the two half-band steps
};

TEST(TruePeak, Tech3341Cases15To19) {
    const ToneCase cases[] = {
        {15, 1.0 / 4.0, 0.50, 0.0, -6.0, -6.0206},  {16, 1.0 / 4.0, 0.50, 45.0, -6.0, -5.9527},
        {17, 1.0 / 6.0, 0.50, 60.0, -6.0, -5.9715}, {18, 1.0 / 8.0, 0.50, 67.5, -6.0, -5.9950},
        {19, 1.0 / 4.0, 1.41, 45.0, 3.0, 3.0522},
    };
    for (const ToneCase& c : cases) {
        const double value = measured_dbtp(faded_tone(c.cycles_per_frame, c.amplitude, c.phase_degrees).block());
        EXPECT_LE(value, c.standard + 0.2) << c.number;
        EXPECT_GE(value, c.standard - 0.4) << c.number;
        EXPECT_NEAR(value, c.recorded, 0.0005) << c.number;
    }
}

// Cases 20 to 23: at four times the rate, a sine of a sixth of the final rate and half scale with one period of a
// quarter of it and full scale; filtered, and every fourth sample kept, from offsets 0 to 3.
AudioBuffer decimated_burst(std::size_t offset) {
    constexpr std::size_t kFrames = 4 * 4800;
    std::vector<double> high(kFrames);
    const auto tone = [](std::size_t i, double period) {
        return std::sin(2.0 * std::numbers::pi * static_cast<double>(i) / period);
    };
    constexpr std::size_t kMiddle = kFrames / 2 / 24 * 24;
    for (std::size_t i = 0; i < kFrames; ++i) {
        const double fade = std::sin(std::numbers::pi * static_cast<double>(i) / kFrames);
        high[i] = 0.5 * fade * tone(i, 24.0);
    }
    for (std::size_t i = 0; i < 16; ++i) high[kMiddle + i] = tone(i, 16.0);
    AudioBuffer audio(2, kFrames / 4);
    for (std::size_t n = 64; n + 64 < audio.frame_count(); ++n) {
        double sum = 0.0;
        for (int k = -240; k <= 240; ++k) {
            const double x = k / 4.0;
            const double window = 0.5 + 0.5 * std::cos(std::numbers::pi * k / 241.0);
            const double sinc = k == 0 ? 1.0 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
            sum += high[4 * n + offset + 240 - static_cast<std::size_t>(k + 240)] * sinc * window / 4.0;
        }
        for (std::size_t c = 0; c < 2; ++c) audio.block().channels[c][n] = static_cast<float>(sum);
    }
    return audio;
}

TEST(TruePeak, Tech3341Cases20To23) {
    for (std::size_t offset = 0; offset < 4; ++offset) {
        const AudioBuffer audio = decimated_burst(offset);
        const double value = measured_dbtp(audio.block());
        EXPECT_LE(value, 0.2) << offset;
        EXPECT_GE(value, -0.4) << offset;
        EXPECT_NEAR(value, test::true_peak_dbtp(audio.block()), 0.15) << offset;
    }
}

TEST(TruePeak, NeverReadsAboveAndHardlyBelowTheOracleOnPinkNoise) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const AudioBuffer audio = test::pink_noise(seed, -18.0, 2.0);
        EXPECT_NEAR(measured_dbtp(audio.block()), test::true_peak_dbtp(audio.block()), 0.1) << "seed " << seed;
    }
}

TEST(TruePeak, ReadsSinesUpToTwentyKilohertz) {
    // Worst phase on a grid of 4x: half a step beside the crest; 0.5 dB at 20 kHz.
    for (double hz : {20.0, 997.0, 5000.0, 10'000.0, 15'000.0, 18'000.0, 20'000.0}) {
        const double grid_db = 20.0 * std::log10(std::cos(std::numbers::pi * hz / (4.0 * 48'000.0)));
        const double value = measured_dbtp(faded_tone(hz / 48'000.0, 0.5, 33.0).block());
        EXPECT_LE(value, -6.0206 + 0.1) << hz;
        EXPECT_GE(value, -6.0206 + grid_db - 0.05) << hz;
    }
}

TEST(TruePeak, IsAtLeastTheSamplePeak) {
    const AudioBuffer audio = test::impulse(100, -3.0, 0.01);
    EXPECT_NEAR(measured_dbtp(audio.block()), -3.0, 1e-4);
}

TEST(TruePeak, DoesNotDependOnHowTheStreamIsCut) {
    const AudioBuffer audio = test::pink_noise(11, -18.0, 1.0);
    TruePeakMeter cut;
    std::size_t first = 0;
    for (std::size_t size : test::uneven_cuts(audio.frame_count(), 500, 2)) {
        cut.process(audio.block().slice(first, size));
        first += size;
    }
    EXPECT_EQ(gain_to_db(cut.true_peak()), measured_dbtp(audio.block()));
}

TEST(TruePeak, FindsWhatLiesAtTheEnd) {
    // The highest point falls between the last two samples, where the meter has not yet looked.
    const AudioBuffer audio = test::sine(12'000.0, -6.0, 0.25, {48'000, 1}, 45.0);
    const auto block = audio.block().slice(0, 8);
    TruePeakMeter meter;
    meter.process(block);
    EXPECT_NEAR(meter.true_peak(), meter.sample_peak(), 1e-6);
    EXPECT_NEAR(gain_to_db(true_peak_after(meter.history())), test::true_peak_dbtp(block), 0.1);
}

TEST(TruePeak, IsTheSameOnEveryInstructionSet) {
    const AudioBuffer audio = test::white_noise(12, -12.0, 0.2);
    std::set<double> peaks;
    test::on_every_simd([&](const std::string&) { peaks.insert(measured_dbtp(audio.block().slice(3, 9'001))); });
    EXPECT_EQ(peaks.size(), 1u);
}

// What is skipped because a higher peak was found before does not change what is found.
TEST(TruePeak, LevelsFoundBeforeHideNothing) {
    AudioBuffer audio = test::white_noise(13, -12.0, 1.0);
    for (float& sample : audio.block().channel(0)) sample *= 0.5f;
    TruePeakMeter whole;
    whole.process(audio.block());
    double highest = 0.0;
    TruePeakMeter forgetful;
    for (std::size_t first = 0; first < audio.frame_count(); first += 160) {
        forgetful.forget_peaks();
        forgetful.process(audio.block().slice(first, 160));
        highest = std::max(highest, forgetful.true_peak());
    }
    EXPECT_EQ(whole.true_peak(), highest);
}

TEST(TruePeak, ProcessAllocatesNothing) {
    const AudioBuffer audio = test::pink_noise(1, -18.0, 0.1);
    TruePeakMeter meter;
    meter.process(audio.block().slice(0, 100));
    test::AllocationGuard guard;
    meter.process(audio.block());
    EXPECT_EQ(guard.count(), 0u);
}

}  // namespace
}  // namespace lacquer::dsp
