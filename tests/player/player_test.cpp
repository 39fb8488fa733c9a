#include "src/player/player.h"

#include <gtest/gtest.h>

#include "tests/player/player_rig.h"

namespace lacquer::player {
namespace {

using State = PlayerStatus::State;

class PlayerTest : public testing::Test {
protected:
    static bool now() { return true; }
    // Each frame of the track once, from `first` on, to its end.
    void expect_whole(std::size_t track, std::size_t frames, std::int64_t first = 0) {
        const auto heard = rig.frames_of(track);
        ASSERT_EQ(heard.size(), frames - static_cast<std::size_t>(first)) << "track " << track;
        for (std::size_t i = 0; i < heard.size(); ++i) ASSERT_EQ(heard[i], first + static_cast<std::int64_t>(i));
    }
    test::PlayerRig rig;
};

TEST_F(PlayerTest, AListOfOneIsPlayedToItsLastFrame) {
    rig.add(1.0);
    EXPECT_EQ(rig.run(), 0u);
    expect_whole(0, 16'000);
    ASSERT_FALSE(rig.told.empty());
    EXPECT_EQ(rig.told.back().what, "ended");
    EXPECT_EQ(rig.told.back().status.track.number, 1u);
}

TEST_F(PlayerTest, NothingIsCutOffAtTheEndByADeviceWhoseTimePassesSlowly) {
    rig.add(0.6);
    rig.add(0.6, 22'050);
    rig.call_every_ms = 30;  // a third of the pace of 16 kHz: what waits for 50 ms of it waits for 150 of the wall's
    EXPECT_EQ(rig.run(), 0u);
    expect_whole(0, 9'600);
    expect_whole(1, 13'230);
    EXPECT_EQ(rig.sound.cut_off(), 0u);
}

TEST_F(PlayerTest, WhatIsToldToStartIsWhatTheStatusShows) {
    rig.call_every_ms = 10;
    for (int i = 0; i < 3; ++i) rig.add(0.7);
    rig.add(0.02);  // shorter than the device's latency
    rig.run();
    const auto started = rig.all("started");
    ASSERT_EQ(started.size(), 4u);
    for (std::size_t i = 0; i < started.size(); ++i) EXPECT_EQ(started[i].status.track.number, i + 1);
}

TEST_F(PlayerTest, AnotherRateBetweenTracksLosesNoFrameOfEither) {
    rig.add(0.9);
    rig.add(0.9, 22'050);
    rig.add(0.9);
    EXPECT_EQ(rig.run(), 0u);
    expect_whole(0, 14'400);
    expect_whole(1, 19'845);
    expect_whole(2, 14'400);
    std::vector<std::uint32_t> rates;
    for (const StreamRequest& request : rig.sound.opened()) rates.push_back(request.sample_rate_hz);
    EXPECT_EQ(rates, (std::vector<std::uint32_t>{16'000, 22'050, 16'000}));
}

TEST_F(PlayerTest, ACommandThatLeadsToAnotherRateIsToldThere) {
    rig.add(6.0);
    rig.add(1.0, 22'050);
    rig.ask_when([&] { return rig.heard_from(0, 0.5); }, {NextTrack{}});
    rig.run();
    const auto switched = rig.all("switched");
    ASSERT_EQ(switched.size(), 1u);
    EXPECT_EQ(switched[0].status.track.number, 2u);
}

// What waited in the device was not heard: 50 ms, 800 frames, are played once more, out of silence.
TEST_F(PlayerTest, ADeviceThatComesBackGoesOnWhereItStopped) {
    rig.call_every_ms = 10;
    rig.add(2.0);
    const auto go = [](auto what) {
        return [what] {
            what();
            return std::vector<PlayerCommand>{};
        };
    };
    rig.when([&] { return rig.heard_from(0, 0.5); }, go([&] { rig.sound.unplug("Speakers"); }));
    rig.when([&] { return rig.all("lost").size() == 1; }, go([&] { rig.sound.plug("Speakers"); }));
    EXPECT_EQ(rig.run(), 0u);
    const auto heard = rig.frames_of(0);
    const auto lost = static_cast<std::size_t>(
        std::adjacent_find(heard.begin(), heard.end(), [](auto a, auto b) { return b != a + 1; }) - heard.begin());
    ASSERT_LT(lost + 1, heard.size());
    EXPECT_EQ(heard[lost + 1], heard[lost] + 1 - 800);
    for (std::size_t i = lost + 2; i < heard.size(); ++i) ASSERT_EQ(heard[i], heard[i - 1] + 1);
    EXPECT_EQ(heard.front(), 0);
    EXPECT_EQ(heard.back(), 31'999);
    EXPECT_EQ(rig.all("opened").size(), 2u);
    const std::vector<float> recording = rig.sound.recording();
    const auto after =
        std::span<const float>(recording).subspan(2 * test::read_told(recording)[lost + 1].at, 2 * 4'000);
    EXPECT_LE(test::steepest(after), 1.01 / 480);
}

TEST_F(PlayerTest, WhatIsAskedForWithoutADeviceIsDoneAtTheRateItComesBackWith) {
    rig.add(6.0);
    rig.when([&] { return rig.heard_from(0, 0.5); },
             [&] {
                 rig.sound.unplug("Speakers");
                 return std::vector<PlayerCommand>{};
             });
    rig.when([&] { return rig.all("lost").size() == 1; },
             [&] {
                 rig.sound.only_rates("Speakers", {48'000});
                 rig.sound.plug("Speakers");
                 return std::vector<PlayerCommand>{SeekBy{4.0}, SelectPreset{"warm"}};
             });
    rig.ask_when([&] { return rig.all("switched").size() == 2; }, {Quit{}});
    rig.run();
    const auto switched = rig.all("switched");
    ASSERT_EQ(switched.size(), 2u);
    EXPECT_TRUE(rig.all("refused").empty());
    EXPECT_GE(switched[1].status.position_seconds, 4.5);
    EXPECT_EQ(switched[1].status.preset, "warm");
    EXPECT_EQ(switched[1].status.device_rate_hz, 48'000u);
}

TEST_F(PlayerTest, WhatCannotBeReadIsCountedAlsoAtTheEndOfTheList) {
    rig.add(0.3);
    rig.add_unreadable();
    rig.add_unreadable();
    EXPECT_EQ(rig.run(), 2u);
    EXPECT_EQ(rig.all("skipped").size(), 2u);
}

TEST_F(PlayerTest, NothingThatCanBeReadIsTheEnd) {
    for (int i = 0; i < 3; ++i) rig.add_unreadable();
    EXPECT_EQ(rig.run(), 3u);
    EXPECT_EQ(rig.told.back().what, "ended");
    EXPECT_TRUE(rig.sound.opened().empty());
}

TEST_F(PlayerTest, PausedItStaysAtTheEnd) {
    rig.add(4.0);
    rig.ask_when([&] { return rig.heard_from(0, 0.3); }, {TogglePause{}, SeekBy{60.0}});
    int looks = 0;
    rig.ask_when([&] { return rig.heard_from(0, 3.999) && ++looks > 50; }, {TogglePause{}});
    EXPECT_EQ(rig.run(), 0u);
    EXPECT_GT(looks, 50);
}

TEST_F(PlayerTest, PausedThereIsNoLevelToShow) {
    rig.add(8.0);
    const auto level = [&] { return rig.status.meters.peak_dbfs[0]; };
    rig.ask_when([&] { return rig.heard_from(0, 1.0) && level() > -1.0; }, {TogglePause{}});
    rig.ask_when([&] { return rig.status.state == State::paused && level() == -200.0; }, {TogglePause{}});
    rig.ask_when([&] { return level() > -1.0; }, {Quit{}});
    EXPECT_EQ(rig.run(), 0u);
}

TEST_F(PlayerTest, BeyondTheEndOfTheFirstTrackItBeginsWithTheNext) {
    rig.add(0.5);
    rig.add(0.5);
    EXPECT_EQ(rig.run({0, 7.0, test::untouched()}), 0u);
    EXPECT_EQ(rig.all("message").size(), 1u);
    EXPECT_TRUE(rig.frames_of(0).empty());
    expect_whole(1, 8'000);
}

TEST_F(PlayerTest, QuitEndsItWhileATrackIsLoaded) {
    rig.add(1.0);
    rig.slow = 0;
    rig.ask_when(now, {Quit{}});
    EXPECT_EQ(rig.run(), 0u);
    EXPECT_TRUE(rig.sound.opened().empty());
}

TEST_F(PlayerTest, QuitEndsItWithoutADeviceAndPaused) {
    rig.add(6.0);
    rig.when([&] { return rig.heard_from(0, 0.5); },
             [&] {
                 rig.sound.unplug("Speakers");
                 return std::vector<PlayerCommand>{TogglePause{}};
             });
    rig.ask_when([&] { return rig.all("lost").size() == 1 && rig.status.state == State::waiting_for_device; },
                 {Quit{}});
    EXPECT_EQ(rig.run(), 0u);
}

TEST_F(PlayerTest, QuitFades) {
    rig.call_every_ms = 10;
    rig.add(6.0);
    rig.ask_when([&] { return rig.heard_from(0, 0.5); }, {Quit{}});
    rig.run();
    const std::vector<float> recording = rig.sound.recording();
    const std::size_t first = test::read_told(recording).front().at;
    EXPECT_LE(test::steepest(std::span<const float>(recording).subspan(2 * first), 1.0), 1.01 / 480);
}

TEST_F(PlayerTest, UnderrunsAreCountedOverSessions) {
    rig.add(9.0);
    rig.add(9.0, 12'000);  // twice what a lane holds cannot be all of it
    const auto starve = [&] {
        rig.sound.advance(16'000 * 8, 160);
        return std::vector<PlayerCommand>{NextTrack{}};
    };
    rig.when([&] { return rig.heard_from(0, 0.3); }, starve);
    rig.when([&] { return rig.heard_from(1, 0.3); }, starve);
    rig.run();
    EXPECT_GE(rig.told.back().status.underruns, 2u);
    EXPECT_EQ(rig.told.back().status.underruns, rig.all("underrun").back().status.underruns);
}

}  // namespace
}  // namespace lacquer::player
