// Asking tasks to stop, stopping everything, and who may come back when all is gone.
#include <atomic>
#include <future>

#include "src/scheduler.h"
#include "tests/src/blocked_task.h"
#include "tests/src/fixture.h"

namespace lacquer {
namespace {

using namespace std::chrono_literals;
using test::Blocked;
using test::eventually;

// Two looks, far enough apart for whatever has not progressed.
std::size_t give_up_what_is_stuck(Scheduler& scheduler, int now_seconds) {
    const auto at = [](int seconds) { return Deadline{} + std::chrono::seconds(seconds); };
    return scheduler.write_off_stuck(at(now_seconds), 30s) + scheduler.write_off_stuck(at(now_seconds + 30), 30s);
}

TEST(SchedulerStop, AWrittenOffTaskMayReturnAfterTheSchedulerIsGone) {
    Blocked blocked, blocked_at_the_end;
    {
        Scheduler scheduler(2);
        scheduler.submit({TaskClass::listener}, blocked.task());
        ASSERT_TRUE(blocked.begun());
        EXPECT_EQ(give_up_what_is_stuck(scheduler, 0), 1u);
        scheduler.submit({TaskClass::listener}, blocked_at_the_end.task());
        ASSERT_TRUE(blocked_at_the_end.begun());
        scheduler.stop(10ms);
    }
    EXPECT_FALSE(blocked_at_the_end.has_returned());
    EXPECT_FALSE(blocked.has_returned());
    for (Blocked* one : {&blocked, &blocked_at_the_end}) {
        one->open();
        EXPECT_TRUE(one->forgotten());
    }
    EXPECT_TRUE(blocked.was_written_off());
}

TEST(SchedulerStop, StoppingGivesUpABlockedWorkerAndDropsWhatWaits) {
    Blocked blocked, waiting;
    Scheduler scheduler(1);
    scheduler.submit({TaskClass::listener}, blocked.task());
    scheduler.submit({TaskClass::listener}, waiting.task());
    ASSERT_TRUE(blocked.begun());
    scheduler.write_off_stuck(Deadline{} + 1'000'000s, 30s);  // a clock of its own
    scheduler.stop(10ms);
    EXPECT_EQ(blocked.stuck(), 1);
    EXPECT_FALSE(blocked.has_returned());
    EXPECT_EQ(waiting.stuck(), 0);
    EXPECT_EQ(scheduler.counts().written_off, 1u);
    EXPECT_EQ(scheduler.counts().waiting, 0u);
    EXPECT_FALSE(scheduler.submit({TaskClass::listener}, {[](TaskContext&) {}}));
    scheduler.stop(10ms);
    blocked.open();
    EXPECT_TRUE(eventually([&] { return scheduler.counts().written_off == 0; }));
    EXPECT_TRUE(waiting.forgotten());
}

TEST(SchedulerStop, StoppingWaitsForATaskThatProgresses) {
    std::promise<void> begun;
    std::atomic<bool> finished = false;
    const auto finish_what_it_began = [&](TaskContext& context) {
        begun.set_value();
        for (int i = 0; i < 1500; ++i) {
            context.progressed();
            std::this_thread::sleep_for(1ms);
        }
        finished = true;
    };
    Scheduler scheduler(1);
    scheduler.submit({TaskClass::listener}, {finish_what_it_began, [] {}});
    begun.get_future().wait();
    scheduler.stop(1s);
    EXPECT_TRUE(finished);
}

TEST(SchedulerStop, WithdrawingARunningTaskAsksItAloneToStop) {
    Scheduler scheduler(2);
    std::atomic<int> begun = 0;
    std::atomic<bool> end = false, other_was_asked = false;
    const auto until_asked = [&](TaskContext& context) {
        ++begun;
        while (!context.stop().stop_requested() && !end) std::this_thread::sleep_for(1ms);
    };
    const auto other = [&](TaskContext& context) {
        until_asked(context);
        other_was_asked = context.stop().stop_requested();
    };
    const auto ticket = scheduler.submit({TaskClass::listener}, {until_asked});
    scheduler.submit({TaskClass::listener}, {other});
    ASSERT_TRUE(eventually([&] { return begun == 2; }));
    EXPECT_FALSE(scheduler.withdraw(*ticket));
    EXPECT_TRUE(eventually([&] { return scheduler.counts().running == 1; }));
    end = true;
    EXPECT_TRUE(eventually([&] { return scheduler.counts().running == 0; }));
    EXPECT_FALSE(other_was_asked);
}

}  // namespace
}  // namespace lacquer
