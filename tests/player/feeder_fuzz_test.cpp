// Random commands at random moments against a model that knows where they lead.
#include <gtest/gtest.h>

#include "tests/player/deck.h"

namespace lacquer::player {
namespace {

using test::Deck;

const std::vector<double> kSeconds{6.4, 7.3, 2.0, 8.0, 5.5};

class FeederFuzz : public testing::TestWithParam<std::uint64_t> {
protected:
    void SetUp() override {
        for (const double seconds : kSeconds) deck.add(seconds);
        deck.start(random.below(kSeconds.size() - 1), random.below(3) == 0 ? 1.5 : 0.0);
        deck.listen(0.2);
    }
    PlayerCommand any_command() {
        switch (random.below(6)) {
            case 0:
                return NextTrack{};
            case 1:
                return PreviousTrack{};
            case 2:
                return SelectPreset{random.below(2) == 0 ? "warm" : "night"};
            case 3:
                return ToggleOriginal{};  // refused: nothing is enhanced
            default:
                return SeekBy{0.25 * static_cast<double>(random.below(21)) - 2.5};
        }
    }
    std::size_t track() const { return deck.feeder->heard()->entry.track->index; }
    std::int64_t frame() const { return deck.feeder->heard()->track_frame; }
    bool is_over() const { return deck.feeder->end() && deck.feeder->end()->at_once; }

    // What is heard is always a stretch of one of the tracks, and the seams are fades, or from an end to a beginning.
    void expect_only_what_there_is() const {
        const auto all = test::stretches(deck.heard);
        for (std::size_t i = 0; i < all.size(); ++i) {
            const auto of = static_cast<std::size_t>(all[i].begin / Deck::kTrackPlaces);
            ASSERT_LT(of, kSeconds.size());
            ASSERT_LE(all[i].end, Deck::place(of, kSeconds[of]));
            if (i == 0 || all[i].at != all[i - 1].at_end()) continue;
            EXPECT_EQ(all[i].begin, Deck::place(of, 0.0));
            EXPECT_EQ(all[i - 1].end, Deck::place(of - 1, kSeconds[of - 1]));
        }
        for (std::size_t i = 0; i < deck.heard.size(); i += 2) ASSERT_GE(deck.heard[i], 0.0f);
    }

    test::Random random{GetParam()};
    Deck deck;
};
INSTANTIATE_TEST_SUITE_P(Seeds, FeederFuzz, testing::Range<std::uint64_t>(1, 25));

// One after the other: each is heard where the model says.
TEST_P(FeederFuzz, EveryCommandLeadsWhereItShould) {
    for (int step = 0; step < 40 && !is_over(); ++step) {
        deck.listen(0.05 + 0.01 * static_cast<double>(random.below(120)));  // a fade at the least
        if (deck.feeder->played_out()) break;
        const std::size_t at_track = track();
        const double at = static_cast<double>(frame()) / Deck::kRateHz;
        const PlayerCommand command = any_command();
        const bool paused = random.below(5) == 0;
        deck.mixer.pause(paused);
        const FeedEvent answer = deck.ask(command);
        if (std::holds_alternative<NextTrack>(command) && at_track + 1 == kSeconds.size()) {
            EXPECT_TRUE(is_over());
            break;
        }
        std::size_t to_track = at_track;
        double to = at;
        if (std::holds_alternative<NextTrack>(command)) {
            ++to_track;
            to = 0.0;
        } else if (std::holds_alternative<PreviousTrack>(command)) {
            if (at <= 3.0 && to_track > 0) --to_track;
            to = 0.0;
        } else if (const auto* seek = std::get_if<SeekBy>(&command)) {
            to = std::clamp(at + seek->seconds, 0.0, kSeconds[at_track]);
        } else if (std::holds_alternative<ToggleOriginal>(command)) {
            EXPECT_EQ(answer.kind, FeedEvent::Kind::refused);
            continue;
        }
        ASSERT_EQ(answer.kind, FeedEvent::Kind::switched);
        const std::size_t before = deck.heard.size() / 2;
        deck.take(16);  // the mixer goes over at once
        ASSERT_EQ(deck.mixer.position()->run, answer.run);
        std::int64_t place = Deck::place(track(), 0.0) + frame();
        std::int64_t expected = Deck::place(to_track, to);
        const auto taken = static_cast<std::int64_t>(deck.mixer.position()->frame);
        if (taken > 0) expected += static_cast<std::int64_t>(deck.heard.size() / 2 - before);
        if (to >= kSeconds[to_track] && to_track + 1 < kSeconds.size())  // over the end, into the next one
            expected += Deck::place(to_track + 1, 0.0) - Deck::place(to_track, kSeconds[to_track]);
        const bool ran_over = track() != to_track && to < kSeconds[to_track];
        if (ran_over) place = expected;  // it was so close to the end
        EXPECT_EQ(place, expected) << "step " << step;
        deck.mixer.pause(false);
    }
    EXPECT_EQ(deck.mixer.underruns(), 0u);
    expect_only_what_there_is();
    deck.expect_told_truly();
}

// In bursts and while others are being made: never a stall, never anything else than the tracks, and it plays on.
TEST_P(FeederFuzz, BurstsOfCommandsNeverStallIt) {
    std::size_t asked = 0;
    for (int burst = 0; burst < 25 && !is_over(); ++burst) {
        for (std::size_t commands = random.below(12); commands > 0; --commands, ++asked) {
            const PlayerCommand command = any_command();
            const bool leaves_the_list = std::holds_alternative<NextTrack>(command) && random.below(4) != 0;
            deck.feeder->ask(leaves_the_list ? PlayerCommand{PreviousTrack{}} : command);
        }
        if (random.below(6) == 0) deck.mixer.pause(true);
        deck.listen(0.01 * static_cast<double>(random.below(30)), 1 + random.below(700));
        deck.mixer.pause(false);
        if (random.below(3) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(random.below(5)));
    }
    if (!is_over()) {
        EXPECT_TRUE(test::eventually([&] {
            deck.gather_events();
            if (deck.events.size() < asked && !is_over()) deck.listen(0.01);
            return deck.events.size() >= asked || is_over();
        })) << deck.events.size()
            << " answers to " << asked;
    }
    if (!is_over()) deck.listen_to_the_end(60.0);
    EXPECT_EQ(deck.mixer.underruns(), 0u);
    expect_only_what_there_is();
    deck.expect_told_truly();
}

}  // namespace
}  // namespace lacquer::player
