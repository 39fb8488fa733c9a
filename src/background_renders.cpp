#include "src/background_renders.h"

#include <algorithm>

namespace lacquer {
namespace {

constexpr std::size_t kHeldPerJob = 2;
constexpr std::chrono::milliseconds kGather{5};
constexpr std::chrono::seconds kRefusalRest{1};

std::int64_t budget_chunks(const cache::CacheStats& stats, const RenderPlan& plan, bool requested,
                           std::size_t active_jobs) {
    if (plan.grid.chunk_count() == 0) return 0;
    const std::uint64_t share = stats.capacity_bytes / ((requested ? 2 : 4) * std::max<std::size_t>(1, active_jobs));
    const std::uint64_t chunk_bytes = std::max<std::uint64_t>(1, chunk_layout(plan, 0).total_bytes());
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(share / chunk_bytes));
}

// From the playhead to the end, then from the beginning, as far as the budget reaches.
std::vector<std::int64_t> in_order(std::int64_t from, std::int64_t count, std::int64_t budget) {
    std::vector<std::int64_t> order;
    for (std::int64_t i = 0; i < std::min(count, budget); ++i) order.push_back((from + i) % count);
    return order;
}

}  // namespace

BackgroundRenders::Playhead::~Playhead() {
    renders_.leave(id_, *plan_);
}

void BackgroundRenders::Playhead::at(std::int64_t chunk) {
    renders_.move(id_, plan_, chunk);
}

BackgroundRenders::BackgroundRenders(ChunkService& chunks, cache::ChunkCache& cache)
    : chunks_(chunks), cache_(cache), pump_([this](std::stop_token stop) { run(stop); }) {
    cache_.set_protection([this](const cache::ChunkKey& key) {
        const thread::MutexLock lock(protection_mutex_);
        return protected_.contains(key);
    });
}

BackgroundRenders::~BackgroundRenders() {
    stop();
    cache_.set_protection({});
}

void BackgroundRenders::stop() {
    pump_.request_stop();
    if (pump_.joinable()) pump_.join();
}

std::unique_ptr<BackgroundRenders::Playhead> BackgroundRenders::follow(PlanPtr plan) {
    const thread::MutexLock lock(mutex_);
    return std::unique_ptr<Playhead>(new Playhead(*this, std::move(plan), next_playhead_++));
}

void BackgroundRenders::start(PlanPtr plan, std::int64_t from_chunk) {
    {
        const thread::MutexLock lock(mutex_);
        Job& job = jobs_[plan->fingerprint];
        job.requested = true;
        ++job.starts;
        job.cancelled = false;
        if (job.playheads.empty()) job.latest = from_chunk;
        job.plan = std::move(plan);
        ++changes_;
    }
    changed_.notify_one();
}

void BackgroundRenders::move(std::uint64_t id, const PlanPtr& plan, std::int64_t chunk) {
    {
        const thread::MutexLock lock(mutex_);
        Job& job = jobs_[plan->fingerprint];
        job.plan = plan;
        job.playheads[id] = chunk;
        job.latest = chunk;
        ++changes_;
    }
    changed_.notify_one();
}

void BackgroundRenders::leave(std::uint64_t id, const RenderPlan& plan) {
    {
        const thread::MutexLock lock(mutex_);
        const auto job = jobs_.find(plan.fingerprint);
        if (job == jobs_.end()) return;
        job->second.playheads.erase(id);
        if (job->second.cancelled && job->second.playheads.empty()) jobs_.erase(job);
        ++changes_;
    }
    changed_.notify_one();
}

bool BackgroundRenders::cancel(const RenderPlan& plan) {
    bool existed = false;
    {
        const thread::MutexLock lock(mutex_);
        const auto job = jobs_.find(plan.fingerprint);
        if (job == jobs_.end() || job->second.cancelled) return false;
        existed = true;
        job->second.cancelled = true;
        job->second.requested = false;
        if (job->second.playheads.empty()) jobs_.erase(job);
        ++changes_;
    }
    changed_.notify_one();
    return existed;
}

bool BackgroundRenders::active(const RenderPlan& plan) const {
    const thread::MutexLock lock(mutex_);
    const auto job = jobs_.find(plan.fingerprint);
    return job != jobs_.end() && !job->second.cancelled;
}

void BackgroundRenders::poke() {
    {
        const thread::MutexLock lock(mutex_);
        ++changes_;
    }
    changed_.notify_one();
}

void BackgroundRenders::run(std::stop_token stop) {
    std::map<std::string, Work> works;
    std::uint64_t seen = 0;
    bool refused = false;
    while (!stop.stop_requested()) {
        Jobs jobs;
        {
            const thread::MutexLock lock(mutex_);
            const auto is_news = [&]() REQUIRES_LOCK(mutex_) { return changes_ != seen; };
            refused ? void(changed_.wait_for(mutex_, stop, kRefusalRest, is_news))
                    : void(changed_.wait(mutex_, stop, is_news));
            // Thousands of listeners that begin at once are one change, not thousands.
            changed_.wait_for(mutex_, stop, kGather, [] { return false; });
            seen = changes_;
            jobs = jobs_;
        }
        std::erase_if(jobs, [](const auto& job) { return job.second.cancelled; });
        protect(jobs);
        const cache::CacheStats stats = cache_.stats();
        std::erase_if(works, [&](const auto& work) { return !jobs.contains(work.first); });
        refused = false;
        for (const auto& [fingerprint, job] : jobs) {
            const Outlook outlook =
                top_up(job, budget_chunks(stats, *job.plan, job.requested, jobs.size()), works[fingerprint]);
            refused = refused || outlook.refused;
            if (!outlook.busy && job.playheads.empty()) end_if_unchanged(fingerprint, seen);
        }
    }
}

BackgroundRenders::Outlook BackgroundRenders::top_up(const Job& job, std::int64_t budget_chunks, Work& work) {
    if (work.starts != job.starts) work.done.clear();
    work.starts = job.starts;
    const auto order = in_order(job.latest, job.plan->grid.chunk_count(), budget_chunks);
    let_go_of_finished(work);
    std::vector<std::int64_t> next;
    for (const std::int64_t n : order) {
        if (next.size() == kHeldPerJob) break;
        if (work.done.contains(n)) continue;
        if (!work.held.contains(n) && chunks_.state(*job.plan, n) == ChunkService::State::ready) {
            work.done.insert(n);
        } else {
            next.push_back(n);
        }
    }
    // What the playhead left behind gives up its place in the queue; what is being rendered is finished anyway.
    std::erase_if(work.held, [&](const auto& held) {
        return std::find(next.begin(), next.end(), held.first) == next.end() &&
               chunks_.state(*job.plan, held.first) != ChunkService::State::rendering;
    });
    return open_next(job, order, work);
}

// What was refused is not done: it is asked for again.
void BackgroundRenders::let_go_of_finished(Work& work) {
    std::erase_if(work.held, [&](const auto& held) {
        const bool finished = held.second->ready() || held.second->failed();
        if (finished && !held.second->refused()) work.done.insert(held.first);
        return finished;
    });
}

// What is known to fail fails at once, and nobody tells: the next one is taken right away.
BackgroundRenders::Outlook BackgroundRenders::open_next(const Job& job, const std::vector<std::int64_t>& order,
                                                        Work& work) {
    const TaskClass task_class = job.playheads.empty() && job.requested ? TaskClass::batch : TaskClass::rest_of_track;
    for (const std::int64_t n : order) {
        if (work.held.size() >= kHeldPerJob) break;
        if (work.done.contains(n) || work.held.contains(n)) continue;
        auto access = chunks_.open(job.plan, n, {task_class});
        if (access->refused()) return {true, true};
        if (access->ready() || access->failed()) {
            work.done.insert(n);
        } else {
            work.held.emplace(n, std::move(access));
        }
    }
    return {!work.held.empty(), false};
}

void BackgroundRenders::protect(const Jobs& jobs) {
    std::set<cache::ChunkKey> keys;
    const cache::CacheStats stats = cache_.stats();
    for (const auto& [fingerprint, job] : jobs) {
        const std::int64_t budget = budget_chunks(stats, *job.plan, false, jobs.size());
        std::set<std::int64_t> positions, near;
        for (const auto& [id, chunk] : job.playheads) positions.insert(chunk);
        for (const std::int64_t chunk : positions) {
            const std::int64_t last = std::min(chunk + budget, job.plan->grid.chunk_count() - 1);
            for (std::int64_t n = std::max<std::int64_t>(0, chunk - 1); n <= last; ++n) near.insert(n);
        }
        for (const std::int64_t n : near) keys.insert(job.plan->key(n));
    }
    const thread::MutexLock lock(protection_mutex_);
    protected_.swap(keys);
}

void BackgroundRenders::end_if_unchanged(const std::string& fingerprint, std::uint64_t seen) {
    const thread::MutexLock lock(mutex_);
    if (changes_ == seen) jobs_.erase(fingerprint);
}

}  // namespace lacquer
