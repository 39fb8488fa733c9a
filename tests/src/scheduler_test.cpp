#include "src/scheduler.h"

#include <atomic>
#include <deque>
#include <latch>

#include "tests/src/fixture.h"

namespace lacquer {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::Roadblock;

Urgency at(TaskClass task_class, int seconds) {
    return {task_class, Deadline{} + std::chrono::seconds(seconds)};
}

class SchedulerTest : public testing::Test {
protected:
    // Submits a task that notes its name.
    Scheduler::Ticket note(Scheduler& scheduler, const std::string& name, Urgency urgency) {
        ++submitted_;
        const auto write = [this, name](TaskContext&) {
            const std::lock_guard lock(mutex_);
            notes_ += (notes_.empty() ? "" : " ") + name;
            ++noted_;
        };
        return scheduler.submit(urgency, {write}).value_or(0);
    }
    std::string notes_when_done() {
        EXPECT_TRUE(eventually([&] { return noted_ == submitted_; })) << noted_ << " of " << submitted_;
        const std::lock_guard lock(mutex_);
        return notes_;
    }
    std::string notes() {
        const std::lock_guard lock(mutex_);
        return notes_;
    }
    int submitted_ = 0;

private:
    std::mutex mutex_;
    std::string notes_;
    std::atomic<int> noted_ = 0;
};

TEST_F(SchedulerTest, RunsByClassThenDeadlineThenArrival) {
    Scheduler scheduler(1);
    Roadblock road(scheduler);
    note(scheduler, "measuring", at(TaskClass::measuring, 1));
    note(scheduler, "listener9", at(TaskClass::listener, 9));
    note(scheduler, "batch", at(TaskClass::batch, 1));
    note(scheduler, "rest-a", at(TaskClass::rest_of_track, 5));
    note(scheduler, "listener2", at(TaskClass::listener, 2));
    note(scheduler, "rest-b", at(TaskClass::rest_of_track, 5));
    note(scheduler, "ahead", at(TaskClass::look_ahead, 0));
    note(scheduler, "whenever", {TaskClass::listener});
    EXPECT_EQ(scheduler.waiting(), 8u);
    road.open();
    EXPECT_EQ(notes_when_done(), "listener2 listener9 whenever ahead rest-a rest-b batch measuring");
}

TEST_F(SchedulerTest, HasteningMovesForwardAndNeverBack) {
    Scheduler scheduler(1);
    Roadblock road(scheduler);
    note(scheduler, "a", at(TaskClass::listener, 1));
    const auto b = note(scheduler, "b", at(TaskClass::listener, 2));
    const auto c = note(scheduler, "c", at(TaskClass::batch, 3));
    scheduler.hasten(c, at(TaskClass::listener, 0));
    scheduler.hasten(b, at(TaskClass::listener, 8));
    scheduler.hasten(b, at(TaskClass::measuring, 0));
    scheduler.hasten(12345, at(TaskClass::listener, 0));
    road.open();
    EXPECT_EQ(notes_when_done(), "c a b");
    scheduler.hasten(c, at(TaskClass::listener, 0));  // has run: no effect
}

TEST_F(SchedulerTest, AWithdrawnTaskNeverRuns) {
    Scheduler scheduler(1);
    Roadblock road(scheduler);
    note(scheduler, "a", at(TaskClass::listener, 1));
    const auto b = note(scheduler, "b", at(TaskClass::listener, 2));
    EXPECT_TRUE(scheduler.withdraw(b));
    EXPECT_FALSE(scheduler.withdraw(b));
    --submitted_;
    road.open();
    EXPECT_EQ(notes_when_done(), "a");
}

TEST_F(SchedulerTest, StopDropsWhatWaitsAsksWhatRunsAndJoins) {
    Scheduler scheduler(1);
    std::atomic<bool> was_asked = false;
    std::promise<void> begun;
    const auto wait_to_be_asked = [&](TaskContext& task) {
        begun.set_value();
        while (!task.stop().stop_requested()) std::this_thread::sleep_for(1ms);
        was_asked = true;
    };
    scheduler.submit({TaskClass::listener}, {wait_to_be_asked});
    begun.get_future().wait();
    const auto waiting = note(scheduler, "waiting", {TaskClass::listener});
    scheduler.stop();
    EXPECT_TRUE(was_asked);
    EXPECT_EQ(scheduler.waiting(), 0u);
    note(scheduler, "late", {TaskClass::listener});
    scheduler.stop();
    EXPECT_EQ(notes(), "");
    EXPECT_FALSE(scheduler.withdraw(waiting));
}

TEST(Scheduler, RefusesAWorkerCountOutsideItsRangeAndNamesIt) {
    for (const int workers : {-1, 0, 21, 1000}) {
        try {
            Scheduler scheduler(workers);
            ADD_FAILURE() << workers << " accepted";
        } catch (const std::invalid_argument& error) {
            EXPECT_NE(std::string(error.what()).find("workers is " + std::to_string(workers)), std::string::npos);
            EXPECT_NE(std::string(error.what()).find("1 to 20"), std::string::npos) << error.what();
        }
    }
    EXPECT_EQ(Scheduler(1).workers(), 1);
    EXPECT_EQ(Scheduler(20).workers(), 20);
}

class SchedulerOf : public testing::TestWithParam<int> {};

TEST_P(SchedulerOf, NeverRunsMoreOfAClassThanItsLimit) {
    constexpr int kEach = 40;
    std::array<std::atomic<int>, kTaskClasses> running{}, most{};
    std::atomic<int> background = 0, most_background = 0, done = 0;
    const auto raise = [](std::atomic<int>& highest, int value) {
        int seen = highest;
        while (value > seen && !highest.compare_exchange_weak(seen, value)) {}
    };
    Scheduler scheduler(GetParam());
    for (int i = 0; i < kEach; ++i) {
        for (std::size_t c = 0; c < kTaskClasses; ++c) {
            const auto task_class = static_cast<TaskClass>(c);
            const auto count = [&, c, task_class](TaskContext&) {
                const bool is_background = task_class > TaskClass::look_ahead;
                raise(most[c], ++running[c]);
                if (is_background) raise(most_background, ++background);
                std::this_thread::sleep_for(300us);
                --running[c];
                if (is_background) --background;
                ++done;
            };
            scheduler.submit({task_class}, {count});
        }
    }
    EXPECT_TRUE(eventually([&] { return done == kEach * static_cast<int>(kTaskClasses); }));
    for (std::size_t c = 0; c < kTaskClasses; ++c) {
        EXPECT_LE(most[c], scheduler.limit(static_cast<TaskClass>(c))) << "class " << c;
    }
    EXPECT_LE(most_background, std::max(1, GetParam() - 1));
}

TEST_P(SchedulerOf, ABackgroundFloodLeavesAWorkerToTheListener) {
    Scheduler scheduler(GetParam());
    std::promise<void> end;
    const auto ended = end.get_future().share();
    std::atomic<int> blocked = 0;
    for (int i = 0; i < 30; ++i) {
        for (const auto task_class : {TaskClass::rest_of_track, TaskClass::batch, TaskClass::measuring}) {
            const auto block = [&, ended](TaskContext&) {
                ++blocked;
                ended.wait();
            };
            scheduler.submit({task_class}, {block});
        }
    }
    EXPECT_TRUE(eventually([&] { return blocked == std::max(1, GetParam() - 1); })) << blocked << " run";
    std::promise<void> heard;
    auto hears = heard.get_future();
    scheduler.submit({TaskClass::listener}, {[&](TaskContext&) { heard.set_value(); }});
    if (GetParam() > 1) {
        EXPECT_EQ(hears.wait_for(10s), std::future_status::ready);
    }
    end.set_value();
    hears.wait();
}

TEST_P(SchedulerOf, NoTaskIsLostOrRunTwiceUnderEightSubmittingThreads) {
    constexpr int kThreads = 8, kEach = 500;
    struct Count {
        std::atomic<int> runs = 0;
        bool withdrawn = false;
    };
    std::deque<Count> counts(kThreads * kEach);
    std::atomic<int> over = 0;
    Scheduler scheduler(GetParam());
    {
        std::latch start(kThreads);
        std::vector<std::jthread> threads;
        for (int t = 0; t < kThreads; ++t) {
            threads.emplace_back([&, t] {
                test::Random random(static_cast<std::uint64_t>(t));
                const auto any = [&] {
                    return at(static_cast<TaskClass>(random.below(kTaskClasses)), static_cast<int>(random.below(9)));
                };
                start.arrive_and_wait();
                for (int i = 0; i < kEach; ++i) {
                    Count& count = counts[static_cast<std::size_t>(t * kEach + i)];
                    const auto run = [&](TaskContext&) {
                        ++count.runs;
                        ++over;
                    };
                    const auto ticket = scheduler.submit(any(), {run}).value();
                    if (random.below(2) == 0) scheduler.hasten(ticket, any());
                    if (random.below(4) == 0) count.withdrawn = scheduler.withdraw(ticket);
                    if (count.withdrawn) ++over;
                }
            });
        }
    }
    EXPECT_TRUE(eventually([&] { return over == kThreads * kEach; })) << over;
    scheduler.stop();
    for (const Count& count : counts) ASSERT_EQ(count.runs, count.withdrawn ? 0 : 1);
}

INSTANTIATE_TEST_SUITE_P(Workers, SchedulerOf, testing::Values(1, 2, 3, 4, 20));

}  // namespace
}  // namespace lacquer
