#include "src/player/timeline.h"

#include <gtest/gtest.h>

namespace lacquer::player {
namespace {

TimelineEntry entry(std::uint64_t lane_frame, std::int64_t track_frame, std::size_t track = 0) {
    TimelineEntry made;
    made.lane_frame = lane_frame;
    made.track_frame = track_frame;
    made.meter_frame = 1'000'000 + static_cast<std::int64_t>(lane_frame);
    auto playable = std::make_shared<PlayableTrack>();
    playable->index = track;
    made.track = playable;
    return made;
}

TEST(Timeline, KnowsNothingBeforeTheFirstRun) {
    EXPECT_FALSE(Timeline().at({0, 0}));
}

TEST(Timeline, TellsTrackAndPlaceOfEveryFrameOfARun) {
    Timeline timeline;
    timeline.begin_run(3, entry(0, 500, 7));
    timeline.append(entry(100, 0, 8), 0);
    timeline.append(entry(130, 0, 9), 0);
    struct {
        std::uint64_t frame;
        std::size_t track;
        std::int64_t track_frame;
    } const expected[] = {{0, 7, 500}, {99, 7, 599}, {100, 8, 0}, {129, 8, 29}, {130, 9, 0}, {1'000, 9, 870}};
    for (const auto& [frame, track, track_frame] : expected) {
        const auto heard = timeline.at({3, frame});
        ASSERT_TRUE(heard);
        EXPECT_EQ(heard->run, 3);
        EXPECT_EQ(heard->entry.track->index, track) << frame;
        EXPECT_EQ(heard->track_frame, track_frame) << frame;
        EXPECT_EQ(heard->meter_frame, 1'000'000 + static_cast<std::int64_t>(frame));
    }
}

TEST(Timeline, LooksBackAsFarAsTheRunGoes) {
    Timeline timeline;
    timeline.begin_run(3, entry(0, 500, 7));
    timeline.append(entry(100, 0, 8), 0);
    EXPECT_EQ(timeline.at({3, 120}, 10)->track_frame, 10);
    EXPECT_EQ(timeline.at({3, 120}, 30)->track_frame, 590);
    EXPECT_EQ(timeline.at({3, 120}, 30)->entry.track->index, 7u);
    EXPECT_EQ(timeline.at({3, 120}, 5'000)->track_frame, 500);
}

TEST(Timeline, ARunThatIsPreparedDoesNotTouchTheOneThatIsHeard) {
    Timeline timeline;
    timeline.begin_run(1, entry(0, 0));
    timeline.begin_run(2, entry(0, 9'000));
    EXPECT_EQ(timeline.at({1, 10})->track_frame, 10);
    EXPECT_EQ(timeline.at({2, 10})->track_frame, 9'010);
    timeline.forget_run(2);
    EXPECT_FALSE(timeline.at({2, 10}));
    timeline.append(entry(50, 0, 4), 0);
    EXPECT_EQ(timeline.at({1, 60})->entry.track->index, 4u);
}

TEST(Timeline, ForgetsRunsThatWereLeftLongAgo) {
    Timeline timeline;
    for (std::uint16_t run = 0; run < 10; ++run) timeline.begin_run(run, entry(0, run));
    EXPECT_FALSE(timeline.at({0, 0}));
    for (std::uint16_t run = 7; run < 10; ++run) EXPECT_EQ(timeline.at({run, 0})->track_frame, run);
}

TEST(Timeline, WhateverIsAheadOfTheEarIsKeptHoweverShortTheTracks) {
    Timeline timeline;
    timeline.begin_run(0, entry(0, 0, 0));
    for (std::size_t track = 1; track <= 1'000; ++track) timeline.append(entry(track * 10, 0, track), 20);
    for (std::size_t track = 2; track <= 1'000; ++track) {
        ASSERT_EQ(timeline.at({0, track * 10 + 5})->entry.track->index, track);
    }
}

TEST(Timeline, WhatEndedBeforeItIsAskedForAnyMoreIsForgotten) {
    Timeline timeline;
    timeline.begin_run(0, entry(0, 0, 0));
    timeline.append(entry(1'000, 0, 1), 500);
    EXPECT_EQ(timeline.at({0, 500})->entry.track->index, 0u);
    timeline.append(entry(2'000, 0, 2), 1'000);
    EXPECT_EQ(timeline.at({0, 500})->entry.track->index, 1u);  // as far back as is known
    EXPECT_EQ(timeline.at({0, 1'000})->entry.track->index, 1u);
}

}  // namespace
}  // namespace lacquer::player
