// The presets as the chain renders them: their tone against the table, on a track with nothing to correct.
#include <array>
#include <cstdio>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/measures.h"
#include "tests/support/preset_response.h"

namespace lacquer::dsp {
namespace {

// The middle of each region of the preset table: below 120, 120-500, 500-2k, 2k-6k, above 6k Hz.
constexpr std::array<double, kToneRegions> kMiddlesHz{50.0, 250.0, 1000.0, 4000.0, 11'000.0};

TEST(PresetSound, ToneIsThatOfTheTableWithinATenthOfADb) {
    const Profile profile = test::neutral_profile();
    for (const Preset& p : presets()) {
        const test::LowLevelResponse response(derive_recipe(profile, {p.id}).recipe);
        std::printf("%-9s", std::string(p.name).c_str());
        for (std::size_t region = 0; region < kToneRegions; ++region) {
            const double gain_db = response.gain_db(kMiddlesHz[region]);
            std::printf("  %6.0f Hz %+6.2f (%+.1f)", kMiddlesHz[region], gain_db, p.tone_db[region]);
            if (kMiddlesHz[region] < p.high_pass_hz) {
                EXPECT_LT(gain_db, -12.0) << p.name;
            } else {
                EXPECT_NEAR(gain_db, p.tone_db[region], 0.1) << p.name << " at " << kMiddlesHz[region] << " Hz";
            }
        }
        std::printf("\n");
    }
}

TEST(PresetSound, HighPassOfSpeechIsThreeDbDownAtItsFrequency) {
    const Recipe recipe = derive_recipe(test::neutral_profile(), {PresetId::speech}).recipe;
    EXPECT_NEAR(test::LowLevelResponse(recipe).gain_db(preset(PresetId::speech).high_pass_hz), -3.0, 0.5);
}

TEST(PresetSound, HalfTheIntensityIsHalfTheTone) {
    const Profile profile = test::neutral_profile();
    for (const Preset& p : presets()) {
        if (p.high_pass_hz > 0.0) continue;
        const test::LowLevelResponse response(derive_recipe(profile, {p.id, 0.5}).recipe);
        for (std::size_t region = 0; region < kToneRegions; ++region)
            EXPECT_NEAR(response.gain_db(kMiddlesHz[region]), 0.5 * p.tone_db[region], 0.1) << p.name;
    }
}

TEST(PresetSound, LoudSinesAreCompressedAsTheRatioSays) {
    // Mid band, 6 dB and more over the threshold and its knee: each dB in gives 1/ratio out, as long as the bound of
    // the reduction at the 95th percentile does not flatten the slope and the limiter is not reached.
    for (const PresetId id : {PresetId::gentle, PresetId::live}) {
        const Recipe recipe = derive_recipe(test::neutral_profile(), {id}).recipe;
        const auto& band = recipe.compressor.bands[1];
        const double from_dbfs = band.threshold_db + 8.0;
        const double rise_db = test::settled_level_dbfs(recipe, 700.0, from_dbfs + 3.0) -
                               test::settled_level_dbfs(recipe, 700.0, from_dbfs);
        EXPECT_NEAR(rise_db, 3.0 * (1.0 - band.slope), 0.1) << preset(id).name;
        EXPECT_NEAR(1.0 / (1.0 - band.slope), preset(id).compression.ratio, 1e-9) << preset(id).name;
    }
}

}  // namespace
}  // namespace lacquer::dsp
