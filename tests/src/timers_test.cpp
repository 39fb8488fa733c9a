#include "src/timers.h"

#include <atomic>
#include <future>
#include <string>

#include <gtest/gtest.h>

namespace lacquer {
namespace {

using namespace std::chrono_literals;

TEST(Timers, CallsComeInTheOrderOfTheirTimesNotOfTheirArrival) {
    RealTimers timers;
    std::string order;  // of one thread's calls; read after the last
    std::promise<void> done;
    timers.call_after(30ms, [&] {
        order += 'c';
        done.set_value();
    });
    timers.call_after(10ms, [&] { order += 'a'; });
    timers.call_after(20ms, [&] { order += 'b'; });
    done.get_future().wait();
    EXPECT_EQ(order, "abc");
}

TEST(Timers, ACancelledCallIsNeverMade) {
    RealTimers timers;
    std::atomic<bool> called = false;
    std::promise<void> later;
    const Timers::Id id = timers.call_after(5ms, [&] { called = true; });
    EXPECT_TRUE(timers.cancel(id));
    EXPECT_FALSE(timers.cancel(id));
    timers.call_after(10ms, [&] { later.set_value(); });
    later.get_future().wait();
    EXPECT_FALSE(called);
}

TEST(Timers, ACallMayMakeAndCancelOthers) {
    RealTimers timers;
    std::promise<void> done;
    const Timers::Id doomed = timers.call_after(1h, [] { FAIL(); });
    timers.call_after(0ms, [&] {
        EXPECT_TRUE(timers.cancel(doomed));
        timers.call_after(0ms, [&] { done.set_value(); });
    });
    done.get_future().wait();
}

TEST(Timers, NothingIsCalledOnceStopped) {
    std::atomic<int> calls = 0;
    RealTimers timers;
    for (int i = 0; i < 100; ++i) timers.call_after(std::chrono::milliseconds(i), [&] { ++calls; });
    timers.stop();
    const int before = calls;
    timers.call_after(0ms, [&] { ++calls; });
    timers.stop();
    EXPECT_EQ(calls, before);
}

}  // namespace
}  // namespace lacquer
