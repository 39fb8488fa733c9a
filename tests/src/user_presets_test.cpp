#include "src/user_presets.h"

#include <bit>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include <gtest/gtest.h>

#include "dsp/profile_meter.h"
#include "src/recipe_choice.h"
#include "src/reference_json.h"
#include "tests/support/signals.h"
#include "tests/support/temp_dir.h"

namespace lacquer {
namespace {

dsp::Profile profile_of(std::uint64_t seed, double rms_dbfs) {
    const auto audio = test::pink_noise(seed, rms_dbfs, 5.0);
    dsp::ProfileMeter meter(48'000, 2);
    meter.measure(audio.block());
    return dsp::finish_profile(meter.take(), static_cast<std::int64_t>(audio.frame_count()), false);
}

RenderChoice choice_of(const dsp::ReferenceTarget& target) {
    RenderChoice choice;
    choice.request.reference = target;
    return choice;
}

class UserPresetsTest : public testing::Test {
protected:
    library::Library& library() {
        std::filesystem::create_directories(folder / "music");
        if (!library_)
            library_ = std::make_unique<library::Library>(folder / "state/library.db", std::vector{folder / "music"});
        return *library_;
    }
    test::TempDir folder;

private:
    std::unique_ptr<library::Library> library_;
};

TEST(ReferenceJson, ComesBackToTheBitThroughText) {
    const dsp::ReferenceTarget before = dsp::reference_of(profile_of(1, -17.3));
    const auto after = reference_from_json(nlohmann::json::parse(reference_to_json(before).dump()));
    EXPECT_EQ(after.octave_db, before.octave_db);
    EXPECT_EQ(after.integrated_lufs, before.integrated_lufs);
    EXPECT_EQ(after.side_to_mid_db, before.side_to_mid_db);
    EXPECT_EQ(after.loudness_range_lu, before.loudness_range_lu);
    EXPECT_EQ(after.crest_db, before.crest_db);
}

TEST(ReferenceJson, WhatIsMissingOrOfAnotherTypeIsRefused) {
    const auto whole = reference_to_json(dsp::ReferenceTarget{});
    for (const auto& [name, value] : whole.items()) {
        nlohmann::json missing = whole;
        missing.erase(name);
        EXPECT_THROW(reference_from_json(missing), std::invalid_argument) << name;
        nlohmann::json wrong = whole;
        wrong[name] = "x";
        EXPECT_THROW(reference_from_json(wrong), std::invalid_argument) << name;
    }
    nlohmann::json shorter = whole;
    shorter["octaveDb"].erase(0);
    EXPECT_THROW(reference_from_json(shorter), std::invalid_argument);
}

TEST(RenderChoice, EveryNumberOfAReferenceIsInTheKey) {
    const dsp::ReferenceTarget target = dsp::reference_of(profile_of(1, -18.0));
    const std::string key = choice_of(target).request_key();
    EXPECT_EQ(choice_of(target).request_key(), key);
    EXPECT_NE(RenderChoice{}.request_key(), key);
    auto other = target;
    other.octave_db[3] += 1e-9;
    EXPECT_NE(choice_of(other).request_key(), key);
    other = target;
    other.integrated_lufs += 1e-9;
    EXPECT_NE(choice_of(other).request_key(), key);
    other = target;
    other.side_to_mid_db += 1e-9;
    EXPECT_NE(choice_of(other).request_key(), key);
}

TEST(RenderChoice, AnotherReferenceIsAnotherRecipe) {
    const dsp::Profile profile = profile_of(1, -18.0);
    dsp::ReferenceTarget target = dsp::reference_of(profile);
    const std::string id = choose_recipe(profile, choice_of(target).request).id;
    EXPECT_NE(choose_recipe(profile, {}).id, id);
    target.octave_db[5] -= 1.0;
    const std::string tonal = choose_recipe(profile, choice_of(target).request).id;
    EXPECT_NE(tonal, id);
    target.integrated_lufs -= 0.1;
    EXPECT_NE(choose_recipe(profile, choice_of(target).request).id, tonal);
}

TEST_F(UserPresetsTest, ANameStandsForItsNumbersAlsoBesideADaemon) {
    const UserPreset mine{"mine", dsp::reference_of(profile_of(1, -15.0)), 7, "A \xFF - B"};
    ASSERT_TRUE(library().store_preset(mine.name, to_text(mine)));
    const auto request = find_request(library(), "mine");
    ASSERT_TRUE(request && request->reference);
    EXPECT_EQ(request->reference->octave_db, mine.target.octave_db);
    const auto beside = find_request_in(folder / "state/library.db", "mine");
    ASSERT_TRUE(beside && beside->reference);
    EXPECT_EQ(beside->reference->integrated_lufs, mine.target.integrated_lufs);
    EXPECT_EQ(user_presets(library()).at(0).track_id, 7);
    EXPECT_EQ(find_request(library(), "night")->preset, dsp::PresetId::night);
    EXPECT_EQ(find_request_in(folder / "nowhere.db", "night")->preset, dsp::PresetId::night);
    EXPECT_FALSE(find_request(library(), "yours"));
    EXPECT_FALSE(find_request_in(folder / "nowhere.db", "mine"));
}

TEST_F(UserPresetsTest, WhatAnotherVersionWroteStandsForNothing) {
    ASSERT_TRUE(library().store_preset("old", "{\"target\":{}}"));
    ASSERT_TRUE(library().store_preset("broken", "{"));
    EXPECT_FALSE(find_request(library(), "old"));
    EXPECT_FALSE(find_request(library(), "broken"));
    EXPECT_TRUE(user_presets(library()).empty());
}

}  // namespace
}  // namespace lacquer
