#include "src/failure_memory.h"

#include <gtest/gtest.h>

#include "src/retry_policy.h"

namespace lacquer {
namespace {

using namespace std::chrono_literals;

constexpr FailureMemory::Time kNow{100h};
const Failure kPassing{.reason = "EIO", .can_pass = true};
const Failure kLasting{.reason = "lost sync"};
const Failure kHung{.reason = kTimeout, .can_pass = true, .hung = true};

TEST(FailureMemory, WhatCanPassIsDueAfterItsRestWhatCannotNever) {
    FailureMemory memory;
    memory.remember({"plan", 1}, "content", kPassing, kNow);
    memory.remember({"plan", 2}, "content", kLasting, kNow);
    EXPECT_FALSE(memory.find({"plan", 1}, "content", kNow + kFailureRest - 1s)->is_due);
    EXPECT_TRUE(memory.find({"plan", 1}, "content", kNow + kFailureRest)->is_due);
    EXPECT_FALSE(memory.find({"plan", 2}, "content", kNow + 10'000h)->is_due);
    EXPECT_FALSE(memory.find({"plan", 3}, "content", kNow));
    EXPECT_FALSE(memory.find({"other", 1}, "content", kNow));
}

TEST(FailureMemory, ASourceThatHungIsKnownByEveryChunkOfIt) {
    FailureMemory memory;
    memory.remember({"plan", 1}, "content", kHung, kNow);
    EXPECT_EQ(memory.find({"another", 9}, "content", kNow)->fallback, Quality::silent);
    EXPECT_FALSE(memory.find({"plan", 2}, "other", kNow));
    memory.forget({"another", 9}, "content");
    EXPECT_FALSE(memory.find({"another", 8}, "content", kNow));
    EXPECT_TRUE(memory.find({"plan", 1}, "content", kNow)) << "that very chunk still has to prove itself";
}

TEST(FailureMemory, ASourceThatHangsIsNotTouchedForAChunkThatFailedOtherwise) {
    FailureMemory memory;
    memory.remember({"plan", 1}, "content", kPassing, kNow);
    memory.remember({"plan", 5}, "content", kHung, kNow + kFailureRest);
    const auto known = memory.find({"plan", 1}, "content", kNow + kFailureRest);
    EXPECT_EQ(known->fallback, Quality::silent);
    EXPECT_FALSE(known->is_due);
}

TEST(FailureMemory, AHangIsDueAsSoonAsItIsOver) {
    FailureMemory memory;
    bool is_over = false;
    Failure hung = kHung;
    hung.is_over = [&] { return is_over; };
    memory.remember({"plan", 1}, "content", hung, kNow);
    EXPECT_FALSE(memory.find({"plan", 2}, "content", kNow)->is_due);
    is_over = true;
    EXPECT_TRUE(memory.find({"plan", 2}, "content", kNow)->is_due);
    EXPECT_TRUE(memory.find({"plan", 1}, "content", kNow)->is_due);
}

TEST(FailureMemory, TheFallbackThatWorkedIsWhereTheNextListenerBegins) {
    FailureMemory memory;
    memory.remember({"plan", 1}, "content", kLasting, kNow);
    EXPECT_EQ(memory.find({"plan", 1}, "content", kNow)->fallback, Quality::neutral);
    memory.found_fallback({"plan", 1}, Quality::plain);
    EXPECT_EQ(memory.find({"plan", 1}, "content", kNow)->fallback, Quality::plain);
}

TEST(FailureMemory, TheOldestAreForgottenAndThoseAgainInTroubleAreNotOld) {
    FailureMemory memory;
    memory.remember({"plan", -1}, "content", kLasting, kNow);
    memory.remember({"plan", -2}, "content", kLasting, kNow);
    memory.remember({"plan", -1}, "content", kLasting, kNow);
    for (std::int64_t n = 0; n < 4095; ++n) memory.remember({"plan", n}, "content", kLasting, kNow);
    EXPECT_TRUE(memory.find({"plan", -1}, "content", kNow));
    EXPECT_FALSE(memory.find({"plan", -2}, "content", kNow));
    memory.remember({"plan", 5000}, "content", kLasting, kNow);
    EXPECT_FALSE(memory.find({"plan", -1}, "content", kNow));
}

}  // namespace
}  // namespace lacquer
