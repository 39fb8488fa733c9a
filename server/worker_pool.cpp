#include "server/worker_pool.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace lacquer::server {

WorkerPool::WorkerPool(std::size_t max_threads, std::size_t max_waiting, Run run, std::chrono::milliseconds idle_life)
    : max_threads_(max_threads), max_waiting_(max_waiting), run_(std::move(run)), idle_life_(idle_life) {}

WorkerPool::~WorkerPool() {
    stop();
}

WorkerPool::Admission WorkerPool::submit(int descriptor, Clock::time_point deadline) {
    const thread::MutexLock lock(mutex_);
    bool starts = idle_workers_ > waiting_.size();
    if (!starts && running_ < max_threads_ && add_worker([this] { work(); })) {
        ++running_;
        ++idle_workers_;
        starts = true;
    }
    if (!starts && waiting_.size() - idle_workers_ >= max_waiting_) return Admission::refused;
    waiting_.push_back({descriptor, deadline});
    changed_.notify_one();
    return starts ? Admission::started : Admission::waiting;
}

bool WorkerPool::express(int descriptor, const std::function<bool(int)>& deserves) {
    const thread::MutexLock lock(mutex_);
    const auto waiting = std::find_if(waiting_.begin(), waiting_.end(),
                                      [&](const Waiting& entry) { return entry.descriptor == descriptor; });
    if (waiting == waiting_.end() || express_ >= max_express || !deserves(descriptor)) return false;
    if (!add_worker([this, descriptor] { work_once(descriptor); })) return false;
    ++express_;
    waiting_.erase(waiting);
    return true;
}

bool WorkerPool::waits(int descriptor) const {
    const thread::MutexLock lock(mutex_);
    return std::any_of(waiting_.begin(), waiting_.end(),
                       [&](const Waiting& entry) { return entry.descriptor == descriptor; });
}

std::size_t WorkerPool::waiting() const {
    const thread::MutexLock lock(mutex_);
    return waiting_.size() - std::min(waiting_.size(), idle_workers_);
}

bool WorkerPool::add_worker(std::function<void()> job) {
    workers_.emplace_back();
    Worker& worker = workers_.back();
    try {
        worker.thread = std::thread([this, &worker, task = std::move(job)] {
            task();
            end(worker);
        });
    } catch (const std::system_error&) {
        workers_.pop_back();
        return false;
    }
    return true;
}

void WorkerPool::work() {
    while (const auto descriptor = next()) {
        run_(*descriptor, Lane::regular);
        const thread::MutexLock lock(mutex_);
        ++idle_workers_;
    }
}

std::optional<int> WorkerPool::next() {
    const auto deadline = Clock::now() + idle_life_;
    const thread::MutexLock lock(mutex_);
    while (waiting_.empty() && !stopping_ && Clock::now() < deadline) changed_.wait_until(mutex_, deadline);
    --idle_workers_;
    if (waiting_.empty()) {
        --running_;
        return std::nullopt;
    }
    const int descriptor = waiting_.front().descriptor;
    waiting_.pop_front();
    return descriptor;
}

void WorkerPool::work_once(int descriptor) {
    run_(descriptor, Lane::express);
    const thread::MutexLock lock(mutex_);
    --express_;
}

void WorkerPool::end(Worker& self) {
    std::list<Worker> ended;
    {
        const thread::MutexLock lock(mutex_);
        for (auto worker = workers_.begin(); worker != workers_.end();) {
            const auto next = std::next(worker);
            if (worker->ended) ended.splice(ended.end(), workers_, worker);
            worker = next;
        }
        self.ended = true;
    }
    for (Worker& worker : ended) worker.thread.join();
}

std::vector<int> WorkerPool::take_overdue(Clock::time_point now) {
    std::vector<int> overdue;
    const thread::MutexLock lock(mutex_);
    while (!waiting_.empty() && waiting_.front().deadline <= now) {
        overdue.push_back(waiting_.front().descriptor);
        waiting_.pop_front();
    }
    return overdue;
}

std::optional<WorkerPool::Clock::time_point> WorkerPool::next_deadline() const {
    const thread::MutexLock lock(mutex_);
    if (waiting_.empty()) return std::nullopt;
    return waiting_.front().deadline;
}

std::vector<int> WorkerPool::stop() {
    std::vector<int> left;
    std::list<Worker> workers;
    {
        const thread::MutexLock lock(mutex_);
        stopping_ = true;
        for (const Waiting& waiting : waiting_) left.push_back(waiting.descriptor);
        waiting_.clear();
        changed_.notify_all();
        workers.splice(workers.end(), workers_);
    }
    for (Worker& worker : workers) worker.thread.join();
    return left;
}

}  // namespace lacquer::server
