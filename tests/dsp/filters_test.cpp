// The stages that filter: equaliser and its fit, crossover, width.
#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>

#include <gtest/gtest.h>

#include "dsp/crossover.h"
#include "dsp/eq_fit.h"
#include "dsp/equaliser.h"
#include "dsp/filter_design.h"
#include "dsp/recipe.h"
#include "dsp/tone_curve.h"
#include "dsp/width.h"
#include "tests/dsp/chain_fixture.h"
#include "tests/support/measures.h"

namespace lacquer::dsp {
namespace {

// By the definition of the transfer function, as the oracle of response_db.
double naive_response_db(const BiquadCoefficients& s, double frequency) {
    const std::complex<double> z = std::polar(1.0, -2.0 * std::numbers::pi * frequency);
    return 20.0 * std::log10(std::abs((s.b0 + s.b1 * z + s.b2 * z * z) / (1.0 + s.a1 * z + s.a2 * z * z)));
}

TEST(FilterDesign, ResponseAgreesWithTheTransferFunction) {
    for (const auto& s : {low_pass(0.1, 0.7), high_pass(0.02, 1.3), peak(0.05, 2.0, 4.0), low_shelf(0.01, 0.7, -3.0),
                          high_shelf(0.2, 0.7, 5.0), all_pass(0.1, 0.7)}) {
        for (const double f : {0.0005, 0.01, 0.05, 0.1, 0.3, 0.45}) {
            EXPECT_NEAR(response_db(s, f), naive_response_db(s, f), 1e-6);
        }
    }
}

TEST(FilterDesign, FiltersDoWhatTheirNamesSay) {
    EXPECT_NEAR(response_db(low_pass(0.1, kButterworthQ), 0.1), -3.01, 0.01);
    EXPECT_NEAR(response_db(high_pass(0.1, kButterworthQ), 0.1), -3.01, 0.01);
    EXPECT_NEAR(response_db(peak(0.1, 1.0, 4.0), 0.1), 4.0, 1e-9);
    EXPECT_NEAR(response_db(low_shelf(0.01, kButterworthQ, 4.0), 1e-5), 4.0, 0.01);
    EXPECT_NEAR(response_db(low_shelf(0.01, kButterworthQ, 4.0), 0.4), 0.0, 0.01);
    EXPECT_NEAR(response_db(high_shelf(0.01, kButterworthQ, 4.0), 0.4), 4.0, 0.01);
    EXPECT_NEAR(response_db(high_shelf(0.01, kButterworthQ, 4.0), 1e-5), 0.0, 0.01);
}

// A curve as recipes make them: random octave nodes within +-4 dB, at most 3 dB apart.
ToneCurve random_curve(std::uint64_t seed, std::uint32_t rate_hz) {
    test::Random random(seed);
    ToneCurve curve{};
    for (std::size_t b = 0; b < kOctaveBands && octave_centre_hz(b) < 0.45 * rate_hz; ++b) {
        const double low = b == 0 ? -4.0 : std::max(-4.0, curve[b - 1] - 3.0);
        const double high = b == 0 ? 4.0 : std::min(4.0, curve[b - 1] + 3.0);
        curve[b] = low + (high - low) * random.uniform();
    }
    return curve;
}

double fit_error_db(const ToneCurve& curve, std::size_t sections, std::uint32_t rate_hz) {
    EqualiserSettings fitted;
    const auto list = fit_sections(curve, sections, rate_hz);
    EXPECT_LE(list.size(), sections);
    std::copy(list.begin(), list.end(), fitted.sections.begin());
    double squares = 0.0;
    int count = 0;
    for (double hz = 20.0; hz < std::min(20'000.0, 0.45 * rate_hz); hz *= 1.03, ++count) {
        const double error = response_db(fitted, hz / rate_hz) - curve_db_at(curve, hz);
        squares += error * error;
    }
    return std::sqrt(squares / count);
}

TEST(EqFit, FollowsRecipeCurvesWithinAQuarterDecibel) {
    for (const std::uint32_t rate_hz : {44'100u, 48'000u, 96'000u, 22'050u, 8'000u}) {
        double worst_db = 0.0;
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            const double error_db = fit_error_db(random_curve(seed, rate_hz), kEqualiserSections, rate_hz);
            worst_db = std::max(worst_db, error_db);
            EXPECT_LE(error_db, 0.25) << "seed " << seed << ", " << rate_hz << " Hz";
        }
        std::printf("%u Hz: worst of 20 curves %.3f dB rms\n", rate_hz, worst_db);
    }
}

TEST(EqFit, FlatCurveNeedsNoSection) {
    EXPECT_TRUE(fit_sections(ToneCurve{}, kEqualiserSections, 48'000).empty());
}

// Equaliser as a stage, rounded to float.
class Equalised {
public:
    explicit Equalised(const EqualiserSettings& settings) : equaliser_(settings) {}
    void process(StereoBlock block) {
        equaliser_.process(block, {wide_.data(), block.frame_count});
        std::copy_n(wide_.data(), 2 * block.frame_count, block.samples);
    }

private:
    Equaliser equaliser_;
    std::array<double, 2 * kWorkFrames> wide_{};
};

TEST(Equaliser, MeasuredResponseIsTheDesignedOne) {
    EqualiserSettings settings;
    const auto list = fit_sections(random_curve(3, 48'000), kEqualiserSections, 48'000);
    std::copy(list.begin(), list.end(), settings.sections.begin());
    for (const double hz : {31.0, 125.0, 1000.0, 6000.0, 15000.0}) {
        Equalised equalised(settings);
        test::AsStereo stage(equalised);
        EXPECT_NEAR(test::gain_db_at(stage, hz), response_db(settings, hz / 48'000.0), 0.01) << hz << " Hz";
    }
}

// Crossover and sum, as a stage.
class SplitAndSum {
public:
    explicit SplitAndSum(std::uint32_t rate_hz) : crossover_(neutral_recipe(rate_hz, 2).compressor.borders) {}
    void process(StereoBlock block) {
        const std::size_t count = 2 * block.frame_count;
        std::copy_n(block.samples, count, wide_.data());
        BandBlocks bands;
        for (std::size_t b = 0; b < kDynamicsBands; ++b) bands[b] = {bands_[b].data(), block.frame_count};
        crossover_.split({wide_.data(), block.frame_count}, bands);
        for (std::size_t i = 0; i < count; ++i) block.samples[i] = bands_[0][i] + bands_[1][i] + bands_[2][i];
    }

private:
    Crossover crossover_;
    std::array<double, 2 * kWorkFrames> wide_{};
    std::array<std::array<float, 2 * kWorkFrames>, kDynamicsBands> bands_{};
};

TEST(Crossover, BandsSumFlatWithinAHundredthOfADecibel) {
    for (const std::uint32_t rate_hz : {8'000u, 44'100u, 192'000u}) {
        for (double hz = 22.0; hz < 0.44 * rate_hz; hz *= 1.9) {
            SplitAndSum sum(rate_hz);
            test::AsStereo stage(sum);
            EXPECT_NEAR(test::gain_db_at(stage, hz, rate_hz), 0.0, 0.01) << hz << " Hz at " << rate_hz;
        }
    }
}

AudioBuffer stereo(double hz, bool inverted) {
    AudioBuffer audio = test::sine(hz, -12.0, 2.0);
    if (inverted) {
        for (float& sample : audio.block().channel(1)) sample = -sample;
    }
    return audio;
}

double width_gain_db(double hz, bool side) {
    WidthSettings settings{1.2, 1.0, linkwitz_riley(120.0 / 48'000.0)};
    Width width(settings);
    AudioBuffer audio = stereo(hz, side);
    test::AsStereo(width).process(audio.block());
    return test::rms_dbfs(audio.block().slice(48'000, 48'000)) - (-15.01);
}

TEST(Width, ScalesTheSideAndMakesTheBassMono) {
    EXPECT_NEAR(width_gain_db(1000.0, true), 1.584, 0.02);
    EXPECT_LT(width_gain_db(30.0, true), -40.0);
    for (const double hz : {30.0, 120.0, 1000.0}) EXPECT_NEAR(width_gain_db(hz, false), 0.0, 0.02) << hz;
}

TEST(ToneCurve, CorrectionIsBoundedAndNeverFillsAnEmptyBand) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        test::Random random(seed);
        Profile profile;
        profile.sample_rate_hz = 44'100;
        for (double& level : profile.octave_dbfs) level = -20.0 - 50.0 * random.uniform();
        profile.octave_dbfs[seed % 10] = seed % 3 == 0 ? -200.0 : -110.0;
        const ToneCurve curve = match_correction(profile, recorded_music(), 1.0);
        for (std::size_t b = 0; b < kOctaveBands; ++b) {
            EXPECT_LE(std::abs(curve[b]), 4.0);
            if (b > 0) {
                EXPECT_LE(std::abs(curve[b] - curve[b - 1]), 3.0 + 1e-9);
            }
        }
        EXPECT_LE(curve[seed % 10], 0.0) << "seed " << seed;
    }
}

}  // namespace
}  // namespace lacquer::dsp
