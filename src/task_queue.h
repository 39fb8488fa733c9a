// What runs next, given what waits and what runs. The decision alone: no threads, no clock, so that a simulation in
// virtual time (tests, bench/scheduler_timeline) asks the very code that the daemon's workers ask.
//
// Order: by class; among listeners and look-ahead, earliest deadline first, then arrival. The background classes
// (rest_of_track, batch, measuring) take turns between their jobs: the job whose last turn is longest ago is next, a
// job that comes (again) joins behind those that are waiting; within a job, deadline and arrival. So two jobs that have
// something waiting throughout never differ by more than one started task, and no stream of new jobs starves an old
// one.
//
// Limits: running tasks per class, and rest_of_track, batch and measuring together leave one worker free (where there
// are two or more). A quarter of the waiting places is kept for listeners and look-ahead.
//
// Every member is O(log n) in the waiting tasks. Threads: not thread-safe. Memory: a few small nodes per waiting task.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace lacquer {

enum class TaskClass { listener, look_ahead, rest_of_track, batch, measuring };
inline constexpr std::size_t kTaskClasses = 5;

using Deadline = std::chrono::steady_clock::time_point;

struct Urgency {
    TaskClass task_class = TaskClass::batch;
    Deadline deadline = Deadline::max();
    std::uint64_t job = 0;  // whose turn it takes in a background class; no part of the order

    friend std::weak_ordering operator<=>(const Urgency& a, const Urgency& b) {
        return std::pair(a.task_class, a.deadline) <=> std::pair(b.task_class, b.deadline);
    }
    friend bool operator==(const Urgency& a, const Urgency& b) { return (a <=> b) == 0; }
};

// The waiting tasks of one class.
class TurnQueue {
public:
    using Ticket = std::uint64_t;

    void insert(std::uint64_t job, Deadline deadline, Ticket ticket);
    void erase(std::uint64_t job, Deadline deadline, Ticket ticket);
    bool empty() const noexcept { return turns_.empty(); }
    Ticket take();  // not when empty()

private:
    struct Job {
        std::uint64_t turn = 0;                       // its place in turns_
        std::set<std::pair<Deadline, Ticket>> tasks;  // never empty
    };
    void move_to_the_end(std::uint64_t id, Job& job);

    std::unordered_map<std::uint64_t, Job> jobs_;              // by id
    std::set<std::pair<std::uint64_t, std::uint64_t>> turns_;  // (turn, id) of the same jobs; the first is next
    std::uint64_t next_turn_ = 1;
};

class TaskQueue {
public:
    using Ticket = TurnQueue::Ticket;  // never 0
    struct Next {
        Ticket ticket = 0;
        TaskClass task_class = TaskClass::batch;
    };

    // Throws std::invalid_argument when `workers` is outside [1, 20] or `max_waiting` is 0.
    TaskQueue(int workers, std::size_t max_waiting);

    // nullopt: full.
    std::optional<Ticket> submit(Urgency urgency);
    // Moves a waiting task forward; never back. False when there was nothing to move.
    bool hasten(Ticket ticket, Urgency urgency);
    // True when it was waiting; it is forgotten.
    bool withdraw(Ticket ticket);
    // Counts the most urgent task that may run now as running and forgets its ticket; nullopt when none may. It does
    // not know how many workers are idle: only an idle one asks.
    std::optional<Next> start_next();
    void finished(TaskClass task_class);

    std::size_t waiting() const noexcept { return urgencies_.size(); }
    int running(TaskClass task_class) const noexcept { return running_[static_cast<std::size_t>(task_class)]; }
    int limit(TaskClass task_class) const noexcept { return limits_[static_cast<std::size_t>(task_class)]; }
    // Of rest_of_track, batch and measuring together.
    int background_limit() const noexcept { return limit(TaskClass::rest_of_track); }

private:
    bool may_run(TaskClass task_class) const noexcept;
    TurnQueue& queue(TaskClass task_class) { return queues_[static_cast<std::size_t>(task_class)]; }

    const std::size_t max_waiting_;
    std::array<int, kTaskClasses> limits_{};
    std::array<int, kTaskClasses> running_{};        // never above limits_
    std::array<TurnQueue, kTaskClasses> queues_;     // every waiting task, by class
    std::unordered_map<Ticket, Urgency> urgencies_;  // same tasks as queues_
    Ticket next_ticket_ = 1;
};

}  // namespace lacquer
