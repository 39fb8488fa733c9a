#include "src/profile_json.h"

#include <bit>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "dsp/profile_meter.h"
#include "tests/support/signals.h"

namespace lacquer {
namespace {

dsp::Profile measured() {
    const auto audio = test::pink_noise(1, -20.0, 7.3);
    dsp::ProfileMeter meter(48'000, 2);
    meter.measure(audio.block());
    return dsp::finish_profile(meter.take(), static_cast<std::int64_t>(audio.frame_count()), false);
}

std::string refusal(const nlohmann::json& json) {
    try {
        profile_from_json(json);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "accepted";
}

TEST(ProfileJson, ComesBackToTheBitThroughText) {
    const dsp::Profile before = measured();
    const auto json = profile_to_json(before);
    const dsp::Profile after = profile_from_json(nlohmann::json::parse(json.dump()));
    EXPECT_EQ(profile_to_json(after), json);
    EXPECT_EQ(std::bit_cast<std::uint64_t>(after.integrated_lufs),
              std::bit_cast<std::uint64_t>(before.integrated_lufs));
    EXPECT_EQ(after.octave_dbfs, before.octave_dbfs);
    EXPECT_EQ(after.third_octave_dbfs, before.third_octave_dbfs);
    EXPECT_EQ(after.band_levels, before.band_levels);
    EXPECT_EQ(after.short_term_lufs, before.short_term_lufs);
    EXPECT_EQ(after.speech_confidence, before.speech_confidence);
    EXPECT_EQ(after.frame_count, before.frame_count);
}

TEST(ProfileJson, NamesAreCamelCaseWithUnits) {
    const auto json = profile_to_json(measured());
    for (const char* name : {"sampleRateHz", "integratedLufs", "loudnessRangeLu", "truePeakDbtp", "sideToMidDb"})
        EXPECT_TRUE(json.contains(name)) << name;
    EXPECT_EQ(json["sampleRateHz"], 48'000);
}

TEST(ProfileJson, FloorsAreNumbers) {
    dsp::ProfileMeter meter(48'000, 2);
    meter.measure(test::silence(1.0).block());
    const auto json = profile_to_json(dsp::finish_profile(meter.take(), 48'000, false));
    EXPECT_EQ(json["integratedLufs"], -70.0);
    EXPECT_EQ(json["truePeakDbtp"], -200.0);
    EXPECT_EQ(json.dump().find("null"), std::string::npos);
}

TEST(ProfileJson, EveryMissingFieldIsNamed) {
    const auto whole = profile_to_json(measured());
    for (const auto& [name, value] : whole.items()) {
        auto json = whole;
        json.erase(name);
        EXPECT_EQ(refusal(json), "profile field \"" + name + "\" is missing");
    }
}

TEST(ProfileJson, WrongFieldsAreNamed) {
    const auto with = [whole = profile_to_json(measured())](const char* name, const nlohmann::json& value) {
        auto json = whole;
        json[name] = value;
        return refusal(json);
    };
    EXPECT_NE(with("sampleRateHz", -1).find("sampleRateHz"), std::string::npos);
    EXPECT_NE(with("sampleRateHz", 44'100.5).find("sampleRateHz"), std::string::npos);
    EXPECT_NE(with("sampleRateHz", 5'000'000'000).find("sampleRateHz"), std::string::npos);
    EXPECT_NE(with("integratedLufs", nullptr).find("integratedLufs"), std::string::npos);
    EXPECT_NE(with("integratedLufs", "-14").find("integratedLufs"), std::string::npos);
    EXPECT_NE(with("provisional", 1).find("provisional"), std::string::npos);
    EXPECT_NE(with("octaveDbfs", {1.0, 2.0}).find("octaveDbfs"), std::string::npos);
    EXPECT_NE(with("shortTermLufs", {1.0, "x"}).find("shortTermLufs[1]"), std::string::npos);
    EXPECT_NE(refusal(nlohmann::json::array()), "accepted");
}

TEST(ProfileJson, UnknownFieldsAreIgnored) {
    auto json = profile_to_json(measured());
    json["file"] = "a.flac";
    EXPECT_NO_THROW(profile_from_json(json));
}

}  // namespace
}  // namespace lacquer
