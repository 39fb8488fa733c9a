#include "src/player/devices_command.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/player/exit_codes.h"
#include "tests/player/fake_sound.h"

namespace lacquer::player {
namespace {

std::string printed(const std::vector<SoundDevice>& devices, bool as_json) {
    std::ostringstream out;
    print_devices(devices, as_json, out);
    return out.str();
}

TEST(DevicesCommandTest, ListsADeviceALineWithTheDefaultsMarked) {
    const test::FakeSoundSystem system({test::fake_device("Köhler & Söhne"), test::fake_device("HDMI", 44'100)});
    EXPECT_EQ(printed(system.devices(), false),
              "  #  name            in  out     rate    latency  driver\n"
              "  0  Köhler & Söhne   2    2   48000   10-40  ms  Fake  default for both\n"
              "  1  HDMI             2    2   44100   10-40  ms  Fake\n");
}

TEST(DevicesCommandTest, AsJsonEveryFieldHasItsName) {
    const test::FakeSoundSystem system;
    const auto answer = nlohmann::json::parse(printed(system.devices(), true));
    ASSERT_EQ(answer["devices"].size(), 1u);
    const auto& device = answer["devices"][0];
    EXPECT_EQ(device["index"], 0);
    EXPECT_EQ(device["name"], "Speakers");
    EXPECT_EQ(device["hostApi"], "Fake");
    EXPECT_EQ(device["inputChannels"], 2);
    EXPECT_EQ(device["outputChannels"], 2);
    EXPECT_EQ(device["defaultRateHz"], 48'000);
    EXPECT_EQ(device["lowLatencyMs"], 10.0);
    EXPECT_EQ(device["highLatencyMs"], 40.0);
    EXPECT_EQ(device["defaultInput"], true);
    EXPECT_EQ(device["defaultOutput"], true);
}

TEST(DevicesCommandTest, NamesThatAreNoTextDoNotBreakTheJson) {
    const test::FakeSoundSystem system({test::fake_device("\xff\xfe")});
    EXPECT_TRUE(nlohmann::json::accept(printed(system.devices(), true)));
}

TEST(DevicesCommandTest, EachReasonHasItsExitCode) {
    EXPECT_EQ(exit_code_of(SoundError::Reason::no_device), 3);
    EXPECT_EQ(exit_code_of(SoundError::Reason::busy), 4);
    EXPECT_EQ(exit_code_of(SoundError::Reason::unsupported), 5);
    EXPECT_EQ(exit_code_of(SoundError::Reason::failed), 6);
}

}  // namespace
}  // namespace lacquer::player
