#include "src/scheduler.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include <sys/resource.h>

namespace lacquer {
namespace {

constexpr std::size_t at(TaskClass task_class) {
    return static_cast<std::size_t>(task_class);
}

}  // namespace

Scheduler::Scheduler(int workers, int niceness) : niceness_(niceness) {
    if (workers < 1 || workers > 20) {
        throw std::invalid_argument("workers is " + std::to_string(workers) + "; allowed: 1 to 20");
    }
    const int all_but_one = std::max(1, workers - 1);
    limits_[at(TaskClass::listener)] = workers;
    limits_[at(TaskClass::look_ahead)] = workers;
    limits_[at(TaskClass::rest_of_track)] = all_but_one;
    limits_[at(TaskClass::batch)] = std::min(3, all_but_one);
    limits_[at(TaskClass::measuring)] = std::min(2, all_but_one);
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this](std::stop_token stop) { run(stop); });
}

Scheduler::~Scheduler() {
    stop();
}

Scheduler::Ticket Scheduler::submit(Urgency urgency, Task task) {
    Ticket ticket = 0;
    {
        const cache::MutexLock lock(mutex_);
        ticket = next_ticket_++;
        if (stopping_) return ticket;
        queue_.emplace(Position{urgency, ticket}, std::move(task));
        urgencies_.emplace(ticket, urgency);
        ++changes_;
    }
    changed_.notify_one();
    return ticket;
}

void Scheduler::hasten(Ticket ticket, Urgency urgency) {
    {
        const cache::MutexLock lock(mutex_);
        const auto known = urgencies_.find(ticket);
        if (known == urgencies_.end() || known->second <= urgency) return;
        auto node = queue_.extract(Position{known->second, ticket});
        node.key() = Position{urgency, ticket};
        queue_.insert(std::move(node));
        known->second = urgency;
        ++changes_;
    }
    changed_.notify_one();
}

bool Scheduler::withdraw(Ticket ticket) {
    Task dropped;  // destroyed outside the lock: it may hold the last reference to something large
    const cache::MutexLock lock(mutex_);
    const auto known = urgencies_.find(ticket);
    if (known == urgencies_.end()) return false;
    const auto waiting = queue_.find(Position{known->second, ticket});
    dropped = std::move(waiting->second);
    queue_.erase(waiting);
    urgencies_.erase(known);
    return true;
}

std::size_t Scheduler::waiting() const {
    const cache::MutexLock lock(mutex_);
    return queue_.size();
}

void Scheduler::stop() {
    std::map<Position, Task> dropped;
    {
        const cache::MutexLock lock(mutex_);
        stopping_ = true;
        dropped.swap(queue_);
        urgencies_.clear();
    }
    for (std::jthread& thread : threads_) thread.request_stop();
    for (std::jthread& thread : threads_) {
        if (thread.joinable()) thread.join();
    }
}

std::map<Scheduler::Position, Scheduler::Task>::iterator Scheduler::next_runnable() {
    const int background = std::accumulate(running_.begin() + at(TaskClass::rest_of_track), running_.end(), 0);
    const bool background_may_run = background < limits_[at(TaskClass::rest_of_track)];
    return std::find_if(queue_.begin(), queue_.end(), [&](const auto& entry) REQUIRES_LOCK(mutex_) {
        const std::size_t task_class = at(std::get<Urgency>(entry.first).task_class);
        const bool is_background = task_class >= at(TaskClass::rest_of_track);
        return running_[task_class] < limits_[task_class] && (background_may_run || !is_background);
    });
}

void Scheduler::run(std::stop_token stop) {
    // Of this thread alone, on Linux. A refusal changes nothing but waiting.
    if (niceness_ > 0) ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + niceness_);
    const cache::MutexLock lock(mutex_);
    while (!stop.stop_requested()) {
        const auto next = next_runnable();
        if (next == queue_.end()) {
            const std::uint64_t seen = changes_;
            changed_.wait(mutex_, stop, [&]() REQUIRES_LOCK(mutex_) { return changes_ != seen; });
            continue;
        }
        const std::size_t task_class = at(std::get<Urgency>(next->first).task_class);
        Task task = std::move(next->second);
        urgencies_.erase(std::get<Ticket>(next->first));
        queue_.erase(next);
        ++running_[task_class];
        mutex_.unlock();
        task(stop);
        task = nullptr;
        mutex_.lock();
        --running_[task_class];
        ++changes_;
        changed_.notify_one();
    }
}

}  // namespace lacquer
