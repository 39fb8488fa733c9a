// A fixed number of workers and one queue (src/task_queue.h decides what runs next).
//
//     listeners, look-ahead, CLI  --submit-->  waiting tasks  --> worker threads --> Task::run
//     a watchdog                  --write_off_stuck-->  a blocked worker's task is given up: Task::stuck;
//                                                       the worker is written off, a new one takes its place
//
// A written-off worker cannot be ended, only forgotten: its thread is detached and ends when its task returns, be that
// after the scheduler is gone. At most as many of them are alive at once as there are workers; a worker that gets stuck
// then stays in its place, and until one comes back new tasks are refused. When none is left that moves, the waiting
// tasks are given up too.
//
// The scheduler reads no clock, except stop(): deadlines are only compared, write_off_stuck() is told the time.
//
// Threads: every member may be called from any thread, tasks included; stop() not from a task, and not twice at once.
// Memory: a few small nodes per waiting task, at most `max_waiting` of them.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>

#include "src/task_queue.h"

namespace lacquer {

// What a running task holds. Valid until run() returns, written off or not.
class TaskContext {
public:
    // Asked to stop when the task is withdrawn, given up, or the scheduler stops.
    std::stop_token stop() const { return stop_.get_token(); }
    // "Not stuck": cheap enough for every block of audio.
    void progressed() noexcept { progress_.fetch_add(1, std::memory_order_relaxed); }
    // Whether Task::stuck was called or is about to be. A reason to return early, not a lock: what the task still may
    // touch, its owner settles with stuck() under a lock of its own.
    // From here on it is waited for, however long it takes: what it still does cannot be given up half-way.
    void ending() noexcept { ending_.store(true, std::memory_order_release); }
    bool written_off() const noexcept { return written_off_.load(std::memory_order_acquire); }

private:
    friend class Scheduler;
    std::stop_source stop_;
    std::atomic<std::uint64_t> progress_ = 0;
    std::atomic<bool> written_off_ = false;
    std::atomic<bool> ending_ = false;
};

struct Task {
    // Once, on a worker. Must not throw. What it holds is destroyed on the thread that ran it.
    std::function<void(TaskContext&)> run;
    // Having one is the consent to be given up. It is called, once, when run() neither returned nor progressed; run()
    // may be returning at that very moment, and whichever of the two takes the owner's lock first counts. Called then,
    // run() is as good as gone: it touches nothing from there on that may die before it returns. Must not throw.
    // A task without is waited for, however long it takes. A waiting task is given up when every worker is stuck: then
    // run() never begins.
    std::function<void()> stuck = {};
};

// A task was not accepted; what() says why. It can pass: worth another try after a while.
class WorkRefused : public std::runtime_error {
public:
    WorkRefused() : std::runtime_error("too much is waiting or stuck to take on more work") {}
};

class Scheduler {
public:
    using Ticket = TaskQueue::Ticket;  // never 0

    // `niceness`: how far the workers step back behind the process's other threads, [0, 19]. Those hand on what is done
    // and would otherwise wait for a worker's time slice to end. Throws std::invalid_argument when `workers` is outside
    // [1, 20].
    explicit Scheduler(int workers, int niceness = 0, std::size_t max_waiting = 8192);
    ~Scheduler();  // stop()
    Scheduler(const Scheduler&) = delete;
    Scheduler& operator=(const Scheduler&) = delete;

    // nullopt: refused (counted), because `max_waiting` tasks wait (three quarters of that for a background class), a
    // stuck worker could not be replaced, or the scheduler was stopped.
    std::optional<Ticket> submit(Urgency urgency, Task task);
    // Moves a waiting task forward; never back. No effect once it runs.
    void hasten(Ticket ticket, Urgency urgency);
    // True when the task had not started and now never will. One that runs is asked to stop.
    bool withdraw(Ticket ticket);
    // Gives up the running tasks that have a stuck() and have not progressed for `patience`, as seen by successive
    // calls: so call it a few times per `patience`. Returns how many were given up in this call. When their owners have
    // been told, their workers are written off and replaced as far as the limit allows, the others in a later call.
    std::size_t write_off_stuck(std::chrono::steady_clock::time_point now,
                                std::chrono::steady_clock::duration patience);

    struct Counts {
        std::size_t waiting = 0;
        std::size_t running = 0;              // on workers in their place, stuck ones among them
        std::size_t stuck = 0;                // of those, given up: their workers are not, or not yet, replaced
        std::size_t written_off = 0;          // workers, now blocked
        std::uint64_t written_off_total = 0;  // workers, ever
        std::uint64_t refused = 0;            // tasks, ever
    };
    Counts counts() const;
    std::size_t waiting() const { return counts().waiting; }
    int workers() const noexcept { return workers_; }
    int limit(TaskClass task_class) const;

    // Refuses new tasks, drops waiting ones, asks running ones to stop and joins the workers. Tasks that have a stuck()
    // and do not progress for `patience` are given up, their threads detached. Idempotent.
    void stop(std::chrono::steady_clock::duration patience = std::chrono::seconds(2));

private:
    struct State;
    void ask_all_to_stop();
    void give_up_what_does_not(std::chrono::steady_clock::duration patience);

    const int workers_;
    // Shared with every worker's thread, because a written-off one may outlive the scheduler.
    const std::shared_ptr<State> state_;
};

}  // namespace lacquer
