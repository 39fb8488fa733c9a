#include "src/player/aim.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace lacquer::player {
namespace {

constexpr double kLength = 200.0;

Heard hearing(std::size_t track, double seconds, bool already_enhanced = false) {
    auto playable = std::make_shared<PlayableTrack>();
    playable->index = track;
    playable->already_enhanced = already_enhanced;
    TimelineEntry entry;
    entry.track = playable;
    entry.track_seconds = kLength;
    entry.track_frames = 200'000;
    return {entry, 0, static_cast<std::int64_t>(seconds * 1'000.0), 0};
}

struct Case {
    std::string name;
    std::size_t track;  // what is heard
    double at;
    std::vector<PlayerCommand> commands;
    std::size_t to;  // the target
    std::optional<double> seconds;
    int direction = 1;
};

std::ostream& operator<<(std::ostream& out, const Case& what) {
    return out << what.name;
}

const std::optional<double> kHere = std::nullopt;

class AimAt : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(
    Commands, AimAt,
    testing::Values(
        Case{"a seek", 1, 10.0, {SeekBy{5.0}}, 1, 15.0},
        Case{"seeks add up", 1, 10.0, {SeekBy{5.0}, SeekBy{30.0}, SeekBy{-7.5}}, 1, 37.5},
        Case{"not before the beginning", 1, 10.0, {SeekBy{-30.0}}, 1, 0.0},
        Case{"from where it was held back", 1, 10.0, {SeekBy{-30.0}, SeekBy{5.0}}, 1, 5.0},
        Case{"not beyond the end", 1, 190.0, {SeekBy{30.0}, SeekBy{30.0}}, 1, kLength},
        Case{"back from the end", 1, 190.0, {SeekBy{30.0}, SeekBy{-5.0}}, 1, kLength - 5.0},
        Case{"the next track", 1, 10.0, {NextTrack{}}, 2, 0.0},
        Case{"and the one after that", 1, 10.0, {NextTrack{}, NextTrack{}}, 3, 0.0},
        Case{"into the next track", 1, 10.0, {NextTrack{}, SeekBy{30.0}}, 2, 30.0},
        Case{"not before the next track", 1, 10.0, {NextTrack{}, SeekBy{-5.0}}, 2, 0.0},
        Case{"beyond the last track", 7, 10.0, {NextTrack{}}, 8, 0.0},
        Case{"previous within 3 s", 1, 2.9, {PreviousTrack{}}, 0, 0.0, -1},
        Case{"previous at 3 s", 1, 3.0, {PreviousTrack{}}, 0, 0.0, -1},
        Case{"previous after 3 s", 1, 3.1, {PreviousTrack{}}, 1, 0.0},
        Case{"previous twice", 1, 3.1, {PreviousTrack{}, PreviousTrack{}}, 0, 0.0, -1},
        Case{"previous at the first", 0, 1.0, {PreviousTrack{}}, 0, 0.0},
        Case{"previous far back", 2, 1.0, {PreviousTrack{}, PreviousTrack{}, PreviousTrack{}}, 0, 0.0},
        Case{"next and back", 1, 50.0, {NextTrack{}, PreviousTrack{}}, 1, 0.0, -1},
        Case{"back and next", 1, 1.0, {PreviousTrack{}, NextTrack{}}, 1, 0.0},
        Case{"previous from a seek that is to come", 1, 1.0, {SeekBy{60.0}, PreviousTrack{}}, 1, 0.0},
        Case{"previous from a preset that is to come", 1, 50.0, {SelectPreset{"warm"}, PreviousTrack{}}, 1, 0.0},
        Case{"a preset", 1, 10.0, {SelectPreset{"warm"}}, 1, kHere},
        Case{"an intensity", 1, 10.0, {ChangeIntensity{-0.1}}, 1, kHere},
        Case{"the original", 1, 10.0, {ToggleOriginal{}}, 1, kHere},
        Case{"a preset and a seek", 1, 10.0, {SelectPreset{"warm"}, SeekBy{5.0}}, 1, 15.0},
        Case{"a seek and a preset", 1, 10.0, {SeekBy{5.0}, SelectPreset{"warm"}}, 1, 15.0},
        Case{"the next track's preset", 1, 10.0, {NextTrack{}, SelectPreset{"warm"}}, 2, 0.0}),
    [](const auto& made) {
        std::string name = made.param.name;
        for (char& c : name)
            if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
        return name;
    });

TEST_P(AimAt, TheTarget) {
    const Case& what = GetParam();
    Aim aim{ListeningChoice{}};
    for (const PlayerCommand& command : what.commands)
        EXPECT_EQ(aim.apply(command, hearing(what.track, what.at)), std::nullopt);
    ASSERT_TRUE(aim.target());
    EXPECT_EQ(aim.target()->track, what.to);
    ASSERT_EQ(aim.target()->seconds.has_value(), what.seconds.has_value());
    if (what.seconds) {
        EXPECT_NEAR(*aim.target()->seconds, *what.seconds, 1e-9);
    }
    EXPECT_EQ(aim.target()->direction, what.direction);
    EXPECT_EQ(aim.target()->commands.size(), what.commands.size());
}

// While a preset was on its way, the ear has come to the next track: "here" is there.
TEST(Aim, WhatWasAskedForHereGoesOnWithTheEar) {
    for (const auto& [command, track, seconds] : {std::tuple<PlayerCommand, std::size_t, double>{SeekBy{5.0}, 2, 5.5},
                                                  {NextTrack{}, 3, 0.0},
                                                  {PreviousTrack{}, 1, 0.0}}) {
        Aim aim{ListeningChoice{}};
        EXPECT_FALSE(aim.apply(SelectPreset{"warm"}, hearing(1, kLength - 0.1)));
        EXPECT_FALSE(aim.apply(command, hearing(2, 0.5)));
        EXPECT_EQ(aim.target()->track, track);
        EXPECT_NEAR(aim.target()->seconds.value_or(-1.0), seconds, 1e-9);
    }
}

TEST(Aim, IntensityGoesInWholeStepsFromNothingToAll) {
    Aim aim{ListeningChoice{}};
    const Heard heard = hearing(0, 1.0);
    std::vector<double> seen;
    for (int i = 0; i < 11; ++i) {
        EXPECT_FALSE(aim.apply(ChangeIntensity{-0.1}, heard));
        seen.push_back(aim.choice_for(0).request.intensity);
    }
    EXPECT_EQ(seen, (std::vector<double>{0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0, 0.0}));
    EXPECT_FALSE(aim.apply(ChangeIntensity{7.0}, heard));
    EXPECT_EQ(aim.choice_for(0).request.intensity, 1.0);
}

TEST(Aim, APresetReplacesAReferenceAndTheOriginal) {
    ListeningChoice choice;
    choice.request.reference.emplace();
    choice.original = true;
    Aim aim{choice};
    EXPECT_FALSE(aim.apply(SelectPreset{"warm"}, hearing(0, 1.0)));
    const ListeningChoice now = aim.choice_for(0);
    EXPECT_EQ(now.preset, "warm");
    EXPECT_EQ(now.request.preset, *dsp::find_preset("warm"));
    EXPECT_FALSE(now.request.reference);
    EXPECT_FALSE(now.original);
}

TEST(Aim, ComparingIsRememberedForTheTrackItWasAskedOn) {
    Aim aim{ListeningChoice{}};
    EXPECT_FALSE(aim.apply(ToggleOriginal{}, hearing(3, 1.0)));
    EXPECT_TRUE(aim.choice_for(3).original && aim.choice_for(3).compared);
    EXPECT_TRUE(aim.choice_for(4).original);
    EXPECT_FALSE(aim.choice_for(4).compared);
    EXPECT_FALSE(aim.apply(ToggleOriginal{}, hearing(3, 2.0)));
    EXPECT_FALSE(aim.choice_for(3).original);
    EXPECT_TRUE(aim.choice_for(3).compared) << "as loud as it was when compared";
}

TEST(Aim, GoesOnWithATrackThatWasComparedElsewhere) {
    const Aim aim{ListeningChoice{}, 2};
    EXPECT_TRUE(aim.choice_for(2).compared);
    EXPECT_FALSE(aim.choice_for(3).compared);
}

TEST(Aim, SeeksFromWhereItIsToBeginBeforeAnythingIsHeard) {
    Aim aim{ListeningChoice{}};
    aim.aim_at({1, 20.0});
    EXPECT_FALSE(aim.apply(SeekBy{5.0}, std::nullopt));
    EXPECT_EQ(aim.target()->track, 1u);
    EXPECT_EQ(aim.target()->seconds, 25.0);
}

TEST(Aim, RefusesWhatHasNothingToCompareAndLeavesEverythingAsItIs) {
    Aim aim{ListeningChoice{}};
    const Heard enhanced = hearing(0, 1.0, true);
    for (const PlayerCommand& command :
         {PlayerCommand{ToggleOriginal{}}, PlayerCommand{SelectPreset{"warm"}}, PlayerCommand{ChangeIntensity{-0.1}}})
        EXPECT_NE(aim.apply(command, enhanced).value_or("").find("enhanced already"), std::string::npos);
    EXPECT_EQ(aim.apply(SelectPreset{"loud"}, hearing(0, 1.0)), "there is no preset 'loud'");
    EXPECT_EQ(aim.apply(SeekBy{5.0}, std::nullopt), "nothing is playing yet");
    EXPECT_FALSE(aim.target());
    EXPECT_EQ(aim.choice_for(0).preset, "adaptive");
    EXPECT_EQ(aim.choice_for(0).request.intensity, 1.0);
    EXPECT_FALSE(aim.apply(ChangeIntensity{-1.0}, hearing(0, 1.0)));
    EXPECT_EQ(aim.apply(ToggleOriginal{}, hearing(0, 1.0)), "at intensity 0 the original is heard");
    EXPECT_FALSE(aim.choice_for(0).original);
}

TEST(Aim, BeforeAnythingIsHeardCommandsStartFromWhereItIsToBegin) {
    Aim aim{ListeningChoice{}};
    aim.aim_at({5, 20.0});
    EXPECT_FALSE(aim.apply(SelectPreset{"warm"}, std::nullopt));
    EXPECT_EQ(aim.target()->track, 5u);
    EXPECT_EQ(aim.target()->seconds, 20.0);
    EXPECT_FALSE(aim.apply(NextTrack{}, std::nullopt));
    EXPECT_EQ(aim.target()->track, 6u);
}

}  // namespace
}  // namespace lacquer::player
