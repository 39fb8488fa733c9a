#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/player/sound_system.h"
#include "tests/player/fake_sound.h"

namespace lacquer::player {
namespace {

using test::fake_device;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string problem_of(const SoundSystem& system, const std::string& wanted, Direction direction) {
    try {
        return "found " + find_device(system, wanted, direction).name;
    } catch (const SoundError& error) {
        EXPECT_EQ(error.reason(), SoundError::Reason::no_device);
        return error.what();
    }
}

SoundDevice microphone() {
    SoundDevice device = fake_device("USB Microphone");
    device.output_channels = 0;
    return device;
}

class FindDeviceTest : public testing::Test {
protected:
    std::string found(const std::string& wanted, Direction direction = Direction::output) const {
        return find_device(system_, wanted, direction).name;
    }
    test::FakeSoundSystem system_{{fake_device("Built-in"), fake_device("USB Headset"), microphone(),
                                   fake_device("HDMI 0"), fake_device("HDMI 1")}};
};

TEST_F(FindDeviceTest, NothingWantedIsTheDefault) {
    EXPECT_EQ(found(""), "Built-in");
    EXPECT_EQ(found("", Direction::input), "Built-in");
}

TEST_F(FindDeviceTest, AnIndexIsTheOneOfTheList) {
    EXPECT_EQ(found("1"), "USB Headset");
    EXPECT_EQ(found("2", Direction::input), "USB Microphone");
}

TEST_F(FindDeviceTest, APartOfTheNameWillDoInAnyLetterCase) {
    EXPECT_EQ(found("hEADs"), "USB Headset");
}

TEST_F(FindDeviceTest, OnlyDevicesOfTheDirectionCount) {
    EXPECT_EQ(found("usb"), "USB Headset");
    EXPECT_THAT(problem_of(system_, "microphone", Direction::output), HasSubstr("'microphone'"));
    EXPECT_THAT(problem_of(system_, "2", Direction::output), HasSubstr("'2'"));
}

TEST_F(FindDeviceTest, APartOfTwoNamesIsRefusedAndTheOutputsAreListed) {
    EXPECT_THAT(problem_of(system_, "hdmi", Direction::output),
                AllOf(HasSubstr("'hdmi'"), HasSubstr("0: Built-in (Fake)"), HasSubstr("4: HDMI 1 (Fake)"),
                      Not(HasSubstr("Microphone"))));
}

TEST_F(FindDeviceTest, AWholeNameBeatsAPartOfAnother) {
    const test::FakeSoundSystem system({fake_device("pulse in disguise"), fake_device("pulse")});
    EXPECT_EQ(find_device(system, "pulse", Direction::output).index, 1);
}

TEST_F(FindDeviceTest, WithoutAnyDeviceItSaysSo) {
    const test::FakeSoundSystem nothing{std::vector<SoundDevice>{}};
    EXPECT_EQ(problem_of(nothing, "", Direction::output), "there is no sound output device");
    EXPECT_EQ(problem_of(nothing, "x", Direction::input), "there is no sound input device");
}

}  // namespace
}  // namespace lacquer::player
