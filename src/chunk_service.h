// "Get chunk n": from the cache, from a render that is under way, or from a new render. However many ask, a chunk is
// rendered once.
//
//     stream --open(plan, n)--> in flight? ---yes---> join it, hasten it
//                                  | no
//                               cache? -------yes---> read the stored chunk
//                                  | no
//                               schedule a render; its bytes can be read as they grow; then into the cache
//
// A render that fails is tried again where that may help (src/retry_policy.h), and carries on where the last attempt
// stopped: the bytes are the same. What fails for good is, for listeners, made up for by a fallback: neutral, plain or
// silent, whichever works first. Fallbacks are never stored. A render that nobody wants any more is stopped.
//
// Threads: every member may be called from any thread; an Access belongs to one. No lock is held across reading,
// writing or rendering a chunk. The timers must be stopped, then the scheduler, before the service goes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "cache/chunk_cache.h"
#include "src/chunk_renderer.h"
#include "src/failure_memory.h"
#include "src/render_plan.h"
#include "src/scheduler.h"
#include "src/timers.h"
#include "thread/mutex.h"

namespace lacquer {

class Attempt;
struct ChunkFlight;

// A chunk cannot be had; what() says why.
class ChunkError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// An attempt that came to nothing.
struct FailedAttempt {
    std::string reason;
    Quality quality = Quality::enhanced;
    int attempt = 1;                                      // of this quality
    std::optional<std::chrono::milliseconds> retry_in{};  // nullopt: failed for good
};

// What happened to chunks, told as it happens, from worker and timer threads. Must be quick and must not call the
// service.
class ChunkObserver {
public:
    virtual ~ChunkObserver() = default;
    virtual void chunk_started(const RenderPlan& plan, std::int64_t index, Quality quality) = 0;
    virtual void chunk_complete(const RenderPlan& plan, std::int64_t index, const RenderReport& report,
                                std::span<const std::byte> bytes) = 0;
    virtual void chunk_failed(const RenderPlan& plan, std::int64_t index, const FailedAttempt& failed) = 0;
    virtual void chunk_fell_back(const RenderPlan& plan, std::int64_t index, Quality quality) = 0;
    virtual void chunk_dropped(const RenderPlan& plan, std::int64_t index) = 0;  // nobody wanted it any more
};

struct ChunkServiceOptions {
    bool falls_back = true;  // false: a chunk that fails is an error, as a batch wants it
    media::OpenDecoder open = media::real_decoders();
};

class ChunkService {
public:
    // Interest in one chunk: as long as it lives, the chunk's render goes on.
    // Reads are valid at any offset inside the chunk, whatever state it is in.
    class Access {
    public:
        ~Access();
        Access(const Access&) = delete;
        Access& operator=(const Access&) = delete;

        const ChunkLayout& layout() const noexcept { return layout_; }
        bool ready() const;    // complete: no read will wait
        bool failed() const;   // every read will throw
        bool refused() const;  // and that because there was too much to do
        void hasten(Urgency urgency);
        // Copies bytes from `offset` on as far as they are there, at least one, waiting for it; a reader in no hurry
        // may wait for up to `least` of them. 0: the listener left. Throws ChunkError when the chunk failed,
        // WorkRefused when there is too much to do to begin with it.
        std::size_t read(std::uint64_t offset, std::span<std::byte> out, const std::function<bool()>& listener_present,
                         std::size_t least = 1);
        // The whole range, waiting for all of it; false: the listener left.
        bool read_all(std::uint64_t offset, std::span<std::byte> out, const std::function<bool()>& listener_present);

    private:
        friend class ChunkService;
        Access(ChunkService& service, PlanPtr plan, std::int64_t index, Urgency urgency);
        void attach();
        void detach();
        void prefer_the_stored_chunk();

        ChunkService& service_;
        const PlanPtr plan_;
        const std::int64_t index_;
        Urgency urgency_;
        const ChunkLayout layout_;
        std::optional<cache::ChunkReader> stored_;  // exactly one of stored_ and flight_ is set
        std::shared_ptr<ChunkFlight> flight_;
        bool distrusts_the_cache_ = false;  // it gave back less than it took: this reader is served from memory
    };

    ChunkService(cache::ChunkCache& cache, Scheduler& scheduler, Timers& timers, ChunkObserver& observer,
                 ChunkServiceOptions options = {});
    ~ChunkService();

    std::unique_ptr<Access> open(PlanPtr plan, std::int64_t index, Urgency urgency);
    // ready: enhanced and complete. fallback: it failed, and a listener who asks now gets one.
    enum class State { absent, waiting, rendering, ready, fallback };
    State state(const RenderPlan& plan, std::int64_t index) const;
    std::int64_t ready_count(const RenderPlan& plan) const;
    // Those of [first, last] that a listener who asks now gets a fallback of.
    std::vector<std::int64_t> fallback_chunks(const RenderPlan& plan, std::int64_t first, std::int64_t last) const;
    // How often an enhanced chunk of this plan broke off into a fallback, in this run of the daemon.
    std::uint64_t fallbacks_begun(const RenderPlan& plan) const;
    // What failed is tried again by whoever asks next.
    void forget_failure(const RenderPlan& plan, std::int64_t index);

private:
    using FlightPtr = std::shared_ptr<ChunkFlight>;  // shared: the worker that renders and each reader hold it, and
                                                     // none of them outlives the others in a fixed order
    enum class Cache { look, ignore, distrust };     // the last: nothing is stored either
    enum class NextStep { retry, fall_back, give_up };

    FlightPtr join(const cache::ChunkKey& key, Urgency urgency);
    FlightPtr join_locked(const cache::ChunkKey& key, Urgency urgency) REQUIRES_LOCK(mutex_);
    void hasten(const FlightPtr& flight, Urgency urgency);
    void hasten_locked(const FlightPtr& flight, Urgency urgency) REQUIRES_LOCK(mutex_);
    FlightPtr start(const PlanPtr& plan, std::int64_t index, const cache::ChunkKey& key, Urgency urgency, Cache cache);
    bool heed_failures(ChunkFlight& flight) REQUIRES_LOCK(mutex_);
    void submit(const FlightPtr& flight) REQUIRES_LOCK(mutex_);
    void give_up_waiting(const FlightPtr& flight, const std::shared_ptr<Attempt>& attempt);
    void resume(const FlightPtr& flight);
    void leave(const FlightPtr& flight);

    void run(const FlightPtr& flight, Attempt& attempt, TaskContext& context);
    void complete(ChunkFlight& flight, Quality quality, const RenderReport& report);
    void fail(const FlightPtr& flight, const Failure& failure);
    NextStep next_step(const ChunkFlight& flight, const Failure& failure) const REQUIRES_LOCK(mutex_);
    std::chrono::milliseconds delay_before_retry(const ChunkFlight& flight) REQUIRES_LOCK(mutex_);
    bool is_settled(const ChunkFlight& flight, const Failure& failure) const REQUIRES_LOCK(mutex_);
    void remember(const ChunkFlight& flight, const Failure& failure) REQUIRES_LOCK(mutex_);
    void fall_back(const FlightPtr& flight, const Failure& failure) REQUIRES_LOCK(mutex_);
    void give_up(ChunkFlight& flight, const std::string& reason) REQUIRES_LOCK(mutex_);
    void forget(const ChunkFlight& flight) REQUIRES_LOCK(mutex_);
    bool falls_back(const RenderPlan& plan, std::int64_t index) const REQUIRES_LOCK(mutex_);

    cache::ChunkCache& cache_;
    Scheduler& scheduler_;
    Timers& timers_;
    ChunkObserver& observer_;
    const ChunkServiceOptions options_;
    mutable thread::Mutex mutex_;
    // Every chunk that is being made, and every finished one that was not stored and is still being read.
    std::map<cache::ChunkKey, FlightPtr> flights_ GUARDED_BY(mutex_);
    FailureMemory failures_ GUARDED_BY(mutex_);
    std::uint32_t jitter_ GUARDED_BY(mutex_) = 1;
};

}  // namespace lacquer
