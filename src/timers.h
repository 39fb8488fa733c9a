// Calls that are due later. What waits for time takes this, so that a test can let hours pass in a moment.
//
// Threads: every member may be called from any thread, the calls themselves included.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <thread>
#include <utility>

#include "thread/mutex.h"

namespace lacquer {

inline std::chrono::milliseconds milliseconds_of(double seconds) {
    return std::chrono::milliseconds(static_cast<std::chrono::milliseconds::rep>(seconds * 1000.0));
}

class Timers {
public:
    using Clock = std::chrono::steady_clock;
    using Id = std::uint64_t;  // never 0

    virtual ~Timers() = default;
    virtual Clock::time_point now() const = 0;
    // `call` is made once, `delay` from now or later; it must be quick and must not throw.
    virtual Id call_after(Clock::duration delay, std::function<void()> call) = 0;
    // True when the call was not made and never will be; false when it was, or is being made.
    virtual bool cancel(Id id) = 0;
};

// One thread that makes the calls.
class RealTimers final : public Timers {
public:
    RealTimers();
    ~RealTimers() override;
    Clock::time_point now() const override { return Clock::now(); }
    Id call_after(Clock::duration delay, std::function<void()> call) override;
    bool cancel(Id id) override;
    void stop();  // no call is made any more once it has returned; not from a call

private:
    void run(std::stop_token stop);

    thread::Mutex mutex_;
    std::condition_variable_any changed_;
    std::map<std::pair<Clock::time_point, Id>, std::function<void()>> calls_ GUARDED_BY(mutex_);
    std::map<Id, Clock::time_point> due_ GUARDED_BY(mutex_);  // same calls as calls_
    Id next_id_ GUARDED_BY(mutex_) = 1;
    bool stopping_ GUARDED_BY(mutex_) = false;
    std::jthread thread_;
};

}  // namespace lacquer
