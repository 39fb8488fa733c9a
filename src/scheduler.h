// A fixed set of workers and one queue, most urgent first: by class, then earliest deadline, then first come.
//
//     listeners, look-ahead, CLI  --submit-->  queue ordered by (class, deadline, arrival)  --> worker threads --> task
//
// The scheduler never reads a clock: a deadline is only compared. Each class has a limit of tasks running at once, and
// rest_of_track, batch and measuring together leave one worker free (where there are two or more), so that background
// work cannot take the last worker from a listener.
//
// Threads: every member may be called from any thread, tasks included; stop() not from a task, and not twice at once.
// Memory: one small node per waiting task.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <thread>
#include <tuple>
#include <vector>

#include "cache/mutex.h"

namespace lacquer {

enum class TaskClass { listener, look_ahead, rest_of_track, batch, measuring };
inline constexpr std::size_t kTaskClasses = 5;

using Deadline = std::chrono::steady_clock::time_point;

struct Urgency {
    TaskClass task_class = TaskClass::batch;
    Deadline deadline = Deadline::max();
    auto operator<=>(const Urgency&) const = default;
};

class Scheduler {
public:
    using Task = std::function<void(std::stop_token)>;
    using Ticket = std::uint64_t;

    // `niceness`: how far the workers step back behind the process's other threads, [0, 19]. Those hand on what is done
    // and would otherwise wait for a worker's time slice to end. Throws std::invalid_argument when `workers` is outside
    // [1, 20].
    explicit Scheduler(int workers, int niceness = 0);
    ~Scheduler();  // stop()

    // The task is run once, on a worker; it must not throw. After stop() it is run no more: the caller's own clean-up
    // has to cope.
    Ticket submit(Urgency urgency, Task task);
    // Moves a waiting task forward; never back. No effect once it runs.
    void hasten(Ticket ticket, Urgency urgency);
    // True when the task had not started and now never will.
    bool withdraw(Ticket ticket);

    int workers() const noexcept { return static_cast<int>(threads_.size()); }
    int limit(TaskClass task_class) const noexcept { return limits_[static_cast<std::size_t>(task_class)]; }
    std::size_t waiting() const;
    // Asks running tasks to stop, drops waiting ones, joins the workers. Idempotent.
    void stop();

private:
    using Position = std::tuple<Urgency, Ticket>;

    void run(std::stop_token stop);
    std::map<Position, Task>::iterator next_runnable() REQUIRES_LOCK(mutex_);

    const int niceness_;
    mutable cache::Mutex mutex_;
    std::condition_variable_any changed_;
    std::map<Position, Task> queue_ GUARDED_BY(mutex_);           // every waiting task, in the order of running
    std::map<Ticket, Urgency> urgencies_ GUARDED_BY(mutex_);      // same tasks as queue_
    std::array<int, kTaskClasses> running_ GUARDED_BY(mutex_){};  // never above limits_
    std::uint64_t changes_ GUARDED_BY(mutex_) = 0;  // grows whenever a sleeping worker might find something to do
    Ticket next_ticket_ GUARDED_BY(mutex_) = 1;
    bool stopping_ GUARDED_BY(mutex_) = false;
    std::array<int, kTaskClasses> limits_{};
    std::vector<std::jthread> threads_;
};

}  // namespace lacquer
