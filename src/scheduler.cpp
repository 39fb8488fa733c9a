#include "src/scheduler.h"

#include <algorithm>
#include <condition_variable>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <vector>

#include <sys/resource.h>

#include "thread/mutex.h"

namespace lacquer {

using Clock = std::chrono::steady_clock;

// What the scheduler and its workers' threads share; it lives as long as any of them.
struct Scheduler::State {
    // One task on a worker. Shared: whoever gives the task up calls `stuck` while run() may be returning.
    struct Running {
        TaskContext context;
        std::function<void()> stuck;
        TaskClass task_class = TaskClass::batch;
        std::size_t place = 0;
        // Guarded by the state's mutex.
        std::uint64_t seen_progress = 0;
        std::optional<Clock::time_point> seen_at = std::nullopt;  // when seen_progress was first seen
        bool given_up = false;
    };
    using RunningPtr = std::shared_ptr<Running>;
    struct Started {
        Ticket ticket = 0;
        std::function<void(TaskContext&)> run;
        RunningPtr running;
    };

    State(int workers_, int niceness, std::size_t max_waiting)
        : workers(static_cast<std::size_t>(workers_)),
          own_priority(niceness > 0),
          priority(::getpriority(PRIO_PROCESS, 0) + niceness),
          queue(workers_, max_waiting) {}

    static void work(const std::shared_ptr<State>& state, std::size_t place);
    static void give_up(const std::vector<RunningPtr>& stuck);

    std::optional<Started> take(std::size_t place) EXCLUDES_LOCK(mutex);
    bool give_back(const Started& task) EXCLUDES_LOCK(mutex);
    std::vector<RunningPtr> find_stuck(Clock::time_point now, Clock::duration patience) REQUIRES_LOCK(mutex);
    std::size_t stuck_in_place() const REQUIRES_LOCK(mutex);
    bool is_short_of_workers() const REQUIRES_LOCK(mutex);
    std::vector<Task> drop_what_nobody_can_start() REQUIRES_LOCK(mutex);
    void replace_stuck_workers(const std::shared_ptr<State>& self) REQUIRES_LOCK(mutex);
    void write_off(const Running& stuck, std::thread replacement) REQUIRES_LOCK(mutex);

    const std::size_t workers;
    const bool own_priority;
    const int priority;
    mutable thread::Mutex mutex;
    std::condition_variable_any runnable;  // there may be something to start, or the scheduler stops
    std::condition_variable_any returned;  // a task did
    TaskQueue queue GUARDED_BY(mutex);
    std::unordered_map<Ticket, Task> waiting GUARDED_BY(mutex);        // same tickets as in queue
    std::unordered_map<Ticket, RunningPtr> running GUARDED_BY(mutex);  // at most one per place
    std::vector<std::thread> threads GUARDED_BY(mutex);                // by place
    std::size_t written_off GUARDED_BY(mutex) = 0;                     // threads no longer in `threads`
    std::uint64_t written_off_total GUARDED_BY(mutex) = 0;
    std::uint64_t refused GUARDED_BY(mutex) = 0;
    bool stopping GUARDED_BY(mutex) = false;
    bool no_more_threads GUARDED_BY(mutex) = false;  // to take the place of a stuck one
};

void Scheduler::State::work(const std::shared_ptr<State>& state, std::size_t place) {
    // Of this thread alone, on Linux. A refusal changes nothing but waiting.
    if (state->own_priority) ::setpriority(PRIO_PROCESS, 0, state->priority);
    while (auto task = state->take(place)) {
        task->run(task->running->context);
        task->run = nullptr;
        if (!state->give_back(*task)) return;
    }
}

std::optional<Scheduler::State::Started> Scheduler::State::take(std::size_t place) {
    const thread::MutexLock lock(mutex);
    while (!stopping) {
        if (const auto next = queue.start_next()) {
            auto node = waiting.extract(next->ticket);
            auto task = std::make_shared<Running>();
            task->stuck = std::move(node.mapped().stuck);
            task->task_class = next->task_class;
            task->place = place;
            running.emplace(next->ticket, task);
            return Started{next->ticket, std::move(node.mapped().run), std::move(task)};
        }
        runnable.wait(mutex);
    }
    return std::nullopt;
}

std::size_t Scheduler::State::stuck_in_place() const {
    return static_cast<std::size_t>(
        std::count_if(running.begin(), running.end(), [](const auto& task) { return task.second->given_up; }));
}

// A stuck one cannot be replaced. One that is about to be does not count: its owner may submit again when told.
bool Scheduler::State::is_short_of_workers() const {
    return no_more_threads || stuck_in_place() + written_off > workers;
}

// Those that consent to being given up, once every worker is stuck in its place.
std::vector<Task> Scheduler::State::drop_what_nobody_can_start() {
    std::vector<Task> dropped;
    if (stuck_in_place() < workers) return dropped;
    for (auto task = waiting.begin(); task != waiting.end();) {
        if (!task->second.stuck) {
            ++task;
            continue;
        }
        queue.withdraw(task->first);
        dropped.push_back(std::move(task->second));
        task = waiting.erase(task);
    }
    return dropped;
}

// False when the worker was written off meanwhile.
bool Scheduler::State::give_back(const Started& task) {
    const thread::MutexLock lock(mutex);
    if (running.erase(task.ticket) == 0) {
        --written_off;
        return false;
    }
    queue.finished(task.running->task_class);
    runnable.notify_one();
    returned.notify_all();
    return true;
}

// Those that are from now on given up.
std::vector<Scheduler::State::RunningPtr> Scheduler::State::find_stuck(Clock::time_point now,
                                                                       Clock::duration patience) {
    std::vector<RunningPtr> stuck;
    for (const auto& [ticket, task] : running) {
        if (!task->stuck || task->given_up || task->context.ending_.load(std::memory_order_acquire)) continue;
        const std::uint64_t progress = task->context.progress_.load(std::memory_order_relaxed);
        if (!task->seen_at || progress != task->seen_progress) {
            task->seen_progress = progress;
            task->seen_at = now;
        } else if (now - *task->seen_at >= patience) {
            task->given_up = true;
            task->context.written_off_.store(true, std::memory_order_release);
            stuck.push_back(task);
        }
    }
    return stuck;
}

void Scheduler::State::replace_stuck_workers(const std::shared_ptr<State>& self) {
    no_more_threads = false;
    for (auto task = running.begin(); task != running.end() && written_off < workers;) {
        if (!task->second->given_up) {
            ++task;
            continue;
        }
        try {
            write_off(*task->second, std::thread(work, self, task->second->place));
        } catch (const std::system_error&) {
            no_more_threads = true;  // it stays in its place, and the next call tries again
            return;
        }
        queue.finished(task->second->task_class);
        task = running.erase(task);
    }
}

void Scheduler::State::write_off(const Running& stuck, std::thread replacement) {
    threads[stuck.place].detach();
    threads[stuck.place] = std::move(replacement);
    ++written_off;
    ++written_off_total;
}

// Told first: a task that is asked to stop might return before its owner knows why.
void Scheduler::State::give_up(const std::vector<RunningPtr>& stuck) {
    for (const RunningPtr& task : stuck) {
        task->stuck();
        task->context.stop_.request_stop();
    }
}

Scheduler::Scheduler(int workers, int niceness, std::size_t max_waiting)
    : workers_(workers), state_(std::make_shared<State>(workers, niceness, max_waiting)) {
    try {
        const thread::MutexLock lock(state_->mutex);
        for (std::size_t place = 0; place < state_->workers; ++place) {
            state_->threads.emplace_back(State::work, state_, place);
        }
    } catch (const std::system_error&) {  // no more threads to be had: the first ones are not left behind
        stop();
        throw;
    }
}

Scheduler::~Scheduler() {
    stop();
}

int Scheduler::limit(TaskClass task_class) const {
    const thread::MutexLock lock(state_->mutex);
    return state_->queue.limit(task_class);
}

std::optional<Scheduler::Ticket> Scheduler::submit(Urgency urgency, Task task) {
    std::optional<Ticket> ticket;
    {
        const thread::MutexLock lock(state_->mutex);
        if (!state_->stopping && !state_->is_short_of_workers()) ticket = state_->queue.submit(urgency);
        if (!ticket) {
            ++state_->refused;
            return std::nullopt;
        }
        state_->waiting.emplace(*ticket, std::move(task));
    }
    state_->runnable.notify_one();
    return ticket;
}

void Scheduler::hasten(Ticket ticket, Urgency urgency) {
    {
        const thread::MutexLock lock(state_->mutex);
        if (!state_->queue.hasten(ticket, urgency)) return;
    }
    state_->runnable.notify_one();
}

bool Scheduler::withdraw(Ticket ticket) {
    decltype(State::waiting)::node_type dropped;  // destroyed outside the lock: it may hold something large
    State::RunningPtr asked;
    {
        const thread::MutexLock lock(state_->mutex);
        if (state_->queue.withdraw(ticket)) {
            dropped = state_->waiting.extract(ticket);
            return true;
        }
        const auto task = state_->running.find(ticket);
        if (task != state_->running.end()) asked = task->second;
    }
    if (asked) asked->context.stop_.request_stop();
    return false;
}

std::size_t Scheduler::write_off_stuck(Clock::time_point now, Clock::duration patience) {
    std::vector<State::RunningPtr> stuck;
    {
        const thread::MutexLock lock(state_->mutex);
        if (state_->stopping) return 0;
        stuck = state_->find_stuck(now, patience);
    }
    // Before there is a new worker: it would start what their owners withdraw now that they know.
    State::give_up(stuck);
    std::vector<Task> dropped;
    {
        const thread::MutexLock lock(state_->mutex);
        if (state_->stopping) return stuck.size();
        state_->replace_stuck_workers(state_);
        dropped = state_->drop_what_nobody_can_start();
    }
    for (const Task& task : dropped) task.stuck();
    return stuck.size();
}

Scheduler::Counts Scheduler::counts() const {
    const thread::MutexLock lock(state_->mutex);
    return {state_->waiting.size(), state_->running.size(),    state_->stuck_in_place(),
            state_->written_off,    state_->written_off_total, state_->refused};
}

void Scheduler::stop(Clock::duration patience) {
    ask_all_to_stop();
    give_up_what_does_not(patience);
    std::vector<std::thread> threads;
    {
        const thread::MutexLock lock(state_->mutex);
        for (auto task = state_->running.begin(); task != state_->running.end();) {
            if (task->second->given_up) {
                state_->write_off(*task->second, {});
                task = state_->running.erase(task);
            } else {
                ++task;
            }
        }
        threads.swap(state_->threads);
    }
    for (std::thread& thread : threads) {
        if (thread.joinable()) thread.join();
    }
}

void Scheduler::ask_all_to_stop() {
    std::unordered_map<Ticket, Task> dropped;  // destroyed outside the lock
    std::vector<State::RunningPtr> asked;
    {
        const thread::MutexLock lock(state_->mutex);
        state_->stopping = true;
        for (const auto& [ticket, task] : state_->waiting) state_->queue.withdraw(ticket);
        dropped.swap(state_->waiting);
        for (const auto& [ticket, task] : state_->running) {
            task->seen_at.reset();  // by the clock of stop() from here on
            asked.push_back(task);
        }
    }
    state_->runnable.notify_all();
    for (const State::RunningPtr& task : asked) task->context.stop_.request_stop();
}

void Scheduler::give_up_what_does_not(Clock::duration patience) {
    const Clock::duration look =
        std::clamp<Clock::duration>(patience / 4, std::chrono::milliseconds(1), std::chrono::milliseconds(100));
    std::vector<State::RunningPtr> stuck;
    do {
        State::give_up(stuck);
        const thread::MutexLock lock(state_->mutex);
        const bool one_may_be_given_up =
            std::any_of(state_->running.begin(), state_->running.end(),
                        [](const auto& task) { return task.second->stuck && !task.second->given_up; });
        if (!one_may_be_given_up) return;
        state_->returned.wait_for(state_->mutex, look);
        stuck = state_->find_stuck(Clock::now(), patience);
    } while (true);
}

}  // namespace lacquer
