// Workers that are blocked, written off, replaced, and come back late.
#include <atomic>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "src/scheduler.h"
#include "tests/src/blocked_task.h"
#include "tests/src/fixture.h"

namespace lacquer {
namespace {

using namespace std::chrono_literals;
using test::Blocked;
using test::eventually;

constexpr auto kPatience = 30s;

Deadline at(int seconds) {
    return Deadline{} + std::chrono::seconds(seconds);
}

std::size_t pass(Scheduler& scheduler, int from_seconds, int to_seconds) {
    return scheduler.write_off_stuck(at(from_seconds), kPatience) +
           scheduler.write_off_stuck(at(to_seconds), kPatience);
}

// Of more tasks than there are workers as many run at once as there are workers, not one less, not one more.
bool has_its_workers(Scheduler& scheduler) {
    const int workers = scheduler.workers();
    std::promise<void> open;
    const auto counts = std::make_shared<std::pair<std::atomic<int>, std::atomic<int>>>(0, 0);
    const auto hold = [counts, opened = open.get_future().share()](TaskContext&) {
        ++counts->first;
        opened.wait();
        ++counts->second;
    };
    for (int i = 0; i < 2 * workers; ++i) {
        if (!scheduler.submit({i % 2 == 0 ? TaskClass::listener : TaskClass::look_ahead}, {hold})) return false;
    }
    const bool all_run = eventually([&] { return counts->first >= workers; });
    std::this_thread::sleep_for(30ms);  // for one too many to show
    const bool no_more_run = counts->first <= workers;
    open.set_value();
    return eventually([&] { return counts->second == 2 * workers; }) && all_run && no_more_run;
}

TEST(SchedulerStuck, ABlockedWorkerIsWrittenOffAndReplacedAndNobodyElseNotices) {
    Scheduler scheduler(2);
    Blocked blocked;
    scheduler.submit({TaskClass::batch}, blocked.task());
    ASSERT_TRUE(blocked.begun());
    std::atomic<bool> healthy_stops = false, healthy_was_written_off = false;
    std::atomic<int> blocks = 0;
    const auto work_on = [&](TaskContext& context) {
        while (!healthy_stops) {
            context.progressed();
            ++blocks;
        }
        healthy_was_written_off = context.written_off();
    };
    scheduler.submit({TaskClass::listener}, {work_on, [] { ADD_FAILURE() << "it progressed"; }});

    std::size_t given_up = 0;
    for (int second = 0; second <= 30; ++second) {
        const int seen = blocks;
        ASSERT_TRUE(eventually([&] { return blocks > seen + 1; }));  // one of them began after the last look
        EXPECT_EQ(given_up, 0u) << "at " << second << " s";
        given_up += scheduler.write_off_stuck(at(second), kPatience);
    }
    EXPECT_EQ(given_up, 1u);
    EXPECT_EQ(blocked.stuck(), 1);
    EXPECT_FALSE(blocked.was_asked_before_it_was_told()) << "it might have returned before its owner knew why";
    EXPECT_FALSE(blocked.has_returned());
    EXPECT_EQ(scheduler.counts().written_off, 1u);
    healthy_stops = true;
    EXPECT_TRUE(has_its_workers(scheduler));
    EXPECT_FALSE(healthy_was_written_off);

    blocked.open();
    EXPECT_TRUE(blocked.returned());
    EXPECT_TRUE(blocked.was_asked());
    EXPECT_TRUE(blocked.was_written_off());
    EXPECT_TRUE(eventually([&] { return scheduler.counts().written_off == 0; }));
    EXPECT_TRUE(has_its_workers(scheduler));
    EXPECT_EQ(scheduler.counts().written_off_total, 1u);
    EXPECT_EQ(pass(scheduler, 100, 200), 0u);
    EXPECT_EQ(blocked.stuck(), 1);
}

TEST(SchedulerStuck, TheClassOfAGivenUpTaskHasItsPlaceBack) {
    Scheduler scheduler(2);  // one background task at a time
    Blocked one, two;
    scheduler.submit({TaskClass::batch}, one.task());
    scheduler.submit({TaskClass::batch}, two.task());
    ASSERT_TRUE(one.begun());
    EXPECT_EQ(pass(scheduler, 0, 30), 1u);
    EXPECT_TRUE(two.begun());
}

TEST(SchedulerStuck, ATaskThatGaveNoConsentIsWaitedFor) {
    Scheduler scheduler(1);
    Blocked blocked;
    scheduler.submit({TaskClass::listener}, blocked.task_that_is_waited_for());
    ASSERT_TRUE(blocked.begun());
    EXPECT_EQ(pass(scheduler, 0, 1'000'000), 0u);
    auto stopped = std::async(std::launch::async, [&] { scheduler.stop(1ms); });
    EXPECT_EQ(stopped.wait_for(50ms), std::future_status::timeout);
    blocked.open();
    stopped.wait();
    EXPECT_TRUE(blocked.has_returned());
}

TEST(SchedulerStuck, AtMostAsManyAreWrittenOffAsThereAreWorkersThenWorkIsRefused) {
    Scheduler scheduler(2);
    std::deque<Blocked> blocked(4);
    for (const Blocked& one : blocked) ASSERT_TRUE(scheduler.submit({TaskClass::listener}, one.task()));
    ASSERT_TRUE(blocked[0].begun() && blocked[1].begun());
    EXPECT_EQ(pass(scheduler, 0, 30), 2u);
    ASSERT_TRUE(blocked[2].begun() && blocked[3].begun()) << "the new workers took over what waited";
    std::atomic<bool> accepted_in_time_runs = false;
    EXPECT_TRUE(scheduler.submit({TaskClass::listener}, {[&](TaskContext&) { accepted_in_time_runs = true; }}));

    EXPECT_EQ(pass(scheduler, 40, 70), 2u) << "whoever waits is told, although the workers stay";
    EXPECT_FALSE(scheduler.submit({TaskClass::listener}, {[](TaskContext&) {}}));
    EXPECT_EQ(scheduler.counts().refused, 1u);
    for (const Blocked& one : blocked) EXPECT_EQ(one.stuck(), 1);
    EXPECT_EQ(scheduler.counts().written_off, 2u);
    EXPECT_EQ(scheduler.counts().running, 2u);

    blocked[0].open();
    ASSERT_TRUE(eventually([&] { return scheduler.counts().written_off == 1; }));
    EXPECT_EQ(pass(scheduler, 80, 81), 0u) << "a worker that had stayed was replaced; nobody is told twice";
    EXPECT_EQ(scheduler.counts().written_off, 2u);
    EXPECT_EQ(scheduler.counts().written_off_total, 3u);
    EXPECT_TRUE(eventually([&] { return accepted_in_time_runs.load(); }));

    for (Blocked& one : blocked) one.open();
    ASSERT_TRUE(eventually([&] { return scheduler.counts().written_off == 0; }));
    EXPECT_TRUE(has_its_workers(scheduler));
    for (const Blocked& one : blocked) EXPECT_EQ(one.stuck(), 1);
}

TEST(SchedulerStuck, WhatWaitsIsGivenUpWhenNoWorkerIsLeftThatMoves) {
    Scheduler scheduler(1);
    Blocked first, second, waiting;
    scheduler.submit({TaskClass::listener}, first.task());
    ASSERT_TRUE(first.begun());
    scheduler.submit({TaskClass::listener}, second.task());
    scheduler.submit({TaskClass::listener}, waiting.task());
    EXPECT_EQ(pass(scheduler, 0, 30), 1u);
    ASSERT_TRUE(second.begun());
    EXPECT_EQ(waiting.stuck(), 0) << "the new worker may come to it";
    EXPECT_EQ(pass(scheduler, 40, 70), 1u);
    EXPECT_EQ(waiting.stuck(), 1);
    EXPECT_EQ(scheduler.counts().waiting, 0u);
    EXPECT_EQ(scheduler.counts().stuck, 1u);
    for (Blocked* one : {&first, &second, &waiting}) one->open();
    ASSERT_TRUE(eventually([&] { return scheduler.counts().stuck + scheduler.counts().written_off == 0; }));
    EXPECT_TRUE(has_its_workers(scheduler));
    EXPECT_EQ(waiting.stuck(), 1);
}

TEST(SchedulerStuck, WhoeverIsToldMaySubmitAnew) {
    Scheduler scheduler(2);
    Blocked blocked;
    std::atomic<bool> retried = false;
    Task task = blocked.task();
    task.stuck = [&] { EXPECT_TRUE(scheduler.submit({TaskClass::listener}, {[&](TaskContext&) { retried = true; }})); };
    scheduler.submit({TaskClass::listener}, std::move(task));
    ASSERT_TRUE(blocked.begun());
    EXPECT_EQ(pass(scheduler, 0, 30), 1u);
    EXPECT_TRUE(eventually([&] { return retried.load(); }));
}

// What whoever submitted a task heard of it.
class Outcome {
public:
    void ran() { note(1, 0); }
    void was_told() { note(0, 1); }
    void withdrawn() { note(0, 0); }
    void expect_once_at_most() {
        const std::lock_guard lock(mutex_);
        ASSERT_TRUE(settled_);
        ASSERT_LE(runs_, 1);
        ASSERT_LE(told_, 1);
    }

private:
    void note(int runs, int told) {
        const std::lock_guard lock(mutex_);
        settled_ = true;
        runs_ += runs;
        told_ += told;
    }

    std::mutex mutex_;
    bool settled_ = false;
    int runs_ = 0, told_ = 0;
};

// Eight threads submit, hasten and withdraw, one in six tasks blocks, and a watchdog without any patience gives up
// healthy ones too: whoever waits for a task hears of it once, from run() or from stuck().
TEST(SchedulerStuck, WhateverHappensEveryAcceptedTaskIsHeardOfOnce) {
    constexpr int kThreads = 8, kEach = 300;
    std::vector<std::shared_ptr<Outcome>> accepted;
    std::mutex accepted_mutex;
    const auto gate = std::make_shared<std::atomic<int>>(0);  // what is blocked goes on when it changes
    std::atomic<std::uint64_t> refused = 0;
    std::atomic<bool> submitted = false;
    {
        Scheduler scheduler(3);
        std::jthread watchdog([&] {
            for (int now = 0; !submitted; ++now) {
                scheduler.write_off_stuck(at(now), 2s);
                if (now % 3 == 0) ++*gate;
                std::this_thread::sleep_for(200us);
            }
        });
        const auto submit_some = [&](std::uint64_t seed) {
            test::Random random(seed);
            const auto any = [&] { return Urgency{static_cast<TaskClass>(random.below(kTaskClasses)), at(0), seed}; };
            for (int i = 0; i < kEach; ++i) {
                const auto outcome = std::make_shared<Outcome>();
                const bool blocks = random.below(6) == 0;
                const auto run = [outcome, blocks, gate](TaskContext& context) {
                    const int seen = *gate;
                    while (blocks && *gate == seen && !context.stop().stop_requested()) std::this_thread::yield();
                    outcome->ran();
                };
                const auto ticket = scheduler.submit(any(), {run, [outcome] { outcome->was_told(); }});
                if (!ticket) {
                    ++refused;
                    continue;
                }
                if (random.below(2) == 0) scheduler.hasten(*ticket, any());
                if (random.below(4) == 0 && scheduler.withdraw(*ticket)) outcome->withdrawn();
                const std::lock_guard lock(accepted_mutex);
                accepted.push_back(outcome);
            }
        };
        {
            std::vector<std::jthread> threads;
            for (std::uint64_t t = 1; t <= kThreads; ++t) threads.emplace_back(submit_some, t);
        }
        EXPECT_TRUE(eventually([&] { return scheduler.counts().waiting + scheduler.counts().running == 0; }));
        submitted = true;
        watchdog.join();
        EXPECT_EQ(scheduler.counts().refused, refused);
    }
    EXPECT_GT(accepted.size(), 0u);
    for (const auto& outcome : accepted) ASSERT_NO_FATAL_FAILURE(outcome->expect_once_at_most());
}

}  // namespace
}  // namespace lacquer
