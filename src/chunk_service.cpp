#include "src/chunk_service.h"

#include <algorithm>
#include <cassert>

#include "src/chunk_renderer.h"

namespace lacquer {

struct ChunkService::Flight {
    Flight(PlanPtr plan_, std::int64_t index_, const cache::ChunkKey& key_)
        : plan(std::move(plan_)), index(index_), key(key_), chunk(chunk_layout(*plan, index).total_bytes()) {}
    const PlanPtr plan;
    const std::int64_t index;
    const cache::ChunkKey key;
    GrowingChunk chunk;
    // Guarded by the service's mutex.
    int interested = 1;
    bool running = false;
    Scheduler::Ticket ticket = 0;
};

namespace {

constexpr std::chrono::milliseconds kListenerCheck{100};

// What an observer throws (out of memory, say) is its own loss: the chunk is what it is.
template <typename Tell>
void tell(Tell&& action) noexcept {
    try {
        action();
    } catch (const std::exception&) {
        return;
    }
}

}  // namespace

ChunkService::ChunkService(cache::ChunkCache& cache, Scheduler& scheduler, ChunkObserver& observer)
    : cache_(cache), scheduler_(scheduler), observer_(observer) {}

ChunkService::~ChunkService() = default;

std::unique_ptr<ChunkService::Access> ChunkService::open(PlanPtr plan, std::int64_t index, Urgency urgency) {
    return std::unique_ptr<Access>(new Access(*this, std::move(plan), index, urgency));
}

std::shared_ptr<ChunkService::Flight> ChunkService::join_locked(const cache::ChunkKey& key, Urgency urgency) {
    const auto known = flights_.find(key);
    if (known == flights_.end()) return nullptr;
    ++known->second->interested;
    scheduler_.hasten(known->second->ticket, urgency);
    return known->second;
}

std::shared_ptr<ChunkService::Flight> ChunkService::join(const cache::ChunkKey& key, Urgency urgency) {
    const cache::MutexLock lock(mutex_);
    return join_locked(key, urgency);
}

// Null when the cache has the chunk, perhaps since a moment ago, and is to be looked at.
std::shared_ptr<ChunkService::Flight> ChunkService::start(const PlanPtr& plan, std::int64_t index,
                                                          const cache::ChunkKey& key, Urgency urgency, Cache cache) {
    const cache::MutexLock lock(mutex_);
    if (auto joined = join_locked(key, urgency)) return joined;
    if (cache == Cache::look && cache_.contains(key)) return nullptr;
    auto flight = std::make_shared<Flight>(plan, index, key);
    const auto ticket = scheduler_.submit(urgency, {[this, flight](TaskContext& task) { run(*flight, task.stop()); }});
    if (!ticket) {
        flight->chunk.fail(WorkRefused().what());
        return flight;
    }
    flight->ticket = *ticket;
    flights_.emplace(key, flight);
    return flight;
}

void ChunkService::leave(const std::shared_ptr<Flight>& flight) {
    bool dropped = false;
    {
        const cache::MutexLock lock(mutex_);
        if (--flight->interested > 0) return;
        const bool finished = flight->chunk.stored().has_value();
        const bool unwanted = !finished && !flight->running;
        // One that started just now was asked to stop: nobody may join it any more.
        dropped = unwanted && scheduler_.withdraw(flight->ticket);
        if (finished || unwanted) forget(*flight);
    }
    if (dropped) tell([&] { observer_.chunk_dropped(*flight->plan, flight->index); });
}

void ChunkService::run(Flight& flight, std::stop_token stop) {
    {
        const cache::MutexLock lock(mutex_);
        flight.running = true;
    }
    try {
        if (stop.stop_requested()) throw RenderCancelled();
        render(flight, stop);
    } catch (const RenderCancelled& cancelled) {
        give_up(flight, cancelled.what());
        tell([&] { observer_.chunk_dropped(*flight.plan, flight.index); });
    } catch (const std::exception& error) {  // the worker's boundary: whatever went wrong concerns this chunk alone
        give_up(flight, error.what());
        tell([&] { observer_.chunk_failed(*flight.plan, flight.index, error.what()); });
    }
}

void ChunkService::give_up(Flight& flight, const std::string& reason) {
    {
        const cache::MutexLock lock(mutex_);
        forget(flight);
    }
    flight.chunk.fail(reason);
}

void ChunkService::render(Flight& flight, std::stop_token stop) {
    tell([&] { observer_.chunk_started(*flight.plan, flight.index); });
    ChunkEncoder encoder(*flight.plan, flight.index, flight.chunk);
    const RenderReport report = render_chunk(*flight.plan, flight.plan->grid.span(flight.index), stop, encoder);
    const auto keep = flight.index == 0 ? cache::Keep::longer : cache::Keep::normal;
    const bool stored = cache_.insert(flight.key, flight.chunk.bytes(), keep);
    flight.chunk.complete(stored);
    forget_unless_read(flight, stored);
    tell([&] { observer_.chunk_complete(*flight.plan, flight.index, report, flight.chunk.bytes()); });
    if (stored) flight.chunk.release();
}

// A chunk that could not be stored stays reachable for as long as someone reads it.
void ChunkService::forget_unless_read(Flight& flight, bool stored) {
    const cache::MutexLock lock(mutex_);
    if (stored || flight.interested == 0) forget(flight);
}

// A later render of the same chunk may already stand under the key.
void ChunkService::forget(const Flight& flight) {
    const auto known = flights_.find(flight.key);
    if (known != flights_.end() && known->second.get() == &flight) flights_.erase(known);
}

ChunkService::State ChunkService::state(const RenderPlan& plan, std::int64_t index) const {
    const cache::ChunkKey key = plan.key(index);
    const cache::MutexLock lock(mutex_);
    const auto flight = flights_.find(key);
    if (flight != flights_.end()) {
        if (flight->second->chunk.stored()) return State::ready;
        return flight->second->running ? State::rendering : State::waiting;
    }
    return cache_.contains(key) ? State::ready : State::absent;
}

std::int64_t ChunkService::ready_count(const RenderPlan& plan) const {
    std::int64_t ready = 0;
    for (std::int64_t n = 0; n < plan.grid.chunk_count(); ++n) ready += cache_.contains(plan.key(n)) ? 1 : 0;
    return ready;
}

ChunkService::Access::Access(ChunkService& service, PlanPtr plan, std::int64_t index, Urgency urgency)
    : service_(service),
      plan_(std::move(plan)),
      index_(index),
      urgency_(urgency),
      layout_(chunk_layout(*plan_, index)) {
    attach();
}

ChunkService::Access::~Access() {
    detach();
}

void ChunkService::Access::attach() {
    const cache::ChunkKey key = plan_->key(index_);
    // The second time round the cache has a chunk that it cannot open just now (too many open files): rendered instead.
    for (Cache cache : {Cache::look, Cache::ignore}) {
        if ((flight_ = service_.join(key, urgency_))) return;
        if ((stored_ = service_.cache_.open(key))) {
            if (stored_->size_bytes() == layout_.total_bytes()) return;
            stored_.reset();
            service_.cache_.remove(key);
        }
        if ((flight_ = service_.start(plan_, index_, key, urgency_, cache))) return;
    }
}

void ChunkService::Access::detach() {
    stored_.reset();
    if (flight_) service_.leave(flight_);
    flight_.reset();
}

bool ChunkService::Access::ready() const {
    return stored_ || flight_->chunk.stored();
}

bool ChunkService::Access::failed() const {
    return flight_ && flight_->chunk.failure();
}

void ChunkService::Access::hasten(Urgency urgency) {
    urgency_ = std::min(urgency_, urgency);
    if (flight_) service_.scheduler_.hasten(flight_->ticket, urgency_);
}

// A finished render gives its memory back once the cache has the chunk.
void ChunkService::Access::prefer_the_stored_chunk() {
    if (!flight_ || !flight_->chunk.stored().value_or(false)) return;
    detach();
    attach();
}

std::size_t ChunkService::Access::read(std::uint64_t offset, std::span<std::byte> out,
                                       const std::function<bool()>& listener_present, std::size_t least) {
    assert(offset < layout_.total_bytes());
    out = out.first(std::min<std::uint64_t>(out.size(), layout_.total_bytes() - offset));
    while (true) {
        prefer_the_stored_chunk();
        if (stored_) {
            if (stored_->read(offset, out)) return out.size();
            detach();
            attach();
            continue;
        }
        if (const std::size_t count = flight_->chunk.read(offset, out, kListenerCheck, least)) return count;
        if (const auto reason = flight_->chunk.failure()) throw ChunkError(*reason);
        if (!listener_present()) return 0;
    }
}

bool ChunkService::Access::read_all(std::uint64_t offset, std::span<std::byte> out,
                                    const std::function<bool()>& listener_present) {
    while (!out.empty()) {
        const std::size_t count = read(offset, out, listener_present, out.size());
        if (count == 0) return false;
        offset += count;
        out = out.subspan(count);
    }
    return true;
}

}  // namespace lacquer
