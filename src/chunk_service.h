// "Get chunk n": from the cache, from a render that is under way, or from a new render. However many ask, a chunk is
// rendered once.
//
//     stream --open(plan, n)--> in flight? ---yes---> join it, hasten it
//                                  | no
//                               cache? -------yes---> read the stored chunk
//                                  | no
//                               schedule a render; its bytes can be read as they grow; then into the cache
//
// Threads: every member may be called from any thread; a ChunkAccess belongs to one. No lock is held across reading,
// writing or rendering a chunk.
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
#include <variant>

#include "cache/chunk_cache.h"
#include "cache/mutex.h"
#include "src/chunk_renderer.h"
#include "src/growing_chunk.h"
#include "src/render_plan.h"
#include "src/scheduler.h"

namespace lacquer {

// A chunk cannot be had; what() says why.
class ChunkError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// What happened to chunks, told as it happens, from worker threads. Must be quick and must not call the service.
class ChunkObserver {
public:
    virtual ~ChunkObserver() = default;
    virtual void chunk_started(const RenderPlan& plan, std::int64_t index) = 0;
    virtual void chunk_complete(const RenderPlan& plan, std::int64_t index, const RenderReport& report,
                                std::span<const std::byte> bytes) = 0;
    virtual void chunk_failed(const RenderPlan& plan, std::int64_t index, const std::string& reason) = 0;
    virtual void chunk_dropped(const RenderPlan& plan, std::int64_t index) = 0;  // nobody wanted it any more
};

class ChunkService {
private:
    struct Flight;  // one render, waiting or running, and who is interested in it

public:
    // Interest in one chunk: as long as it lives, the chunk's render is not dropped from the queue.
    // Reads are valid at any offset inside the chunk, whatever state it is in.
    class Access {
    public:
        ~Access();
        Access(const Access&) = delete;
        Access& operator=(const Access&) = delete;

        const ChunkLayout& layout() const noexcept { return layout_; }
        bool ready() const;   // complete: no read will wait
        bool failed() const;  // every read will throw
        void hasten(Urgency urgency);
        // Copies bytes from `offset` on as far as they are there, at least one, waiting for it; a reader in no hurry
        // may wait for up to `least` of them. 0: the listener left. Throws ChunkError when the chunk failed.
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
        std::shared_ptr<Flight> flight_;
    };

    ChunkService(cache::ChunkCache& cache, Scheduler& scheduler, ChunkObserver& observer);
    ~ChunkService();

    std::unique_ptr<Access> open(PlanPtr plan, std::int64_t index, Urgency urgency);
    enum class State { absent, waiting, rendering, ready };
    State state(const RenderPlan& plan, std::int64_t index) const;
    std::int64_t ready_count(const RenderPlan& plan) const;

private:
    std::shared_ptr<Flight> join(const cache::ChunkKey& key, Urgency urgency);
    enum class Cache { look, ignore };
    std::shared_ptr<Flight> start(const PlanPtr& plan, std::int64_t index, const cache::ChunkKey& key, Urgency urgency,
                                  Cache cache);
    void leave(const std::shared_ptr<Flight>& flight);
    void run(Flight& flight, std::stop_token stop);
    void render(Flight& flight, std::stop_token stop);
    void give_up(Flight& flight, const std::string& reason);
    void forget_unless_read(Flight& flight, bool stored);
    void forget(const Flight& flight) REQUIRES_LOCK(mutex_);
    std::shared_ptr<Flight> join_locked(const cache::ChunkKey& key, Urgency urgency) REQUIRES_LOCK(mutex_);

    cache::ChunkCache& cache_;
    Scheduler& scheduler_;
    ChunkObserver& observer_;
    mutable cache::Mutex mutex_;
    // Every render that is waiting or running, and every finished one that could not be stored and is still being read.
    // Shared: the worker that renders and each reader hold it, and none of them outlives the others in a fixed order.
    std::map<cache::ChunkKey, std::shared_ptr<Flight>> flights_ GUARDED_BY(mutex_);
};

}  // namespace lacquer
