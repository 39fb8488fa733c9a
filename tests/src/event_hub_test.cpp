#include "src/event_hub.h"

#include <limits>
#include <thread>

#include <gtest/gtest.h>

namespace lacquer {
namespace {

using namespace std::chrono_literals;

server::Json of_track(std::int64_t track_id) {
    return {{"trackId", track_id}};
}

std::vector<std::uint64_t> ids_held_for(server::EventSubscription& subscription) {
    std::vector<std::uint64_t> ids;
    while (const auto event = subscription.next(0ms)) ids.push_back(event->id);
    return ids;
}

TEST(EventHub, ASubscriberHearsFromNowOn) {
    EventHub hub;
    hub.publish("before", of_track(1));
    const auto subscription = hub.subscribe({}, {}, {});
    EXPECT_EQ(subscription->next(0ms), std::nullopt);
    hub.publish("chunkStarted", of_track(1));
    hub.publish("chunkComplete", {{"jobId", 5}});
    const auto event = subscription->next(0ms);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->id, 2u);
    EXPECT_EQ(event->type, "chunkStarted");
    EXPECT_EQ(event->data, of_track(1));
    EXPECT_EQ(subscription->next(0ms)->id, 3u);
    EXPECT_EQ(subscription->next(1ms), std::nullopt);
}

TEST(EventHub, OnlyTheNamedTracksAndJobsAreHeard) {
    EventHub hub;
    const auto tracks = hub.subscribe({1, 3}, {}, {});
    const auto jobs = hub.subscribe({}, {3}, {});
    const auto both = hub.subscribe({1}, {3}, {});
    hub.publish("a", of_track(1));
    hub.publish("b", of_track(2));
    hub.publish("c", of_track(3));
    hub.publish("d", {{"jobId", 3}});
    hub.publish("e", {{"nothing", 1}});
    EXPECT_EQ(ids_held_for(*tracks), (std::vector<std::uint64_t>{1, 3}));
    EXPECT_EQ(ids_held_for(*jobs), (std::vector<std::uint64_t>{4}));
    EXPECT_EQ(ids_held_for(*both), (std::vector<std::uint64_t>{1, 4}));
}

TEST(EventHub, AReturningSubscriberGoesOnAfterTheLastEventItSaw) {
    EventHub hub;
    for (int i = 0; i < 5; ++i) hub.publish("e", of_track(1));
    EXPECT_EQ(ids_held_for(*hub.subscribe({}, {}, 3)), (std::vector<std::uint64_t>{4, 5}));
    EXPECT_EQ(ids_held_for(*hub.subscribe({}, {}, 0)), (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
    EXPECT_TRUE(ids_held_for(*hub.subscribe({}, {}, 5)).empty());
    // Ids from before a restart, or made up.
    EXPECT_TRUE(ids_held_for(*hub.subscribe({}, {}, 900)).empty());
    EXPECT_TRUE(ids_held_for(*hub.subscribe({}, {}, std::numeric_limits<std::uint64_t>::max())).empty());
}

TEST(EventHub, WhoFallsTooFarBehindSeesTheGapInTheIds) {
    EventHub hub;
    const auto slow = hub.subscribe({}, {}, {});
    for (int i = 0; i < 262; ++i) hub.publish("e", of_track(1));
    const auto ids = ids_held_for(*slow);
    ASSERT_EQ(ids.size(), 256u);
    EXPECT_EQ(ids.front(), 7u);
    EXPECT_EQ(ids.back(), 262u);
}

TEST(EventHub, CountsItsSubscribers) {
    EventHub hub;
    EXPECT_FALSE(hub.has_subscribers());
    auto one = hub.subscribe({}, {}, {});
    auto other = hub.subscribe({}, {}, {});
    one.reset();
    EXPECT_TRUE(hub.has_subscribers());
    other.reset();
    EXPECT_FALSE(hub.has_subscribers());
}

TEST(EventHub, EveryWaitingSubscriberHearsEveryEventOnce) {
    EventHub hub;
    std::vector<std::vector<std::uint64_t>> heard(4);
    {
        std::vector<std::unique_ptr<server::EventSubscription>> subscriptions;
        for (std::size_t i = 0; i < heard.size(); ++i) subscriptions.push_back(hub.subscribe({}, {}, {}));
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < heard.size(); ++i) {
            threads.emplace_back([&, i] {
                while (heard[i].size() < 200) {
                    const auto event = subscriptions[i]->next(1min);
                    if (!event) return;
                    heard[i].push_back(event->id);
                }
            });
        }
        for (int t = 0; t < 2; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < 100; ++i) hub.publish("e", of_track(i));
            });
        }
        threads.clear();
    }
    for (const auto& ids : heard) {
        ASSERT_EQ(ids.size(), 200u);
        for (std::size_t i = 0; i < ids.size(); ++i) ASSERT_EQ(ids[i], i + 1);
    }
}

}  // namespace
}  // namespace lacquer
