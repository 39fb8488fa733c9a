#include "src/recipe_json.h"

#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/recipe_choice.h"
#include "tests/support/signals.h"

namespace lacquer {
namespace {

using nlohmann::json;

dsp::Profile some_profile() {
    dsp::Profile profile;
    profile.sample_rate_hz = 44'100;
    profile.channel_count = 2;
    profile.frame_count = 44'100 * 20;
    profile.integrated_lufs = -16.7;
    profile.true_peak_dbtp = -0.3;
    profile.octave_dbfs.fill(-31.3);
    profile.third_octave_dbfs.fill(-36.1);
    for (auto& histogram : profile.band_levels) histogram[110] = 100, histogram[130] = 77;
    profile.short_term_lufs = {-20.0f, -17.5f, -30.25f, -12.0f};
    return profile;
}

dsp::Recipe some_recipe() {
    return dsp::derive_recipe(some_profile(), {dsp::PresetId::night}).recipe;
}

std::string refusal(const json& recipe) {
    try {
        recipe_from_json(recipe.dump());
        return "accepted";
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
}

// Calls `visit` with the path of every leaf below `node`.
void each_leaf(const json& node, const json::json_pointer& at, const std::function<void(json::json_pointer)>& visit) {
    if (!node.is_structured()) return visit(at);
    if (node.is_object())
        for (const auto& [name, inner] : node.items()) each_leaf(inner, at / name, visit);
    else
        for (std::size_t i = 0; i < node.size(); ++i) each_leaf(node[i], at / i, visit);
}

// Any finite double: of any size, negative zero and denormals among them.
double any_double(test::Random& random) {
    while (true) {
        const double value = std::bit_cast<double>(random.next());
        if (std::isfinite(value)) return value;
    }
}

TEST(RecipeJson, EveryNumberComesBackToTheBit) {
    dsp::Recipe recipe = some_recipe();
    test::Random random(11);
    for (auto& section : recipe.equaliser.sections)
        for (double* number : {&section.b0, &section.b1, &section.b2, &section.a1, &section.a2})
            *number = any_double(random);
    recipe.equaliser.sections[0].b0 = -0.0;
    recipe.equaliser.sections[0].b1 = std::numeric_limits<double>::denorm_min();
    recipe.equaliser.sections[0].b2 = std::numeric_limits<double>::max();
    recipe.equaliser.sections[0].a1 = 0.1;
    recipe.trim = any_double(random);
    recipe.level.gain = any_double(random);
    for (double& node : recipe.level.curve_db) node = any_double(random);
    for (auto& band : recipe.compressor.bands)
        band.threshold_db = any_double(random), band.release = any_double(random);
    recipe.limiter.look_ahead_frames = 4096;
    const std::string text = recipe_to_json(recipe);
    const dsp::Recipe back = recipe_from_json(text);
    EXPECT_EQ(std::memcmp(&back.equaliser, &recipe.equaliser, sizeof recipe.equaliser), 0);
    EXPECT_EQ(std::memcmp(&back.compressor, &recipe.compressor, sizeof recipe.compressor), 0);
    EXPECT_EQ(std::memcmp(&back.width, &recipe.width, sizeof recipe.width), 0);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(back.trim), std::bit_cast<std::uint64_t>(recipe.trim));
    EXPECT_EQ(std::bit_cast<std::uint64_t>(back.level.gain), std::bit_cast<std::uint64_t>(recipe.level.gain));
    EXPECT_EQ(back.level.curve_db, recipe.level.curve_db);
    EXPECT_EQ(back.saturation.amount, recipe.saturation.amount);
    EXPECT_EQ(back.limiter.ceiling, recipe.limiter.ceiling);
    EXPECT_EQ(back.limiter.look_ahead_frames, recipe.limiter.look_ahead_frames);
    EXPECT_EQ(back.limiter.release, recipe.limiter.release);
    EXPECT_EQ(recipe_to_json(back), text);
}

TEST(RecipeJson, EveryPresetComesBackAndHasAnIdOfItsOwn) {
    std::set<std::string> ids;
    for (const dsp::Preset& preset : dsp::presets()) {
        const ChosenRecipe chosen = choose_recipe(some_profile(), {preset.id, 0.7, false});
        EXPECT_EQ(chosen.id.size(), 32u);
        EXPECT_EQ(chosen.id, recipe_id(recipe_to_json(chosen.recipe)));
        const ChosenRecipe back = chosen_from_text(to_text(chosen));
        EXPECT_EQ(back.id, chosen.id);
        EXPECT_EQ(recipe_to_json(back.recipe), recipe_to_json(chosen.recipe));
        EXPECT_EQ(back.bound, chosen.bound);
        EXPECT_EQ(back.predicted_lufs, chosen.predicted_lufs);
        EXPECT_EQ(back.make_up_gain_db, chosen.make_up_gain_db);
        ids.insert(chosen.id);
    }
    EXPECT_EQ(ids.size(), dsp::presets().size());
}

TEST(RecipeJson, FlippingTheLastBitOfAnyNumberChangesTheId) {
    const json whole = json::parse(recipe_to_json(some_recipe()));
    const std::string id = recipe_id(whole.dump());
    std::set<std::string> ids{id};
    int leaves = 0;
    each_leaf(whole, json::json_pointer(), [&](const json::json_pointer& at) {
        json other = whole;
        json& leaf = other[at];
        if (leaf.is_boolean()) {
            leaf = !leaf.get<bool>();
        } else if (leaf.is_number_float()) {
            leaf = std::nextafter(leaf.get<double>(), 1e9);
        } else {
            leaf = leaf.get<std::int64_t>() + 1;
        }
        ids.insert(recipe_id(recipe_to_json(recipe_from_json(other.dump()))));
        ++leaves;
    });
    EXPECT_GT(leaves, 120);
    EXPECT_EQ(ids.size(), static_cast<std::size_t>(leaves) + 1);
}

TEST(RecipeJson, AFieldThatIsMissingIsNamed) {
    const json whole = json::parse(recipe_to_json(some_recipe()));
    std::set<std::string> fields;
    const std::function<void(const json&, const json::json_pointer&)> visit = [&](const json& node,
                                                                                  const json::json_pointer& at) {
        if (node.is_array() && !node.empty()) return visit(node.back(), at / (node.size() - 1));
        if (!node.is_object()) return;
        for (const auto& [name, inner] : node.items()) {
            json other = whole;
            other[at].erase(name);
            EXPECT_THAT(refusal(other), testing::HasSubstr(name)) << at / name;
            fields.insert(name);
            visit(inner, at / name);
        }
    };
    visit(whole, json::json_pointer());
    EXPECT_GE(fields.size(), 30u);
}

TEST(RecipeJson, AFieldOfTheWrongTypeOrLengthIsNamed) {
    const json whole = json::parse(recipe_to_json(some_recipe()));
    const auto with = [&](const char* pointer, const json& value) {
        json other = whole;
        other[json::json_pointer(pointer)] = value;
        return refusal(other);
    };
    using testing::HasSubstr;
    EXPECT_THAT(with("/trim", "1"), HasSubstr("trim"));
    EXPECT_THAT(with("/trim", nullptr), HasSubstr("trim"));
    EXPECT_THAT(with("/bypass", 0), HasSubstr("bypass"));
    EXPECT_THAT(with("/equaliser", json::array()), HasSubstr("equaliser"));
    EXPECT_THAT(with("/equaliser", 3), HasSubstr("equaliser"));
    EXPECT_THAT(with("/equaliser/sections", json::array({1})), HasSubstr("sections"));
    EXPECT_THAT(with("/equaliser/sections", 10), HasSubstr("sections"));
    EXPECT_THAT(with("/equaliser/sections/3", 1.0), HasSubstr("sections"));
    EXPECT_THAT(with("/compressor/borders", json::array()), HasSubstr("borders"));
    EXPECT_THAT(with("/level/curveDb", 1.0), HasSubstr("curveDb"));
    EXPECT_THAT(with("/level/curveDb", {1.0, "x"}), HasSubstr("curveDb"));
    EXPECT_THAT(with("/sampleRateHz", -1), HasSubstr("sampleRateHz"));
    EXPECT_THAT(with("/sampleRateHz", 44'100.5), HasSubstr("sampleRateHz"));
    EXPECT_THAT(with("/sampleRateHz", 5'000'000'000), HasSubstr("sampleRateHz"));
    EXPECT_THAT(with("/limiter/lookAheadFrames", true), HasSubstr("lookAheadFrames"));
    EXPECT_NE(refusal(json::array()), "accepted");
    EXPECT_THROW(recipe_from_json("{"), std::invalid_argument);
    EXPECT_THROW(recipe_from_json(""), std::invalid_argument);
    EXPECT_THROW(chosen_from_text("{}"), std::invalid_argument);
    EXPECT_THROW(chosen_from_text("nonsense"), std::invalid_argument);
}

TEST(RecipeChoice, TheRequestKeyTellsApartWhatLeadsToDifferentRecipes) {
    std::set<std::string> keys;
    for (const dsp::Preset& preset : dsp::presets())
        for (const double intensity : {1.0, 0.5, std::nextafter(0.5, 1.0)})
            for (const bool loudness : {true, false})
                keys.insert(RenderChoice{{preset.id, intensity, loudness}, {}, {}}.request_key());
    EXPECT_EQ(keys.size(), dsp::presets().size() * 6);
    const RenderChoice choice{{dsp::PresetId::warm, 0.5, true}, {}, {}};
    EXPECT_EQ((RenderChoice{{dsp::PresetId::warm, 0.5, true}, dsp::SampleFormat::f32, "pinned"}.request_key()),
              choice.request_key());
}

TEST(RecipeChoice, DepthsHaveTheirNames) {
    for (const auto format : {dsp::SampleFormat::s16, dsp::SampleFormat::s24, dsp::SampleFormat::f32}) {
        EXPECT_EQ(parse_depth(depth_name(format)), format);
    }
    for (const char* text : {"", "8", "32", "Float", "16 "}) EXPECT_EQ(parse_depth(text), std::nullopt) << text;
}

}  // namespace
}  // namespace lacquer
