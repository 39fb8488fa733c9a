#include "src/timers.h"

namespace lacquer {

RealTimers::RealTimers() : thread_([this](std::stop_token stop) { run(stop); }) {}

RealTimers::~RealTimers() {
    stop();
}

void RealTimers::stop() {
    {
        const thread::MutexLock lock(mutex_);
        stopping_ = true;
    }
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
}

Timers::Id RealTimers::call_after(Clock::duration delay, std::function<void()> call) {
    Id id = 0;
    {
        const thread::MutexLock lock(mutex_);
        id = next_id_++;
        if (stopping_) return id;
        const Clock::time_point due = now() + delay;
        calls_.emplace(std::pair(due, id), std::move(call));
        due_.emplace(id, due);
    }
    changed_.notify_one();
    return id;
}

bool RealTimers::cancel(Id id) {
    std::function<void()> dropped;  // destroyed outside the lock: it may hold the last reference to something large
    const thread::MutexLock lock(mutex_);
    const auto due = due_.find(id);
    if (due == due_.end()) return false;
    const auto call = calls_.find({due->second, id});
    dropped = std::move(call->second);
    calls_.erase(call);
    due_.erase(due);
    return true;
}

void RealTimers::run(std::stop_token stop) {
    const thread::MutexLock lock(mutex_);
    while (!stop.stop_requested()) {
        if (calls_.empty()) {
            changed_.wait(mutex_, stop, [&]() REQUIRES_LOCK(mutex_) { return !calls_.empty(); });
            continue;
        }
        const auto next = calls_.begin();
        const Clock::time_point due = next->first.first;
        if (due > now()) {
            changed_.wait_until(mutex_, stop, due, [&]() REQUIRES_LOCK(mutex_) {
                return calls_.empty() || calls_.begin()->first.first < due;
            });
            continue;
        }
        std::function<void()> call = std::move(next->second);
        due_.erase(next->first.second);
        calls_.erase(next);
        mutex_.unlock();
        call();
        call = nullptr;
        mutex_.lock();
    }
}

}  // namespace lacquer
