#include "server/worker_pool.h"

#include <atomic>
#include <filesystem>
#include <semaphore>
#include <thread>

#include <gtest/gtest.h>

namespace lacquer::server {
namespace {

using Admission = WorkerPool::Admission;
using Lane = WorkerPool::Lane;
using namespace std::chrono_literals;

const auto later = [] { return WorkerPool::Clock::now() + 1h; };

bool always(int) {
    return true;
}

// Jobs that run until they are let go.
struct Gate {
    WorkerPool::Run job() {
        return [this](int, Lane lane) { run(lane); };
    }
    void run(Lane lane) {
        if (lane == Lane::express) ++express;
        const int now = ++running;
        int before = most;
        while (before < now && !most.compare_exchange_weak(before, now)) {}
        free.acquire();
        --running;
        ++done;
    }
    std::counting_semaphore<> free{0};
    std::atomic<int> running = 0;
    std::atomic<int> most = 0;
    std::atomic<int> express = 0;
    std::atomic<int> done = 0;
};

bool happens(const std::function<bool()>& condition) {
    const auto end = WorkerPool::Clock::now() + 30s;
    while (!condition()) {
        if (WorkerPool::Clock::now() >= end) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

TEST(WorkerPool, TakesWorkUpToTheCapThenLetsWaitThenRefuses) {
    Gate gate;
    WorkerPool pool(2, 1, gate.job());
    EXPECT_EQ(pool.submit(1, later()), Admission::started);
    EXPECT_EQ(pool.submit(2, later()), Admission::started);
    EXPECT_EQ(pool.submit(3, later()), Admission::waiting);
    EXPECT_EQ(pool.submit(4, later()), Admission::refused);
    ASSERT_TRUE(happens([&] { return gate.running == 2; }));
    gate.free.release(3);
    ASSERT_TRUE(happens([&] { return gate.done == 3; }));
    EXPECT_EQ(gate.most, 2);
}

TEST(WorkerPool, AThreadThatEndsForWantOfWorkLeavesItsPlace) {
    std::atomic<int> done = 0;
    WorkerPool pool(
        1, 0, [&](int, Lane) { ++done; }, 1ms);
    for (int round = 1; round <= 100; ++round) {  // the last one may idle, be about to end, or have ended
        Admission admission = Admission::refused;
        ASSERT_TRUE(happens([&] { return (admission = pool.submit(round, later())) != Admission::refused; }));
        ASSERT_TRUE(happens([&] { return done == round; }));
        std::this_thread::sleep_for(std::chrono::microseconds(round * 40));
    }
}

TEST(WorkerPool, ExpressRunsOneThatWaitsBeyondTheCap) {
    Gate gate;
    WorkerPool pool(1, 100, gate.job());
    constexpr int express = static_cast<int>(WorkerPool::max_express);
    ASSERT_EQ(pool.submit(0, later()), Admission::started);
    ASSERT_TRUE(happens([&] { return gate.running == 1; }));
    EXPECT_FALSE(pool.express(0, always)) << "it runs";
    for (int job = 1; job <= express + 1; ++job) ASSERT_EQ(pool.submit(job, later()), Admission::waiting);
    EXPECT_FALSE(pool.express(1, [](int) { return false; }));
    for (int job = 1; job <= express; ++job) EXPECT_TRUE(pool.express(job, always));
    EXPECT_FALSE(pool.waits(1));
    EXPECT_FALSE(pool.express(express + 1, always)) << "the express threads are taken";
    EXPECT_TRUE(pool.waits(express + 1));
    ASSERT_TRUE(happens([&] { return gate.running == 1 + express; }));
    EXPECT_EQ(pool.waiting(), 1U);
    EXPECT_EQ(gate.express, express) << "and each is told so";
    gate.free.release(1 + express + 1);
    ASSERT_TRUE(happens([&] { return gate.done == 1 + express + 1; }));
}

TEST(WorkerPool, EndedThreadsAreNotKept) {
    const auto threads = [] {
        return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                             std::filesystem::directory_iterator());
    };
    const auto before = threads();
    Gate gate;
    WorkerPool pool(50, 0, gate.job(), 1ms);
    for (int job = 0; job < 50; ++job) ASSERT_EQ(pool.submit(job, later()), Admission::started);
    EXPECT_GE(threads(), before + 50);
    gate.free.release(50);
    ASSERT_TRUE(happens([&] { return threads() <= before; }));
}

TEST(WorkerPool, StoppingReturnsThoseThatWait) {
    Gate gate;
    WorkerPool pool(1, 5, gate.job());
    for (int job = 0; job < 4; ++job) pool.submit(job, later());
    ASSERT_TRUE(happens([&] { return gate.running == 1; }));
    gate.free.release(10);
    const auto left = pool.stop();
    EXPECT_EQ(static_cast<int>(left.size()) + gate.done, 4);
}

}  // namespace
}  // namespace lacquer::server
