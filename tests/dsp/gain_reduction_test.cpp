#include <cmath>

#include <gtest/gtest.h>

#include "dsp/compressor.h"
#include "dsp/filter_design.h"
#include "dsp/units.h"
#include "tests/dsp/chain_fixture.h"
#include "tests/support/allocation_guard.h"
#include "tests/support/measures.h"

namespace lacquer::dsp {
namespace {

constexpr std::uint32_t kRateHz = 48'000;

// Only the middle band, well above its threshold for what is louder than -20 dB.
Recipe compressing() {
    Recipe recipe = neutral_recipe(kRateHz, 2);
    recipe.compressor.bands[1] = {
        -20.0, 6.0, 0.5, smoothing_step(100.0, kRateHz), smoothing_step(10.0, kRateHz), smoothing_step(120.0, kRateHz)};
    return recipe;
}

GainReduction settled_reduction(const Recipe& recipe, double hz, double peak_dbfs) {
    Enhancer enhancer(recipe, 0);
    AudioBuffer audio = test::sine(hz, peak_dbfs, 4.0);
    enhancer.process(audio.block().slice(0, 2 * kRateHz));
    enhancer.take_reduction();
    enhancer.process(audio.block().slice(2 * kRateHz, 2 * kRateHz));
    return enhancer.take_reduction();
}

TEST(GainReduction, OfASteadySineIsThatOfTheStaticCurve) {
    const Recipe recipe = compressing();
    for (const double peak_dbfs : {-40.0, -20.0, -15.0, -8.0}) {
        const double rms_db = peak_dbfs - 3.0103;
        const GainReduction reduction = settled_reduction(recipe, 632.0, peak_dbfs);
        EXPECT_NEAR(reduction.compressor_db, static_reduction_db(recipe.compressor.bands[1], rms_db), 0.1) << peak_dbfs;
        EXPECT_EQ(reduction.limiter_db, 0.0);
    }
}

TEST(GainReduction, OfTheLimiterIsWhatLiesAboveItsCeiling) {
    const Recipe recipe = neutral_recipe(kRateHz, 2);
    const double ceiling_db = gain_to_db(recipe.limiter.ceiling);
    EXPECT_NEAR(settled_reduction(recipe, 997.0, ceiling_db + 6.0).limiter_db, 6.0, 0.1);
    EXPECT_EQ(settled_reduction(recipe, 997.0, ceiling_db - 3.0).limiter_db, 0.0);
    EXPECT_EQ(settled_reduction(recipe, 997.0, ceiling_db + 6.0).compressor_db, 0.0);
}

TEST(GainReduction, OfAShortBurstIsSeenOnceAndThenForgotten) {
    const Recipe recipe = neutral_recipe(kRateHz, 2);
    const double ceiling_db = gain_to_db(recipe.limiter.ceiling);
    Enhancer enhancer(recipe, 0);
    AudioBuffer audio = test::sine_sections(997.0, {{-60.0, 1.0}, {ceiling_db + 6.0, 0.05}, {-60.0, 4.0}});
    enhancer.process(audio.block().slice(0, 2 * kRateHz));
    EXPECT_GE(enhancer.take_reduction().limiter_db, 5.9);  // the crossover's ringing adds to it
    enhancer.process(audio.block().slice(2 * kRateHz, 2 * kRateHz));
    enhancer.take_reduction();  // the rest of the release
    enhancer.process(audio.block().slice(4 * kRateHz, kRateHz));
    EXPECT_EQ(enhancer.take_reduction().limiter_db, 0.0);
}

TEST(GainReduction, OfABypassIsNone) {
    Recipe recipe = compressing();
    recipe.bypass = true;
    const GainReduction reduction = settled_reduction(recipe, 632.0, 6.0);
    EXPECT_EQ(reduction.compressor_db, 0.0);
    EXPECT_EQ(reduction.limiter_db, 0.0);
}

TEST(GainReduction, TakingItChangesNothingAndAllocatesNothing) {
    const AudioBuffer music = test::pink_noise(7, -12.0, 1.0);
    const AudioBuffer expected = test::enhanced(compressing(), music.block());
    AudioBuffer audio = test::copy(music.block());
    Enhancer enhancer(compressing(), 0);
    const test::AllocationGuard guard;
    for (std::size_t at = 0; at < kRateHz; at += 480) {
        enhancer.process(audio.block().slice(at, 480));
        enhancer.take_reduction();
    }
    EXPECT_EQ(guard.count(), 0u);
    EXPECT_TRUE(test::same_bits(audio.block(), expected.block()));
}

}  // namespace
}  // namespace lacquer::dsp
