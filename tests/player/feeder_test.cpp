#include "src/player/feeder.h"

#include "tests/player/feeder_fixture.h"

namespace lacquer::player {
namespace {

using Kind = FeedEvent::Kind;
using test::Deck;
using test::Stretch;

class FeederTest : public test::FeederTest {};

TEST_F(FeederTest, PlaysAListToItsEndWithNothingBetweenTheTracks) {
    const std::vector<double> seconds{2.3, 0.05, 6.8, 0.0125, 3.0};
    for (const double length : seconds) deck.add(length);
    deck.start();
    deck.listen_to_the_end();
    const auto all = heard();
    ASSERT_EQ(all.size(), seconds.size());
    std::size_t at = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].at, at);
        EXPECT_EQ(all[i].begin, Deck::place(i, 0.0));
        EXPECT_EQ(all[i].end, Deck::place(i, seconds[i]));
        at = all[i].at_end();
    }
    ASSERT_TRUE(deck.feeder->end());
    EXPECT_FALSE(deck.feeder->end()->next);
    EXPECT_FALSE(deck.feeder->end()->at_once);
    EXPECT_EQ(deck.heard[0], 1.0f) << "the beginning of a track is not touched";
}

TEST_F(FeederTest, TheListIsNotPlayedOutBeforeItsLastFrame) {
    deck.add(1.0);
    deck.start();
    ASSERT_TRUE(test::eventually([&] { return deck.feeder->end().has_value(); }));
    deck.listen(0.99);
    EXPECT_FALSE(deck.feeder->played_out());
    deck.listen(0.02);
    EXPECT_TRUE(deck.feeder->played_out());
}

// A machine that lets the feeder do nothing for half a second: what it had ready before the first frame lasts as long.
TEST_F(FeederTest, HalfASecondIsReadyBeforeTheFirstFrameIsHeard) {
    deck.add(5.0);
    deck.faults->set({.from_frame = 8'000, .blocks = true});
    deck.start();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // as far as it gets
    deck.take(Deck::kRateHz);
    EXPECT_TRUE(heard().empty());
    deck.faults->release();
    ASSERT_TRUE(test::eventually([&] {
        deck.take(16);
        return !heard().empty();
    }));
    EXPECT_EQ(heard()[0].begin, 0);
    EXPECT_GE(deck.feeder->buffered_seconds(), 0.5);
}

TEST_F(FeederTest, AShortFirstTrackDoesNotWaitForOneThatTakesLong) {
    deck.add(0.3);
    deck.add(2.0);
    deck.slow = 1;
    deck.start();
    ASSERT_TRUE(test::eventually([&] {
        deck.take(16);
        return !heard().empty();
    }));
    EXPECT_EQ(heard()[0].begin, 0);
    deck.slow = Deck::kNone;
    deck.listen_to_the_end();
    EXPECT_EQ(heard().back().end, Deck::place(1, 2.0));
}

TEST_F(FeederTest, BeginsWhereItIsToldTo) {
    deck.add(1.0);
    deck.add(8.0);
    deck.start(1, 5.5);
    deck.listen(1.0);
    ASSERT_EQ(heard().size(), 1u);
    EXPECT_EQ(heard()[0].begin, Deck::place(1, 5.5));
    EXPECT_LT(deck.heard[0], 0.01f) << "in the middle: it fades in";
}

TEST_F(FeederTest, ASeekFadesToItsPlaceFromWhatIsHeard) {
    deck.add(9.0);
    deck.start();
    deck.listen(1.0);
    EXPECT_EQ(deck.ask(SeekBy{5.0}).kind, Kind::switched);
    deck.listen(1.0);
    expect_faded_to(Deck::place(0, 6.0));
    EXPECT_EQ(heard()[0].end, Deck::place(0, 1.0));
    deck.ask(SeekBy{-30.0});
    deck.listen(1.0);
    expect_faded_to(Deck::place(0, 0.0));
}

TEST_F(FeederTest, AChangeOfPresetGoesOnAtTheVeryFrame) {
    deck.add(9.0);
    deck.start();
    for (const char* preset : {"warm", "night", "warm", "adaptive"}) {
        deck.listen(0.5);
        const auto before = deck.mixer.position();
        deck.feeder->ask(SelectPreset{preset});
        deck.listen(0.05);  // it drifts on while the switch is made
        ASSERT_TRUE(test::eventually([&] {
            deck.listen(0.01);
            return deck.mixer.position()->run != before->run;
        }));
        EXPECT_EQ(deck.feeder->choice().preset, preset);
        EXPECT_EQ(deck.feeder->heard()->entry.choice.preset, preset);
    }
    deck.listen(0.5);
    ASSERT_EQ(heard().size(), 1u) << "unbroken";
    EXPECT_EQ(heard()[0].begin, 0);
    EXPECT_EQ(heard()[0].at_end(), deck.heard.size() / 2);
}

TEST_F(FeederTest, ManySeeksAtOnceAddUpHoweverTheyAreTaken) {
    deck.add(9.0);
    deck.start();
    deck.listen(1.0);
    for (int i = 0; i < 25; ++i) {
        deck.feeder->ask(SeekBy{0.2});
        if (i % 5 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));  // some are taken by then
    }
    ASSERT_TRUE(test::eventually([&] {
        deck.gather_events();
        if (deck.events.size() < 25) deck.listen(0.01);
        return deck.events.size() == 25;
    }));
    deck.listen(0.5);
    EXPECT_EQ(heard().back().begin, Deck::place(0, 6.0) + Deck::kFade - 1);
}

TEST_F(FeederTest, GoesToTheNextTrackAndBack) {
    for (int i = 0; i < 3; ++i) deck.add(6.0);
    deck.start();
    deck.listen(1.0);
    deck.ask(NextTrack{});
    deck.listen(1.0);
    expect_faded_to(Deck::place(1, 0.0));
    deck.ask(PreviousTrack{});
    deck.listen(4.0);
    expect_faded_to(Deck::place(0, 0.0));
    deck.ask(PreviousTrack{});
    deck.listen(1.0);
    expect_faded_to(Deck::place(0, 0.0));
}

TEST_F(FeederTest, BeyondTheLastTrackIsTheEndAtOnce) {
    deck.add(6.0);
    deck.start();
    deck.listen(1.0);
    deck.ask(NextTrack{});
    ASSERT_TRUE(deck.feeder->end());
    EXPECT_TRUE(deck.feeder->end()->at_once);
    EXPECT_FALSE(deck.feeder->end()->next);
}

TEST_F(FeederTest, AfterTheLastFrameWasFedOneCanStillGoBack) {
    deck.add(2.0);
    deck.add(2.0);
    deck.start();
    deck.listen(2.5);
    ASSERT_TRUE(test::eventually([&] { return deck.feeder->end().has_value(); }));
    deck.ask(PreviousTrack{});
    EXPECT_FALSE(deck.feeder->played_out());
    deck.listen(0.5);
    expect_faded_to(Deck::place(0, 0.0));
    deck.listen_to_the_end();
    EXPECT_EQ(heard().back().end, Deck::place(1, 2.0));
}

TEST_F(FeederTest, ATrackOfAnotherRateEndsTheFeedingInThisFormat) {
    deck.add(1.0);
    deck.add(1.0, 22'050);
    deck.start();
    deck.listen_to_the_end();
    EXPECT_EQ(heard().back().end, Deck::place(0, 1.0));
    ASSERT_TRUE(deck.feeder->end() && deck.feeder->end()->next);
    EXPECT_EQ(deck.feeder->end()->next->track, 1u);
    EXPECT_EQ(deck.feeder->end()->next->seconds, 0.0);
    EXPECT_FALSE(deck.feeder->end()->at_once);
}

TEST_F(FeederTest, ACommandThatLeadsToAnotherRateEndsItAtOnce) {
    deck.add(6.0);
    deck.add(6.0, 22'050);
    deck.start();
    deck.listen(1.0);
    deck.feeder->ask(NextTrack{});
    ASSERT_TRUE(test::eventually([&] { return deck.feeder->end().has_value(); }));
    EXPECT_TRUE(deck.feeder->end()->at_once);
    ASSERT_TRUE(deck.feeder->end()->next);
    EXPECT_EQ(deck.feeder->end()->next->track, 1u);
    EXPECT_FALSE(deck.feeder->played_out()) << "it is not to be heard out";
    deck.feeder->ask(SeekBy{1.0});
}

// A track that takes long to be loaded: until then the old one goes on, longer than what was ready ahead.
TEST_F(FeederTest, WhatIsHeardGoesOnWhileTheNextTrackIsLoaded) {
    deck.add(9.0);
    deck.add(2.0);
    deck.add(6.0);
    deck.slow = 1;  // however the two commands are taken
    deck.start();
    deck.listen(0.5);
    deck.feeder->ask(NextTrack{});
    deck.feeder->ask(NextTrack{});
    deck.listen(6.0);
    ASSERT_EQ(heard().size(), 1u);
    EXPECT_EQ(heard()[0].end, Deck::place(0, 6.5));
    deck.slow = Deck::kNone;
    ASSERT_TRUE(test::eventually([&] {
        deck.gather_events();
        return deck.events.size() == 2;
    }));
    deck.listen(0.5);
    expect_faded_to(Deck::place(2, 0.0));
}

TEST_F(FeederTest, CommandsAreMadeWhilePaused) {
    deck.add(9.0);
    deck.start();
    deck.listen(1.0);
    deck.mixer.pause(true);
    deck.listen(0.1);
    deck.ask(SeekBy{5.0});
    deck.listen(0.1);
    deck.mixer.pause(false);
    deck.listen(1.0);
    ASSERT_EQ(heard().size(), 2u);
    EXPECT_EQ(heard()[0].end, Deck::place(0, 1.0) + Deck::kFade);
    EXPECT_EQ(heard()[1].begin, heard()[0].end + 5 * Deck::kRateHz);
}

// Nothing follows yet that the fade could end in: until something does, the old place is heard.
TEST_F(FeederTest, ASeekToTheEndWaitsForTheNextTrackAndStarvesNobody) {
    deck.add(9.0);
    deck.add(2.0);
    deck.slow = 1;
    deck.start();
    deck.listen(0.5);
    deck.feeder->ask(SeekBy{30.0});
    deck.listen(7.0);
    ASSERT_EQ(heard().size(), 1u);
    EXPECT_EQ(heard()[0].end, Deck::place(0, 7.5));
    deck.slow = Deck::kNone;
    deck.listen(0.5);
    ASSERT_TRUE(test::eventually([&] {
        deck.gather_events();
        return deck.events.size() == 1;
    }));
    deck.listen(1.0);
    ASSERT_EQ(heard().size(), 2u);
    EXPECT_EQ(heard()[1].begin, Deck::place(1, 0.0) + Deck::kFade - 1);
}

}  // namespace
}  // namespace lacquer::player
