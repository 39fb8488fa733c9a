#include <algorithm>
#include <cassert>

#include "src/chunk_flight.h"
#include "src/chunk_service.h"

namespace lacquer {
namespace {

constexpr std::chrono::milliseconds kListenerCheck{100};

}  // namespace

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
        if (distrusts_the_cache_) cache = Cache::distrust;
        if ((flight_ = service_.join(key, urgency_))) return;
        if (!distrusts_the_cache_ && (stored_ = service_.cache_.open(key))) {
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

bool ChunkService::Access::refused() const {
    return failed() && flight_->refused;
}

void ChunkService::Access::hasten(Urgency urgency) {
    if (urgency_ <= urgency) return;
    urgency.job = urgency_.job;
    urgency_ = urgency;
    if (flight_) service_.hasten(flight_, urgency_);
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
            distrusts_the_cache_ = true;
            detach();
            attach();
            continue;
        }
        if (const std::size_t count = flight_->chunk.read(offset, out, kListenerCheck, least)) return count;
        if (const auto reason = flight_->chunk.failure()) {
            if (flight_->refused) throw WorkRefused();
            throw ChunkError(*reason);
        }
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
