#include "dsp/enhancer.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "dsp/units.h"
#include "tests/dsp/chain_fixture.h"
#include "tests/support/allocation_guard.h"
#include "tests/support/measures.h"

namespace lacquer::dsp {
namespace {

using test::enhanced;
using test::profile_of;

constexpr std::uint32_t kRateHz = 48'000;

// 50 s of noise in sections 15 dB apart, the borders close to the seam at 30 s.
AudioBuffer sections(std::size_t channels = 2) {
    const test::Format format{kRateHz, channels};
    const AudioBuffer quiet = test::pink_noise(3, -31.0, 10.0, format);
    const AudioBuffer loud = test::pink_noise(4, -16.0, 9.5, format);
    return test::concatenate({quiet.block(), loud.block(), quiet.block(), loud.block(), quiet.block()});
}

Recipe recipe_for(const AudioBuffer& audio, PresetId id, double intensity = 1.0) {
    return derive_recipe(profile_of(audio.block(), kRateHz), {id, intensity, true}).recipe;
}

// The frames from 30 s on, rendered by a run that began `context_s` before them, against the run from the start.
struct Seam {
    test::Residual residual;
    double gain_step_db;
};
Seam seam_of(PresetId id, double context_s) {
    const AudioBuffer source = sections();
    const Recipe recipe = recipe_for(source, id);
    const std::size_t seam = 30 * kRateHz;
    const std::size_t start = seam - test::frames_of(context_s, {kRateHz, 2});
    const std::size_t frames = source.frame_count() - seam;
    const AudioBuffer whole = enhanced(recipe, source.block());
    const AudioBuffer chunk =
        enhanced(recipe, source.block().slice(start, source.frame_count() - start), static_cast<std::int64_t>(start));
    const std::size_t latency = Enhancer(recipe, 0).latency_frames();
    const auto of_whole = whole.block().slice(seam + latency, frames - latency);
    const auto of_chunk = chunk.block().slice(seam - start + latency, frames - latency);
    const double step_db =
        test::rms_dbfs(of_chunk.slice(0, kRateHz / 10)) - test::rms_dbfs(of_whole.slice(0, kRateHz / 10));
    return {test::residual(of_whole, of_chunk, kRateHz), step_db};
}

class SeamTest : public testing::TestWithParam<PresetId> {};

TEST_P(SeamTest, FiveSecondsOfContextForgetThePast) {
    const Seam seam = seam_of(GetParam(), 5.0);
    EXPECT_LE(seam.residual.rms_dbfs, -150.0);
    EXPECT_LE(seam.residual.peak_dbfs, -140.0);
    EXPECT_LE(std::abs(seam.gain_step_db), 0.001);
}

TEST_P(SeamTest, NoContextFailsTheSameBars) {
    const Seam seam = seam_of(GetParam(), 0.0);
    EXPECT_GT(seam.residual.rms_dbfs, -100.0);
    EXPECT_GT(seam.residual.peak_dbfs, -100.0);
}

INSTANTIATE_TEST_SUITE_P(Presets, SeamTest,
                         testing::Values(PresetId::adaptive, PresetId::punchy, PresetId::night, PresetId::warm),
                         [](const auto& of) { return std::string(preset(of.param).name); });

class EveryPreset : public testing::TestWithParam<PresetId> {};

TEST_P(EveryPreset, OutputDoesNotDependOnHowTheStreamIsCut) {
    for (const std::size_t channels : {1, 2}) {
        const AudioBuffer source = test::pink_noise(5, -18.0, 3.0, {kRateHz, channels});
        const Recipe recipe = recipe_for(source, GetParam());
        const AudioBuffer once = enhanced(recipe, source.block());
        for (const std::size_t largest : {3, 255, 4096}) {
            const auto cuts = test::uneven_cuts(source.frame_count(), largest, 11);
            EXPECT_TRUE(test::same_bits(once.block(), test::enhanced_in_cuts(recipe, source.block(), cuts).block()))
                << "blocks of up to " << largest << " frames, channels " << channels;
        }
    }
}

TEST_P(EveryPreset, ProcessAllocatesNothing) {
    const AudioBuffer source = test::pink_noise(6, -18.0, 1.0);
    Enhancer enhancer(recipe_for(source, GetParam()), 0);
    AudioBuffer work = test::copy(source.block());
    const test::AllocationGuard guard;
    enhancer.process(work.block());
    EXPECT_EQ(guard.count(), 0u);
}

// Every border replaced by one that passes all to the high side, which leaves nothing but the delays.
Recipe delays_only() {
    Recipe recipe = neutral_recipe(kRateHz, 2);
    const CrossoverSettings all_high{BiquadCoefficients{.b0 = 0.0}, {}, {}};
    recipe.compressor.borders.fill(all_high);
    recipe.width.border = {};
    return recipe;
}

TEST(Enhancer, DelayIsExactlyLatencyFrames) {
    const AudioBuffer source = test::white_noise(7, -24.0, 2.0);
    for (const double saturation : {0.0, 1e-7}) {
        Recipe recipe = delays_only();
        recipe.saturation.amount = saturation;
        const std::size_t latency = Enhancer(recipe, 0).latency_frames();
        const AudioBuffer out = enhanced(recipe, source.block());
        const std::size_t frames = source.frame_count() - latency;
        EXPECT_LT(
            test::residual(source.block().slice(0, frames), out.block().slice(latency, frames), kRateHz).peak_dbfs,
            -140.0);
    }
}

TEST_P(EveryPreset, SilenceStaysSilentAfterMusic) {
    const AudioBuffer noise = test::pink_noise(8, -18.0, 2.0);
    const AudioBuffer silence = test::silence(20.0);
    const AudioBuffer out =
        enhanced(recipe_for(noise, GetParam()), test::concatenate({noise.block(), silence.block()}).block());
    EXPECT_TRUE(test::all_finite(out.block()));
    EXPECT_EQ(test::peak_dbfs(out.block().slice(out.frame_count() - kRateHz, kRateHz)), -200.0);
}

TEST_P(EveryPreset, BrokenInputGivesFiniteOutputBelowTheCeiling) {
    AudioBuffer source = test::pink_noise(9, -18.0, 2.0);
    const Recipe recipe = recipe_for(source, GetParam());
    float* const left = source.block().channels[0];
    left[1000] = std::numeric_limits<float>::quiet_NaN();
    left[2000] = std::numeric_limits<float>::infinity();
    left[3000] = -std::numeric_limits<float>::infinity();
    left[4000] = std::numeric_limits<float>::max();
    left[5000] = 1e10f;
    left[6000] = std::numeric_limits<float>::denorm_min();
    const AudioBuffer out = enhanced(recipe, source.block());
    EXPECT_TRUE(test::all_finite(out.block()));
    EXPECT_LE(test::peak_dbfs(out.block()), -1.0);
}

TEST_P(EveryPreset, IntensityZeroLeavesEveryBit) {
    AudioBuffer source = test::pink_noise(10, -6.0, 1.0);
    source.block().channels[1][5] = std::numeric_limits<float>::infinity();
    const Recipe recipe = derive_recipe(profile_of(source.block()), {GetParam(), 0.0, true}).recipe;
    EXPECT_EQ(Enhancer(recipe, 0).latency_frames(), 0u);
    EXPECT_TRUE(test::same_bits(source.block(), enhanced(recipe, source.block()).block()));
}

TEST_P(EveryPreset, EffectGrowsWithIntensity) {
    const AudioBuffer source = test::pink_noise(12, -24.0, 6.0);
    const Profile profile = profile_of(source.block());
    double last_change_db = 0.0;
    for (const double intensity : {0.25, 0.5, 1.0}) {
        const RecipeOutcome outcome = derive_recipe(profile, {GetParam(), intensity, true});
        const double change_db =
            std::abs(test::ebur128_measure(enhanced(outcome.recipe, source.block()).block(), kRateHz).integrated_lufs -
                     profile.integrated_lufs);
        EXPECT_GT(change_db, last_change_db) << "intensity " << intensity;
        last_change_db = change_db;
    }
}

INSTANTIATE_TEST_SUITE_P(Presets, EveryPreset,
                         testing::Values(PresetId::adaptive, PresetId::gentle, PresetId::warm, PresetId::bright,
                                         PresetId::punchy, PresetId::live, PresetId::speech, PresetId::night),
                         [](const auto& of) { return std::string(preset(of.param).name); });

TEST(Enhancer, PresetsDifferFromEachOther) {
    const AudioBuffer source = test::pink_noise(13, -20.0, 3.0);
    const Profile profile = profile_of(source.block());
    std::vector<AudioBuffer> outputs;
    for (const Preset& p : presets()) {
        outputs.push_back(enhanced(derive_recipe(profile, {p.id, 1.0, true}).recipe, source.block()));
        const auto& last = outputs.back();
        for (std::size_t i = 0; i + 1 < outputs.size(); ++i) {
            const double apart_db = test::residual(last.block(), outputs[i].block(), kRateHz).rms_dbfs;
            EXPECT_GT(apart_db, test::rms_dbfs(last.block()) - 30.0) << p.name << " and " << presets()[i].name;
        }
    }
}

TEST(Enhancer, NeutralRecipeIsFlat) {
    const Recipe recipe = neutral_recipe(kRateHz, 2);
    for (const double hz : {25.0, 100.0, 120.0, 160.0, 400.0, 1000.0, 2500.0, 8000.0, 18000.0}) {
        Enhancer enhancer(recipe, 0);
        EXPECT_NEAR(test::gain_db_at(enhancer, hz), 0.0, 0.01) << hz << " Hz";
    }
}

TEST(Enhancer, RefusesWhatItCannotRender) {
    Recipe recipe = neutral_recipe(kRateHz, 2);
    recipe.limiter.ceiling = 0.0;
    EXPECT_THROW(Enhancer(recipe, 0), std::invalid_argument);
    recipe = neutral_recipe(kRateHz, 2);
    recipe.compressor.bands[1].release = 2.0;
    EXPECT_THROW(Enhancer(recipe, 0), std::invalid_argument);
    recipe = neutral_recipe(kRateHz, 2);
    recipe.sample_rate_hz = 10;
    EXPECT_THROW(Enhancer(recipe, 0), std::invalid_argument);
}

}  // namespace
}  // namespace lacquer::dsp
