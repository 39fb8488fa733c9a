// Polynomials, compressor, level curve: what happens to levels.
#include <algorithm>
#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "dsp/compressor.h"
#include "dsp/fast_math.h"
#include "dsp/filter_design.h"
#include "dsp/level_curve.h"
#include "dsp/level_plan.h"
#include "dsp/recipe.h"
#include "dsp/units.h"
#include "tests/dsp/chain_fixture.h"
#include "tests/support/measures.h"

namespace lacquer::dsp {
namespace {

TEST(FastMath, AgreesWithLibm) {
    test::Random random(1);
    for (int i = 0; i < 200'000; ++i) {
        const double y = -900.0 + 1800.0 * random.uniform();
        ASSERT_NEAR(fast_exp2(y) / std::exp2(y), 1.0, 1e-11);
    }
    EXPECT_EQ(fast_exp2(0.0), 1.0);
}

CompressorSettings one_curve(double threshold_db, double slope) {
    CompressorSettings settings = neutral_recipe(48'000, 2).compressor;
    for (auto& band : settings.bands) {
        band = {threshold_db,
                6.0,
                slope,
                smoothing_step(20.0, 48'000),
                smoothing_step(10.0, 48'000),
                smoothing_step(120.0, 48'000)};
    }
    return settings;
}

// The textbook curve with branches.
double naive_reduction_db(double level_db, double threshold_db, double knee_db, double slope) {
    const double over = level_db - threshold_db;
    if (over <= -knee_db / 2) return 0.0;
    if (over >= knee_db / 2) return slope * over;
    return slope * std::pow(over + knee_db / 2, 2) / (2 * knee_db);
}

TEST(Compressor, StaticCurveIsTheTextbooks) {
    const auto band = one_curve(-20.0, 0.5).bands[0];
    for (double level_db = -60.0; level_db < 10.0; level_db += 0.37) {
        EXPECT_NEAR(static_reduction_db(band, level_db), naive_reduction_db(level_db, -20.0, 6.0, 0.5), 1e-12);
    }
}

// Compressor as a stage: it takes doubles.
class Compressed {
public:
    explicit Compressed(const CompressorSettings& settings) : compressor_(settings) {}
    void process(StereoBlock block) {
        std::copy_n(block.samples, 2 * block.frame_count, wide_.data());
        compressor_.process({wide_.data(), block.frame_count}, block);
    }
    void reset() { compressor_.reset(); }

private:
    Compressor compressor_;
    std::array<double, 2 * kWorkFrames> wide_{};
};

TEST(Compressor, SteadySinesEndOnTheStaticCurve) {
    for (const double level_db : {-40.0, -22.0, -18.0, -10.0, -3.0}) {
        Compressed compressor(one_curve(-20.0, 0.5));
        AudioBuffer audio = test::sine(800.0, level_db, 3.0);
        test::AsStereo(compressor).process(audio.block());
        const double rms_db = level_db - 3.0103;
        const double wanted_db = rms_db - naive_reduction_db(rms_db, -20.0, 6.0, 0.5);
        // 1.2 % of 800 Hz lies in the outer bands, below their threshold: up to 0.17 dB at 8 dB of reduction.
        EXPECT_NEAR(test::rms_dbfs(audio.block().slice(96'000, 48'000)), wanted_db, 0.2) << level_db;
    }
}

TEST(Compressor, ResetEqualsNew) {
    Compressed compressor(one_curve(-20.0, 0.5));
    AudioBuffer loud = test::white_noise(5, -6.0, 0.3);
    test::AsStereo(compressor).process(loud.block());
    compressor.reset();
    AudioBuffer again = test::pink_noise(6, -16.0, 1.0);
    AudioBuffer fresh = test::copy(again.block());
    test::AsStereo(compressor).process(again.block());
    Compressed other(one_curve(-20.0, 0.5));
    test::AsStereo(other).process(fresh.block());
    EXPECT_TRUE(test::same_bits(again.block(), fresh.block()));
}

TEST(LevelCurve, InterpolatesInDecibelsByPosition) {
    const LevelCurve curve({2.0, {0.0, 2.0, -1.0}}, 1'000, 0);
    EXPECT_NEAR(gain_to_db(curve.gain_at(0) / 2.0), 0.0, 1e-9);
    EXPECT_NEAR(gain_to_db(curve.gain_at(1'000) / 2.0), 1.0, 1e-9);
    EXPECT_NEAR(gain_to_db(curve.gain_at(1'500) / 2.0), 2.0, 1e-9);
    EXPECT_NEAR(gain_to_db(curve.gain_at(1'750) / 2.0), 1.25, 1e-9);
    EXPECT_NEAR(gain_to_db(curve.gain_at(900'000) / 2.0), -1.0, 1e-9);
    EXPECT_NEAR(gain_to_db(curve.gain_at(-5'000) / 2.0), 0.0, 1e-9);
}

TEST(LevelPlan, KeepsItsBoundsSlopeAndGate) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        test::Random random(seed);
        std::vector<float> loudness;
        for (int i = 0; i < 300; ++i) loudness.push_back(static_cast<float>(-70.0 + 65.0 * random.uniform()));
        const auto curve = plan_level_curve(loudness, -18.0, {0.7, 6.0});
        ASSERT_EQ(curve.size(), loudness.size());
        for (std::size_t i = 0; i < curve.size(); ++i) {
            EXPECT_LE(std::abs(curve[i]), 6.0);
            if (loudness[i] < -38.0f) {
                EXPECT_LE(curve[i], 0.0);
            }
            if (i > 0) {
                EXPECT_LE(std::abs(curve[i] - curve[i - 1]), 2.0 + 1e-9);
            }
        }
    }
    EXPECT_TRUE(plan_level_curve({}, -18.0, {0.7, 6.0}).empty());
}

}  // namespace
}  // namespace lacquer::dsp
