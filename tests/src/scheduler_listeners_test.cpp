// Listeners, chunks and jobs in virtual time: nobody is behind who need not be, and nobody leaves work behind.
#include <deque>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/signals.h"
#include "tests/support/virtual_listeners.h"
#include "tests/support/virtual_workers.h"

namespace lacquer {
namespace {

using namespace std::chrono_literals;
using test::VirtualChunks;
using test::VirtualJob;
using test::VirtualListener;
using test::VirtualMeasuring;
using test::VirtualWorkers;
using Milliseconds = std::chrono::milliseconds;

Deadline at(Milliseconds time) {
    return Deadline{} + time;
}

// Listeners of one track each over two workers that render 30 s of audio in 1 s: 60 are all there is time for.
struct Hall {
    Hall(int tracks, std::uint64_t seed) : random(seed), workers(2), chunks(workers, {}) {
        for (int track = 0; track < tracks; ++track) {
            auto& listener = listeners.emplace_back(chunks, track);
            workers.at(at(Milliseconds(random.below(60'000))), [&listener] { listener.play(0); });
        }
    }
    int stalls() const {
        int count = 0;
        for (const VirtualListener& listener : listeners) {
            for (const auto& heard : listener.heard()) count += !heard.first && heard.at > heard.due ? 1 : 0;
        }
        return count;
    }
    test::Random random;
    VirtualWorkers workers;
    VirtualChunks chunks;
    std::deque<VirtualListener> listeners;
};

TEST(SchedulerListeners, NobodyIsEverBehindWhileThereIsCapacityAndEverybodyOtherwise) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        Hall busy(50, seed);
        VirtualJob batch(busy.chunks, {TaskClass::batch, Deadline::max(), 1}, 1000, 0, 10'000);
        VirtualMeasuring measuring(busy.workers, 700ms, 8);
        batch.go();
        measuring.measure_next_track();
        busy.workers.run_until(at(600s));
        EXPECT_EQ(busy.stalls(), 0) << "seed " << seed;
        for (const VirtualListener& listener : busy.listeners) EXPECT_GE(listener.heard().size(), 18u);

        Hall too_many(80, seed);
        too_many.workers.run_until(at(600s));
        EXPECT_GT(too_many.stalls(), 100) << "this test can see somebody fall behind";
    }
}

// What waits is wanted, at every instant, while listeners come, seek, share tracks and go.
TEST(SchedulerListeners, OneWhoLeavesOrSeeksTakesAlongWhatNobodyElseNeeds) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        Hall hall(90, seed);
        std::deque<VirtualListener> sharing;
        for (int track = 0; track < 30; ++track) {
            auto& other = sharing.emplace_back(hall.chunks, track);
            for (int i = 0; i < 6; ++i) {
                const Milliseconds time(hall.random.below(300'000));
                const int index = static_cast<int>(hall.random.below(12));
                hall.workers.at(at(time), [&other, i, index] { i % 3 == 0 ? other.leave() : other.play(index); });
            }
        }
        hall.workers.at(at(301s), [&] {
            for (VirtualListener& listener : hall.listeners) listener.leave();
            for (VirtualListener& listener : sharing) listener.leave();
        });
        hall.workers.on_instant([&] {
            const auto interested = hall.chunks.interested();
            ASSERT_EQ(interested.size(), hall.workers.waiting().size());
            for (const auto& [chunk, count] : interested) ASSERT_GT(count, 0);
        });
        hall.workers.run_until(at(300s));
        EXPECT_GT(hall.workers.waiting().size(), 0u);
        hall.workers.run_until(at(301s));
        EXPECT_EQ(hall.workers.waiting().size(), 0u);
        EXPECT_EQ(hall.workers.queue().waiting(), 0u);
    }
}

// Every worker is kept busy with look-ahead; a seek waits for the first of them to come free, and its look-ahead of
// before is gone.
TEST(SchedulerListeners, ASeekIsServedBeforeAnyOldLookAhead) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        Hall hall(40, seed);
        VirtualListener seeker(hall.chunks, 1000);
        hall.workers.at(at(70s), [&] {
            for (int i = 0; i < 200; ++i) {
                hall.workers.submit({TaskClass::look_ahead, Deadline::min()}, 1s);  // all more urgent than its own
            }
            seeker.play(3);
        });
        // On the chunk that it was to hear next, which therefore waits, and far away.
        hall.workers.at(at(73s), [&] { seeker.play(4); });
        hall.workers.at(at(77s), [&] { seeker.play(90); });
        hall.workers.run_until(at(90s));
        ASSERT_EQ(seeker.heard().size(), 3u) << "seed " << seed;
        for (const auto& heard : seeker.heard()) {
            const auto wait = heard.at - heard.due - hall.chunks.costs().first_bytes;
            EXPECT_LE(wait, 2 * hall.chunks.costs().render) << "seed " << seed << ", chunk " << heard.index;
        }
        std::vector<int> order;
        for (const auto& heard : seeker.heard()) order.push_back(heard.index);
        EXPECT_EQ(order, (std::vector<int>{3, 4, 90}));
    }
}

TEST(SchedulerListeners, AFullQueueRefusesVisiblyAndGoesOnWhenThereIsRoom) {
    VirtualWorkers workers(2, 20);
    VirtualChunks chunks(workers, {});
    std::deque<VirtualListener> listeners;
    for (int track = 0; track < 40; ++track) {
        auto& listener = listeners.emplace_back(chunks, track);
        workers.at(at(1s), [&listener] { listener.play(0); });
    }
    workers.on_instant([&] { ASSERT_LE(workers.waiting().size(), 20u); });
    workers.run_until(at(1s));
    EXPECT_EQ(chunks.refused(), 20u);
    auto& late = listeners.emplace_back(chunks, 1000);
    workers.at(at(3050ms), [&late] { late.play(0); });
    workers.run_until(at(29s));
    EXPECT_EQ(late.heard().size(), 1u);
}

}  // namespace
}  // namespace lacquer
