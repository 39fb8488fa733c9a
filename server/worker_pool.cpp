#include "server/worker_pool.h"

#include <system_error>
#include <utility>

namespace lacquer::server {
namespace {

constexpr std::chrono::seconds idle_thread_life{10};

}  // namespace

WorkerPool::WorkerPool(std::size_t max_threads, std::size_t max_waiting, std::function<void(int)> run)
    : max_threads_(max_threads), max_waiting_(max_waiting), run_(std::move(run)) {}

WorkerPool::~WorkerPool() {
    stop();
}

WorkerPool::Admission WorkerPool::submit(int descriptor, Clock::time_point deadline) {
    join_ended();
    const thread::MutexLock lock(mutex_);
    const bool starts = idle_workers_ > waiting_.size() || add_worker();
    if (!starts && waiting_.size() - idle_workers_ >= max_waiting_) return Admission::refused;
    waiting_.push_back({descriptor, deadline});
    changed_.notify_one();
    return starts ? Admission::started : Admission::waiting;
}

bool WorkerPool::add_worker() {
    if (workers_.size() >= max_threads_) return false;
    workers_.emplace_back();
    Worker& worker = workers_.back();
    try {
        worker.thread = std::thread([this, &worker] { work(worker); });
    } catch (const std::system_error&) {
        workers_.pop_back();
        return false;
    }
    ++idle_workers_;
    return true;
}

void WorkerPool::work(Worker& self) {
    while (const auto descriptor = next(self)) {
        run_(*descriptor);
        const thread::MutexLock lock(mutex_);
        ++idle_workers_;
    }
}

std::optional<int> WorkerPool::next(Worker& self) {
    const auto deadline = Clock::now() + idle_thread_life;
    const thread::MutexLock lock(mutex_);
    while (waiting_.empty() && !stopping_ && Clock::now() < deadline) changed_.wait_until(mutex_, deadline);
    --idle_workers_;
    if (waiting_.empty()) {
        self.ended = true;
        return std::nullopt;
    }
    const int descriptor = waiting_.front().descriptor;
    waiting_.pop_front();
    return descriptor;
}

void WorkerPool::join_ended() {
    std::list<Worker> ended;
    {
        const thread::MutexLock lock(mutex_);
        for (auto worker = workers_.begin(); worker != workers_.end();) {
            const auto next = std::next(worker);
            if (worker->ended) ended.splice(ended.end(), workers_, worker);
            worker = next;
        }
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
