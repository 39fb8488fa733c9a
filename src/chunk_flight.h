// One chunk that is being made: its bytes as they grow, who wants it, and how far the attempts at it have come.
//
//     waiting --> running --> finished (complete; or failed, where even a fallback cannot or need not be had)
//        ^           |
//        +-- pausing-+   before a retry
//
// Threads: what is marked so is guarded by the chunk service's mutex; the bytes guard themselves.
#pragma once

#include <atomic>
#include <utility>

#include "cache/chunk_cache.h"
#include "src/chunk_encoder.h"
#include "src/scheduler.h"
#include "src/timers.h"
#include "thread/mutex.h"

namespace lacquer {

// The right to go on with a chunk. A render that is given up loses it at one stroke: from then on it writes nothing
// more, and whatever it comes to does not count.
class Attempt {
public:
    // False when it was taken away.
    bool write(ChunkEncoder& encoder, dsp::ConstAudioBlock block, std::int64_t first_frame) {
        const thread::MutexLock lock(mutex_);
        if (!ended_) encoder.write(block, first_frame);
        return !ended_;
    }
    // Of a worker that lost it: what it hung in lets go again.
    void come_back() noexcept { is_back_ = true; }
    bool is_back() const noexcept { return is_back_; }
    // Takes it away; true for the first who does, whose business the chunk then is.
    bool end() {
        const thread::MutexLock lock(mutex_);
        return !std::exchange(ended_, true);
    }

private:
    thread::Mutex mutex_;
    bool ended_ GUARDED_BY(mutex_) = false;
    std::atomic<bool> is_back_ = false;
};

struct ChunkFlight {
    enum class Phase { waiting, running, pausing, finished };

    ChunkFlight(PlanPtr plan_, std::int64_t index_, const cache::ChunkKey& key_)
        : plan(std::move(plan_)),
          index(index_),
          key(key_),
          chunk(chunk_layout(*plan, index).total_bytes()),
          encoder(*plan, index, chunk) {}

    const PlanPtr plan;
    const std::int64_t index;
    const cache::ChunkKey key;
    GrowingChunk chunk;
    ChunkEncoder encoder;  // through Attempt::write()
    bool refused = false;  // set before the chunk fails, never after

    // Guarded by the service's mutex.
    int interested = 1;
    Urgency urgency{};
    Phase phase = Phase::waiting;
    Quality quality = Quality::enhanced;
    int attempts = 0;              // at this quality, begun
    bool stays_in_memory = false;  // the cache's disk cannot be trusted with it
    bool tried_before = false;     // and failed, long ago: one attempt is enough to see whether it passed
    Scheduler::Ticket ticket = 0;
    Timers::Id timer = 0;
    // Shared with the worker, which may come back when all else is gone.
    std::shared_ptr<Attempt> attempt;
};

}  // namespace lacquer
