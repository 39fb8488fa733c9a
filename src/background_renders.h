// Renders the rest of a track once someone listens to it, and whole tracks on request, without getting in anyone's way.
//
//     stream --follow(plan), at(chunk)--> job of that plan --> one pump thread keeps at most two chunks of each job
//     POST   --start(plan)------------>                        queued or rendering: nearest after the playhead first
//
// It only ever warms the cache: dropping all of it changes latency, never a byte. A job runs ahead of its playheads by
// at most capacity / (4 x active jobs) bytes, and what lies that close to a playhead is protected from being evicted
// for it.
//
// Threads: every member may be called from any thread. Memory: one small record per job and protected chunk.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cache/chunk_cache.h"
#include "src/chunk_service.h"
#include "src/render_plan.h"
#include "thread/mutex.h"

namespace lacquer {

class BackgroundRenders {
public:
    // One listener's position. The job goes on when the listener has left, as far as the budget reaches.
    class Playhead {
    public:
        ~Playhead();
        Playhead(const Playhead&) = delete;
        Playhead& operator=(const Playhead&) = delete;
        void at(std::int64_t chunk);

    private:
        friend class BackgroundRenders;
        Playhead(BackgroundRenders& renders, PlanPtr plan, std::uint64_t id)
            : renders_(renders), plan_(std::move(plan)), id_(id) {}
        BackgroundRenders& renders_;
        const PlanPtr plan_;
        const std::uint64_t id_;
    };

    BackgroundRenders(ChunkService& chunks, cache::ChunkCache& cache);
    ~BackgroundRenders();
    // Ends the work for all listeners and jobs. Not from two threads at once.
    void stop();

    std::unique_ptr<Playhead> follow(PlanPtr plan);
    void start(PlanPtr plan, std::int64_t from_chunk = 0);
    // Ends the background work on this plan until its listeners of now have left or start() is called; true when there
    // was some. Chunks that a listener waits for are not touched.
    bool cancel(const RenderPlan& plan);
    bool active(const RenderPlan& plan) const;
    // To be called when a chunk was finished, failed or dropped.
    void poke();

private:
    struct Job {
        PlanPtr plan;
        bool requested = false;                           // POST: the whole track, as far as half the cache holds it
        std::uint64_t starts = 0;                         // each start() tries what failed or was evicted once more
        bool cancelled = false;                           // kept for its playheads, so that they do not revive it
        std::map<std::uint64_t, std::int64_t> playheads;  // chunk by listener
        std::int64_t latest = 0;                          // where the last one that moved is, or was
    };
    using Jobs = std::map<std::string, Job>;  // by the plan's fingerprint
    // What the pump holds of one job. `done` keeps it from rendering a chunk twice that could not be stored.
    struct Work {
        std::map<std::int64_t, std::unique_ptr<ChunkService::Access>> held;
        std::set<std::int64_t> done;
        std::uint64_t starts = 0;  // of the job when `done` was begun
    };

    void run(std::stop_token stop);
    struct Outlook {
        bool busy = false;     // there is something left to do
        bool refused = false;  // and it was refused just now
    };
    Outlook top_up(const Job& job, std::int64_t budget_chunks, Work& work);
    static void let_go_of_finished(Work& work);
    Outlook open_next(const Job& job, const std::vector<std::int64_t>& order, Work& work);
    void protect(const Jobs& jobs);
    void move(std::uint64_t id, const PlanPtr& plan, std::int64_t chunk);
    void leave(std::uint64_t id, const RenderPlan& plan);
    void end_if_unchanged(const std::string& fingerprint, std::uint64_t seen);

    ChunkService& chunks_;
    cache::ChunkCache& cache_;
    mutable thread::Mutex mutex_;
    std::condition_variable_any changed_;
    Jobs jobs_ GUARDED_BY(mutex_);
    std::uint64_t changes_ GUARDED_BY(mutex_) = 0;  // grows whenever the pump might find something to do
    std::uint64_t next_playhead_ GUARDED_BY(mutex_) = 1;
    // Taken inside the cache's lock: nothing that calls the cache may hold it.
    thread::Mutex protection_mutex_;
    std::set<cache::ChunkKey> protected_ GUARDED_BY(protection_mutex_);
    std::jthread pump_;
};

}  // namespace lacquer
