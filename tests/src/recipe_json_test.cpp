#include "src/recipe_json.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include <gtest/gtest.h>

namespace lacquer {
namespace {

// Every preset's recipe from a profile of awkward numbers.
dsp::Profile awkward_profile() {
    dsp::Profile profile;
    profile.sample_rate_hz = 44'100;
    profile.channel_count = 2;
    profile.integrated_lufs = -17.123456789012345;
    profile.loudness_range_lu = 1.0 / 3.0;
    profile.true_peak_dbtp = -0.1;
    profile.rms_dbfs = -19.7;
    profile.crest_db = 13.3;
    profile.stereo_correlation = 0.1 + 0.2;
    profile.side_to_mid_db = -9.87654321;
    for (std::size_t b = 0; b < dsp::kOctaveBands; ++b) profile.octave_dbfs[b] = -25.0 - 7.0 / (1.0 + b);
    profile.third_octave_dbfs.fill(-30.1);
    for (auto& levels : profile.band_levels) {
        for (std::size_t bin = 80; bin < 150; ++bin) levels[bin] = static_cast<std::uint32_t>(bin * bin);
    }
    for (int second = 0; second < 100; ++second) profile.short_term_lufs.push_back(-17.0f - 0.37f * (second % 13));
    return profile;
}

bool same_bits(double a, double b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
}

TEST(RecipeJson, EveryNumberComesBackToTheBit) {
    for (const dsp::Preset& preset : dsp::presets()) {
        const dsp::Recipe recipe = dsp::derive_recipe(awkward_profile(), {preset.id, 0.7, true}).recipe;
        const std::string json = recipe_to_json(recipe);
        const dsp::Recipe back = recipe_from_json(json);
        EXPECT_EQ(recipe_to_json(back), json);
        EXPECT_TRUE(same_bits(back.trim, recipe.trim));
        EXPECT_TRUE(same_bits(back.level.gain, recipe.level.gain));
        EXPECT_EQ(back.equaliser.sections, recipe.equaliser.sections);
        EXPECT_EQ(back.level.curve_db, recipe.level.curve_db);
        EXPECT_TRUE(same_bits(back.limiter.slow_release, recipe.limiter.slow_release));
        EXPECT_EQ(back.limiter.look_ahead_frames, recipe.limiter.look_ahead_frames);
        for (std::size_t b = 0; b < dsp::kDynamicsBands; ++b) {
            EXPECT_EQ(std::memcmp(&back.compressor.bands[b], &recipe.compressor.bands[b],
                                  sizeof(dsp::CompressorBandSettings)),
                      0);
        }
    }
}

// Each leaf set to a number of its own: a field that writing or reading forgets would come back as its default.
TEST(RecipeJson, NoFieldIsForgotten) {
    nlohmann::json json = nlohmann::json::parse(recipe_to_json(dsp::neutral_recipe(44'100, 2)));
    json["bypass"] = true;
    json["level"]["curveDb"] = {1.5, -2.25};
    std::size_t count = 0;
    const auto number = [&](auto&& self, nlohmann::json& node) -> void {
        if (node.is_structured()) {
            for (auto& child : node) self(self, child);
        } else if (node.is_number_float()) {
            node = 0.1 + static_cast<double>(++count);
        } else if (node.is_number()) {
            node = 1000 + ++count;
        }
    };
    number(number, json);
    EXPECT_EQ(nlohmann::json::parse(recipe_to_json(recipe_from_json(json.dump()))), json);
    // Sections, borders of compressor and width, bands; rate, channels, trim, amount, width, bass, gain, curve,
    // limiter.
    EXPECT_EQ(count, 50u + 3u * 15u + 3u * 6u + 2u + 1u + 1u + 2u + 1u + 2u + 5u);
}

TEST(RecipeJson, RefusalsNameTheField) {
    const nlohmann::json good = nlohmann::json::parse(recipe_to_json(dsp::neutral_recipe(48'000, 1)));
    const auto message_of = [](const std::string& text) -> std::string {
        try {
            recipe_from_json(text);
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
        return "accepted";
    };
    nlohmann::json broken = good;
    broken["limiter"].erase("ceiling");
    EXPECT_NE(message_of(broken.dump()).find("limiter.ceiling"), std::string::npos);
    broken = good;
    broken["compressor"]["bands"][1]["slope"] = "steep";
    EXPECT_NE(message_of(broken.dump()).find("compressor.bands[1].slope"), std::string::npos);
    broken = good;
    broken["equaliser"]["sections"].erase(0);
    EXPECT_NE(message_of(broken.dump()).find("equaliser.sections"), std::string::npos);
    broken = good;
    broken["sampleRateHz"] = -1;
    EXPECT_NE(message_of(broken.dump()).find("sampleRateHz"), std::string::npos);
    EXPECT_NE(message_of("{").find("no JSON"), std::string::npos);
    EXPECT_NE(message_of("[]"), "accepted");
}

// `printf abc | xxh128sum`
TEST(RecipeJson, IdIsTheXxh3HashOfTheText) {
    EXPECT_EQ(recipe_id("abc"), "06b05ab6733a618578af5f94892f3950");
    EXPECT_NE(recipe_id(recipe_to_json(dsp::neutral_recipe(44'100, 2))),
              recipe_id(recipe_to_json(dsp::neutral_recipe(48'000, 2))));
}

}  // namespace
}  // namespace lacquer
