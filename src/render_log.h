// What is known about the chunks of recent plans beyond their bytes: attempts, errors, times. Counts failures. Turns
// what the chunk service tells into events, and answers the manifest's questions.
//
// Threads: every member may be called from any thread. Memory: the 64 plans used last.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <vector>

#include "cache/chunk_cache.h"
#include "src/chunk_service.h"
#include "src/event_hub.h"
#include "thread/mutex.h"

namespace lacquer {

struct ChunkRecord {
    int attempts = 0;
    std::string error;       // of the last attempt that failed; empty once one succeeded
    std::string fallback;    // the quality that listeners got instead; empty: none
    double render_ms = 0.0;  // of the last attempt that succeeded in this run of the daemon
};

struct PlanRecord {
    std::string fingerprint;
    std::vector<ChunkRecord> chunks;
    std::int64_t contiguous = 0;  // chunks [0, contiguous) were ready when last told
    double last_updated_unix_s = 0.0;
    double last_progress_unix_s = 0.0;
    double rendered_seconds = 0.0;  // of worker time, over `rendered` chunks
    std::int64_t rendered = 0;
    bool complete = false;  // and finalResult was published
};

// Over the daemon's life.
struct RenderCounts {
    std::uint64_t rendered = 0, retries = 0;
    std::uint64_t failed = 0;     // chunks for good, each time, whatever listeners got instead
    std::uint64_t timeouts = 0;   // attempts given up without progress
    std::uint64_t fallbacks = 0;  // chunks that listeners got in another quality
    std::uint64_t dropped = 0;    // renders that nobody wanted any more
};

class RenderLog : public ChunkObserver {
public:
    // `on_change` is called after every event, from worker threads.
    RenderLog(EventHub& events, const cache::ChunkCache& cache, std::function<void()> on_change)
        : events_(events), cache_(cache), on_change_(std::move(on_change)) {}

    PlanRecord record(const RenderPlan& plan) const;
    RenderCounts counts() const;
    // The chunk is tried again: what it failed with is over.
    void forget_failure(const RenderPlan& plan, std::int64_t index);

    void chunk_started(const RenderPlan& plan, std::int64_t index, Quality quality) override;
    void chunk_complete(const RenderPlan& plan, std::int64_t index, const RenderReport& report,
                        std::span<const std::byte> bytes) override;
    void chunk_failed(const RenderPlan& plan, std::int64_t index, const FailedAttempt& failed) override;
    void chunk_fell_back(const RenderPlan& plan, std::int64_t index, Quality quality) override;
    // Tells how far the plan is: partialAudio and progressUpdate where there is news, finalResult once complete.
    void tell_news(const RenderPlan& plan);
    void chunk_dropped(const RenderPlan& plan, std::int64_t index) override;

private:
    PlanRecord& touch(const RenderPlan& plan) REQUIRES_LOCK(mutex_);
    void tell_partial_audio(const RenderPlan& plan);
    void tell_progress(const RenderPlan& plan);

    EventHub& events_;
    const cache::ChunkCache& cache_;
    const std::function<void()> on_change_;
    thread::Mutex
        telling_;  // held from looking at what is ready to publishing it, so that news go out in order; before mutex_
    mutable thread::Mutex mutex_;
    RenderCounts counts_ GUARDED_BY(mutex_);
    std::list<PlanRecord> records_ GUARDED_BY(mutex_);  // front = used last; fingerprints are distinct
};

std::string chunk_url(const RenderPlan& plan, std::int64_t index);
std::string stream_url(const RenderPlan& plan);

}  // namespace lacquer
