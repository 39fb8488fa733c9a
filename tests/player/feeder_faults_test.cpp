// What cannot be read, or not be switched to.
#include <filesystem>

#include "tests/player/feeder_fixture.h"

namespace lacquer::player {
namespace {

using Kind = FeedEvent::Kind;
using test::Deck;

class FeederFaultsTest : public test::FeederTest {};

TEST_F(FeederFaultsTest, UnreadableTracksAreSkippedOnceEachAndLeaveNoGap) {
    deck.add(1.0);
    for (int i = 0; i < 5; ++i) deck.add_unreadable();
    deck.add(1.0);
    deck.add_unreadable();
    deck.start();
    deck.listen_to_the_end();
    ASSERT_EQ(heard().size(), 2u);
    EXPECT_EQ(heard()[0].end, Deck::place(0, 1.0));
    EXPECT_EQ(heard()[1].at, heard()[0].at_end());
    EXPECT_EQ(heard()[1].begin, Deck::place(6, 0.0));
    EXPECT_EQ(deck.skipped(), (std::vector<std::size_t>{1, 2, 3, 4, 5, 7}));
}

TEST_F(FeederFaultsTest, GoesBackOverWhatCannotBeReadAndForwardsFromTheFirst) {
    deck.add_unreadable();
    deck.add(4.0);
    deck.add_unreadable();
    deck.add(4.0);
    deck.start();
    deck.listen(0.5);
    EXPECT_EQ(heard().back().begin, Deck::place(1, 0.0));
    deck.ask(NextTrack{});
    deck.listen(0.5);
    expect_faded_to(Deck::place(3, 0.0));
    deck.ask(PreviousTrack{});
    deck.listen(0.5);
    expect_faded_to(Deck::place(1, 0.0));
    deck.ask(PreviousTrack{});
    deck.listen(0.5);
    expect_faded_to(Deck::place(1, 0.0));
}

// What was fed before it broke off is heard, and so is the end of the track before it; no click at the break.
TEST_F(FeederFaultsTest, ATrackThatBreaksOffIsFollowedByTheNextOne) {
    deck.faults->set({.from_frame = 100'000});
    deck.add(1.0);
    deck.add(8.0);
    deck.add(1.0);
    deck.start();
    deck.listen_to_the_end();
    const auto all = heard();
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[0].end, Deck::place(0, 1.0));
    EXPECT_EQ(all[1].at, all[0].at_end());
    EXPECT_GE(all[1].end, Deck::place(1, 4.5));
    constexpr std::size_t kDiesAwayIn = 80;
    EXPECT_EQ(all[2].at, all[1].at_end() + kDiesAwayIn);
    const auto broken = std::span<const float>(deck.heard).subspan(2 * all[1].at, 2 * (all[2].at - all[1].at));
    EXPECT_LE(test::steepest(broken, 1.0), 1.001 / kDiesAwayIn);
    EXPECT_EQ(all[2].begin, Deck::place(2, 0.0));
    EXPECT_EQ(deck.skipped(), std::vector<std::size_t>{1});
}

TEST_F(FeederFaultsTest, ATrackThatBreaksOffFromItsFirstFrameDoesNotCutTheOneBefore) {
    deck.add(2.0);
    deck.add(8.0);
    deck.add(1.0);
    deck.tracks[1] = [&] {
        auto gone = std::make_shared<PlayableTrack>(*deck.tracks[1]);
        gone->input.file.path = deck.directory.path() / "gone.wav";
        return gone;
    }();
    deck.start();
    deck.listen_to_the_end();
    ASSERT_EQ(heard().size(), 2u);
    EXPECT_EQ(heard()[0].end, Deck::place(0, 2.0));
    EXPECT_EQ(heard()[1].at, heard()[0].at_end());
    EXPECT_EQ(heard()[1].begin, Deck::place(2, 0.0));
    EXPECT_EQ(deck.skipped(), std::vector<std::size_t>{1});
}

TEST_F(FeederFaultsTest, ASeekThatCannotBeMadeAfterTheLastFrameWasFedLeavesTheEndAsItWas) {
    deck.add(9.0);
    deck.start(0, 7.5);
    ASSERT_TRUE(test::eventually([&] { return deck.feeder->end().has_value(); }));
    deck.listen(0.5);
    std::filesystem::remove(deck.tracks[0]->input.file.path);
    EXPECT_EQ(deck.ask(SeekBy{-7.0}).kind, Kind::refused);
    ASSERT_TRUE(test::eventually([&] { return deck.feeder->end().has_value(); }));
    deck.listen_to_the_end();
    EXPECT_EQ(heard().back().end, Deck::place(0, 9.0));
}

TEST_F(FeederFaultsTest, WhatIsRefusedSaysWhyAndChangesNothing) {
    deck.add(9.0);
    deck.start();
    deck.listen(1.0);
    const FeedEvent refused = deck.ask(ToggleOriginal{});
    EXPECT_EQ(refused.kind, Kind::refused);
    EXPECT_EQ(refused.reason, "at intensity 0 the original is heard");
    deck.listen(1.0);
    EXPECT_EQ(heard().size(), 1u);
}

// No recipe can be derived from a profile without a rate.
TEST_F(FeederFaultsTest, ARecipeThatCannotBeHadIsRefusedAndWhatIsHeardGoesOn) {
    deck.add(9.0);
    deck.start();
    deck.listen(1.0);
    EXPECT_EQ(deck.ask(ChangeIntensity{0.5}).kind, Kind::refused);
    deck.listen(1.0);
    EXPECT_EQ(heard().size(), 1u);
    EXPECT_EQ(deck.feeder->choice().request.intensity, 0.0);
    EXPECT_TRUE(deck.skipped().empty());
}

TEST_F(FeederFaultsTest, WhereAFileThatHasGoneCannotBeReadItIsNotSwitchedTo) {
    deck.add(40.0);
    deck.add(1.0);
    deck.start();
    deck.listen(1.0);
    std::filesystem::remove(deck.tracks[0]->input.file.path);
    EXPECT_EQ(deck.ask(SeekBy{35.0}).kind, Kind::refused);
    deck.listen(1.0);
    ASSERT_EQ(heard().size(), 1u);
    EXPECT_EQ(heard()[0].end, Deck::place(0, 2.0));
    EXPECT_TRUE(deck.skipped().empty());
}

}  // namespace
}  // namespace lacquer::player
