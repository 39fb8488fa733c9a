// A feeder's test: what it feeds must never run dry, and the timeline must have told the truth.
#pragma once

#include <vector>

#include <gtest/gtest.h>

#include "tests/player/deck.h"

namespace lacquer::test {

class FeederTest : public testing::Test {
protected:
    void TearDown() override {
        EXPECT_EQ(deck.mixer.underruns(), 0u);
        deck.expect_told_truly();
    }
    std::vector<Stretch> heard() const { return stretches(deck.heard); }
    // The last stretch begins at `place`, a fade after the one before it.
    void expect_faded_to(std::int64_t place) {
        const auto all = heard();
        ASSERT_GE(all.size(), 2u);
        const Stretch& before = all[all.size() - 2];
        EXPECT_EQ(all.back().at - before.at_end(), static_cast<std::size_t>(Deck::kFade - 1));
        EXPECT_EQ(all.back().begin, place + Deck::kFade - 1);
    }

    Deck deck;
};

}  // namespace lacquer::test
