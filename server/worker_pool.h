// Threads that come and go with the work: one per job, up to a cap; jobs beyond it wait, up to a bound. A thread that
// ends for want of work joins those that ended before it, so that at most one is left unjoined, and with it its stack.
//
// Threads: submit, express, take_overdue and stop from one thread; the jobs run in the pool's.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <optional>
#include <thread>
#include <vector>

#include "thread/mutex.h"

namespace lacquer::server {

class WorkerPool {
public:
    using Clock = std::chrono::steady_clock;
    enum class Admission { started, waiting, refused };
    static constexpr std::size_t max_express = 8;

    // Of the thread that runs a job: one under the cap, or one of the few beyond it, which must be free again soon.
    enum class Lane { regular, express };
    using Run = std::function<void(int descriptor, Lane lane)>;

    // `run` must not throw. Threads end after `idle_life` without work.
    WorkerPool(std::size_t max_threads, std::size_t max_waiting, Run run,
               std::chrono::milliseconds idle_life = std::chrono::seconds(10));
    ~WorkerPool();

    // `deadline`: until when it may wait for a thread. A thread that cannot be created counts as the cap reached.
    Admission submit(int descriptor, Clock::time_point deadline);
    // Runs one of those that wait now, in a thread beyond the cap, of which there are at most max_express. False when
    // it does not wait any more, has to, or does not deserve it: asked while the descriptor is certain to be still
    // waiting; must not block.
    bool express(int descriptor, const std::function<bool(int)>& deserves);
    bool waits(int descriptor) const;
    std::size_t waiting() const;  // for a thread to become free
    // Those whose deadline passed while they waited; they are the caller's again.
    std::vector<int> take_overdue(Clock::time_point now);
    std::optional<Clock::time_point> next_deadline() const;
    // Joins all threads once their jobs ended. Those still waiting are returned.
    std::vector<int> stop();

private:
    struct Waiting {
        int descriptor;
        Clock::time_point deadline;
    };
    struct Worker {
        std::thread thread;
        bool ended = false;  // with mutex_ held
    };

    void work();
    void work_once(int descriptor);
    std::optional<int> next();  // nullopt: nothing came for a while, and the thread ends
    bool add_worker(std::function<void()> job) REQUIRES_LOCK(mutex_);
    void end(Worker& self);

    const std::size_t max_threads_;
    const std::size_t max_waiting_;
    const Run run_;
    const std::chrono::milliseconds idle_life_;
    mutable thread::Mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<Waiting> waiting_ GUARDED_BY(mutex_);  // oldest deadline first
    std::list<Worker> workers_ GUARDED_BY(mutex_);    // those that ended and are not yet joined included
    std::size_t running_ GUARDED_BY(mutex_) = 0;      // threads under the cap
    std::size_t express_ GUARDED_BY(mutex_) = 0;      // threads beyond it
    std::size_t idle_workers_ GUARDED_BY(mutex_) = 0;
    bool stopping_ GUARDED_BY(mutex_) = false;
};

}  // namespace lacquer::server
