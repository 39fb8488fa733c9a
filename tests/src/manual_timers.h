// Time that passes when the test says so.
#pragma once

#include <map>
#include <mutex>

#include "src/timers.h"

namespace lacquer::test {

class ManualTimers final : public Timers {
public:
    Clock::time_point now() const override {
        const std::lock_guard lock(mutex_);
        return now_;
    }
    Id call_after(Clock::duration delay, std::function<void()> call) override {
        const std::lock_guard lock(mutex_);
        calls_.emplace(++last_id_, Call{now_ + delay, std::move(call)});
        return last_id_;
    }
    bool cancel(Id id) override {
        const std::lock_guard lock(mutex_);
        return calls_.erase(id) > 0;
    }
    // Makes the calls that come due meanwhile, in their order.
    void pass(Clock::duration time) {
        std::unique_lock lock(mutex_);
        const auto end = now_ + time;
        while (true) {
            auto next = calls_.end();
            for (auto call = calls_.begin(); call != calls_.end(); ++call) {
                if (call->second.due <= end && (next == calls_.end() || call->second.due < next->second.due))
                    next = call;
            }
            if (next == calls_.end()) break;
            now_ = std::max(now_, next->second.due);
            const std::function<void()> make = std::move(next->second.make);
            calls_.erase(next);
            lock.unlock();
            make();
            lock.lock();
        }
        now_ = end;
    }
    std::size_t pending() const {
        const std::lock_guard lock(mutex_);
        return calls_.size();
    }

private:
    struct Call {
        Clock::time_point due;
        std::function<void()> make;
    };
    mutable std::mutex mutex_;
    Clock::time_point now_{std::chrono::hours(1)};
    std::map<Id, Call> calls_;
    Id last_id_ = 0;
};

}  // namespace lacquer::test
