#include "src/chunk_service.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "src/chunk_flight.h"
#include "src/retry_policy.h"
#include "src/source_watch.h"

namespace lacquer {

using Phase = ChunkFlight::Phase;

namespace {

// What an observer throws (out of memory, say) is its own loss: the chunk is what it is.
template <typename Tell>
void tell(Tell&& action) noexcept {
    try {
        action();
    } catch (const std::exception&) {
        return;
    }
}

bool listens(const Urgency& urgency) {
    return urgency.task_class <= TaskClass::look_ahead;
}

Quality worse(Quality quality) {
    assert(quality != Quality::silent);
    return static_cast<Quality>(static_cast<int>(quality) + 1);
}

// Remembered until the worker comes back from wherever it hangs.
Failure timeout_of(const std::shared_ptr<Attempt>& attempt) {
    return {.reason = kTimeout, .can_pass = true, .hung = true, .is_over = [attempt] { return attempt->is_back(); }};
}

class AttemptSink : public FrameSink {
public:
    AttemptSink(Attempt& attempt, ChunkEncoder& encoder) : attempt_(attempt), encoder_(encoder) {}
    void write(dsp::ConstAudioBlock block, std::int64_t first_frame) override {
        if (!attempt_.write(encoder_, block, first_frame)) throw RenderCancelled();
    }

private:
    Attempt& attempt_;
    ChunkEncoder& encoder_;
};

}  // namespace

ChunkService::ChunkService(cache::ChunkCache& cache, Scheduler& scheduler, Timers& timers, ChunkObserver& observer,
                           ChunkServiceOptions options)
    : cache_(cache), scheduler_(scheduler), timers_(timers), observer_(observer), options_(std::move(options)) {}

ChunkService::~ChunkService() = default;

std::unique_ptr<ChunkService::Access> ChunkService::open(PlanPtr plan, std::int64_t index, Urgency urgency) {
    urgency.job = std::hash<std::string>{}(plan->fingerprint);
    return std::unique_ptr<Access>(new Access(*this, std::move(plan), index, urgency));
}

ChunkService::FlightPtr ChunkService::join_locked(const cache::ChunkKey& key, Urgency urgency) {
    const auto known = flights_.find(key);
    if (known == flights_.end()) return nullptr;
    const FlightPtr flight = known->second;  // hastening may take it from the map
    if (flight->quality != Quality::enhanced && !falls_back(*flight->plan, flight->index)) {
        flights_.erase(known);  // it may be had enhanced again; those who read the fallback keep it
        return nullptr;
    }
    ++flight->interested;
    hasten_locked(flight, urgency);
    return flight;
}

ChunkService::FlightPtr ChunkService::join(const cache::ChunkKey& key, Urgency urgency) {
    const thread::MutexLock lock(mutex_);
    return join_locked(key, urgency);
}

void ChunkService::hasten(const FlightPtr& flight, Urgency urgency) {
    const thread::MutexLock lock(mutex_);
    hasten_locked(flight, urgency);
}

// A listener does not wait for the pause before a retry that began for somebody with more patience.
void ChunkService::hasten_locked(const FlightPtr& flight, Urgency urgency) {
    if (flight->urgency <= urgency) return;
    const bool begins_to_listen =
        urgency.task_class == TaskClass::listener && flight->urgency.task_class != TaskClass::listener;
    flight->urgency = urgency;
    if (flight->phase == Phase::waiting) scheduler_.hasten(flight->ticket, urgency);
    if (flight->phase == Phase::pausing && begins_to_listen && timers_.cancel(flight->timer)) submit(flight);
}

// Null when the cache has the chunk, perhaps since a moment ago, and is to be looked at.
ChunkService::FlightPtr ChunkService::start(const PlanPtr& plan, std::int64_t index, const cache::ChunkKey& key,
                                            Urgency urgency, Cache cache) {
    const thread::MutexLock lock(mutex_);
    if (auto joined = join_locked(key, urgency)) return joined;
    if (cache == Cache::look && cache_.contains(key)) return nullptr;
    auto flight = std::make_shared<ChunkFlight>(plan, index, key);
    flight->urgency = urgency;
    flight->stays_in_memory = cache == Cache::distrust;
    if (!heed_failures(*flight)) return flight;
    flights_.emplace(key, flight);
    submit(flight);
    return flight;
}

// What is known to fail is not tried for background work, and begun with a fallback for listeners. False: it failed.
bool ChunkService::heed_failures(ChunkFlight& flight) {
    const auto known = failures_.find({flight.plan->fingerprint, flight.index}, flight.plan->content_id, timers_.now());
    if (!known) return true;
    // The one more try is the next listener's.
    flight.tried_before = known->is_due && listens(flight.urgency);
    if (flight.tried_before) return true;
    if (!options_.falls_back || !listens(flight.urgency)) {
        give_up(flight, known->failure.reason);
        return false;
    }
    flight.quality = known->fallback;
    return true;
}

void ChunkService::submit(const FlightPtr& flight) {
    auto attempt = std::make_shared<Attempt>();
    const auto ticket = scheduler_.submit(
        flight->urgency, {[this, flight, attempt](TaskContext& context) { run(flight, *attempt, context); },
                          [this, flight, attempt] {
                              if (attempt->end()) give_up_waiting(flight, attempt);
                          }});
    if (ticket) {
        flight->ticket = *ticket;
        flight->phase = Phase::waiting;
        return;
    }
    flight->refused = true;
    give_up(*flight, WorkRefused().what());
}

// Called for a render that makes no progress, and for one that cannot begin because every worker hangs.
void ChunkService::give_up_waiting(const FlightPtr& flight, const std::shared_ptr<Attempt>& attempt) {
    {
        const thread::MutexLock lock(mutex_);
        if (flight->phase == Phase::waiting) {
            flight->refused = true;
            give_up(*flight, WorkRefused().what());
        }
    }
    if (flight->refused) {
        tell([&] { observer_.chunk_dropped(*flight->plan, flight->index); });
    } else {
        fail(flight, timeout_of(attempt));
    }
}

void ChunkService::resume(const FlightPtr& flight) {
    const thread::MutexLock lock(mutex_);
    if (flight->phase == Phase::pausing) submit(flight);
}

void ChunkService::leave(const FlightPtr& flight) {
    bool dropped = false;
    {
        const thread::MutexLock lock(mutex_);
        if (--flight->interested > 0) return;
        const bool is_done_but_for_storing = flight->chunk.ready_bytes() == flight->chunk.size_bytes();
        if (flight->phase == Phase::running && is_done_but_for_storing) return;
        if (flight->phase == Phase::waiting || flight->phase == Phase::running) {
            dropped = scheduler_.withdraw(flight->ticket);  // what runs is asked to stop
        } else if (flight->phase == Phase::pausing) {
            timers_.cancel(flight->timer);
            dropped = true;
        }
        if (dropped) flight->phase = Phase::finished;
        forget(*flight);
    }
    if (dropped) tell([&] { observer_.chunk_dropped(*flight->plan, flight->index); });
}

void ChunkService::run(const FlightPtr& flight, Attempt& attempt, TaskContext& context) {
    RenderControl control{.open = options_.open};
    {
        const thread::MutexLock lock(mutex_);
        flight->phase = Phase::running;
        ++flight->attempts;
        control.quality = flight->quality;
    }
    tell([&] { observer_.chunk_started(*flight->plan, flight->index, control.quality); });
    control.go_on = [&context, stop = context.stop()] {
        context.progressed();
        return !stop.stop_requested();
    };
    std::optional<Failure> failure;
    RenderReport report;
    try {
        AttemptSink sink(attempt, flight->encoder);
        report = render_chunk(*flight->plan, flight->plan->grid.span(flight->index), control, sink);
    } catch (const RenderCancelled& cancelled) {
        failure = {.reason = cancelled.what(), .cancelled = true};
    } catch (const SourceChanged& changed) {
        failure = {.reason = changed.what(), .source_changed = true};
    } catch (const std::exception& error) {  // the worker's boundary: whatever went wrong concerns this chunk alone
        failure = {.reason = error.what(), .can_pass = can_pass(error)};
    }
    context.ending();
    if (!attempt.end()) {  // given up meanwhile; the service may be gone
        attempt.come_back();
        return;
    }
    failure ? fail(flight, *failure) : complete(*flight, control.quality, report);
}

void ChunkService::complete(ChunkFlight& flight, Quality quality, const RenderReport& report) {
    const auto keep = flight.index == 0 ? cache::Keep::longer : cache::Keep::normal;
    const bool may_store = quality == Quality::enhanced && !flight.stays_in_memory;
    const bool stored = may_store && cache_.insert(flight.key, flight.chunk.bytes(), keep);
    {
        const thread::MutexLock lock(mutex_);
        flight.phase = Phase::finished;
        const FailureMemory::Place place{flight.plan->fingerprint, flight.index};
        if (quality == Quality::enhanced) failures_.forget(place, flight.plan->content_id);
        if (quality != Quality::enhanced) failures_.found_fallback(place, quality);
        flight.chunk.complete(stored);
        // A chunk that was not stored stays reachable for as long as someone reads it.
        if (stored || flight.interested == 0) forget(flight);
    }
    if (quality == Quality::enhanced) {
        tell([&] { observer_.chunk_complete(*flight.plan, flight.index, report, flight.chunk.bytes()); });
    } else {
        tell([&] { observer_.chunk_fell_back(*flight.plan, flight.index, quality); });
    }
    if (stored) flight.chunk.release();
}

void ChunkService::fail(const FlightPtr& flight, const Failure& failure) {
    FailedAttempt failed{.reason = failure.reason};
    bool counts = true;
    {
        const thread::MutexLock lock(mutex_);
        failed.quality = flight->quality;
        failed.attempt = flight->attempts;
        const NextStep step = next_step(*flight, failure);
        counts = is_settled(*flight, failure);
        if (step == NextStep::retry) {
            failed.retry_in = delay_before_retry(*flight);
            flight->phase = Phase::pausing;
            flight->timer = timers_.call_after(*failed.retry_in, [this, flight] { resume(flight); });
        } else {
            remember(*flight, failure);
        }
        if (step == NextStep::give_up) give_up(*flight, failure.reason);
        if (step == NextStep::fall_back) fall_back(flight, failure);
    }
    if (failure.cancelled || !counts) {
        tell([&] { observer_.chunk_dropped(*flight->plan, flight->index); });
    } else {
        tell([&] { observer_.chunk_failed(*flight->plan, flight->index, failed); });
    }
}

ChunkService::NextStep ChunkService::next_step(const ChunkFlight& flight, const Failure& failure) const {
    if (failure.cancelled || failure.source_changed || flight.interested == 0) return NextStep::give_up;
    // Each try at a source that hangs may cost a worker.
    const Scheduler::Counts counts = scheduler_.counts();
    const bool workers_to_spare = static_cast<int>(counts.written_off + counts.stuck) < scheduler_.workers();
    const int retries = flight.tried_before ? 0 : !failure.hung ? kRetries : workers_to_spare ? 1 : 0;
    const bool is_first_choice = flight.quality == Quality::enhanced;
    if (is_first_choice && failure.can_pass && flight.attempts <= retries) return NextStep::retry;
    const bool can_fall_back = options_.falls_back && listens(flight.urgency) && flight.quality != Quality::silent;
    return can_fall_back ? NextStep::fall_back : NextStep::give_up;
}

std::chrono::milliseconds ChunkService::delay_before_retry(const ChunkFlight& flight) {
    jitter_ = jitter_ * 1'664'525u + 1'013'904'223u;
    return retry_delay({.retry = flight.attempts,
                        .listener_waits = options_.falls_back && flight.urgency.task_class == TaskClass::listener,
                        .jitter = static_cast<double>(jitter_) / 4294967296.0});
}

// What was not tried often enough, because nobody waited for it any more, is not held against the chunk.
bool ChunkService::is_settled(const ChunkFlight& flight, const Failure& failure) const {
    return flight.interested > 0 || !failure.can_pass || failure.hung;
}

void ChunkService::remember(const ChunkFlight& flight, const Failure& failure) {
    if (flight.quality != Quality::enhanced || failure.cancelled || failure.source_changed) return;
    if (!is_settled(flight, failure)) return;
    failures_.remember({flight.plan->fingerprint, flight.index}, flight.plan->content_id, failure, timers_.now());
}

void ChunkService::fall_back(const FlightPtr& flight, const Failure& failure) {
    flight->quality = failure.hung ? Quality::silent : worse(flight->quality);
    flight->attempts = 0;
    flight->encoder.splice();
    failures_.fell_back(flight->plan->fingerprint);
    submit(flight);
}

void ChunkService::give_up(ChunkFlight& flight, const std::string& reason) {
    flight.phase = Phase::finished;
    forget(flight);
    flight.chunk.fail(reason);
}

// A later render of the same chunk may already stand under the key.
void ChunkService::forget(const ChunkFlight& flight) {
    const auto known = flights_.find(flight.key);
    if (known != flights_.end() && known->second.get() == &flight) flights_.erase(known);
}

ChunkService::State ChunkService::state(const RenderPlan& plan, std::int64_t index) const {
    const cache::ChunkKey key = plan.key(index);
    const thread::MutexLock lock(mutex_);
    const auto flight = flights_.find(key);
    if (flight != flights_.end()) {
        const ChunkFlight& known = *flight->second;
        if (known.phase == Phase::running) return State::rendering;
        if (known.phase != Phase::finished) return State::waiting;
        return known.quality == Quality::enhanced ? State::ready : State::fallback;
    }
    if (cache_.contains(key)) return State::ready;
    return falls_back(plan, index) ? State::fallback : State::absent;
}

bool ChunkService::falls_back(const RenderPlan& plan, std::int64_t index) const {
    const auto known = failures_.find({plan.fingerprint, index}, plan.content_id, timers_.now());
    return known && !known->is_due;
}

std::int64_t ChunkService::ready_count(const RenderPlan& plan) const {
    std::int64_t ready = 0;
    for (std::int64_t n = 0; n < plan.grid.chunk_count(); ++n) ready += cache_.contains(plan.key(n)) ? 1 : 0;
    return ready;
}

std::vector<std::int64_t> ChunkService::fallback_chunks(const RenderPlan& plan, std::int64_t first,
                                                        std::int64_t last) const {
    std::vector<std::int64_t> chunks;
    const thread::MutexLock lock(mutex_);
    if (failures_.empty()) return chunks;
    for (std::int64_t n = first; n <= last; ++n) {
        if (falls_back(plan, n) && !cache_.contains(plan.key(n))) chunks.push_back(n);
    }
    return chunks;
}

void ChunkService::forget_failure(const RenderPlan& plan, std::int64_t index) {
    const thread::MutexLock lock(mutex_);
    failures_.forget({plan.fingerprint, index}, plan.content_id);
    const auto flight = flights_.find(plan.key(index));
    if (flight != flights_.end() && flight->second->quality != Quality::enhanced) flights_.erase(flight);
}

std::uint64_t ChunkService::fallbacks_begun(const RenderPlan& plan) const {
    const thread::MutexLock lock(mutex_);
    return failures_.fallbacks_begun(plan.fingerprint);
}

}  // namespace lacquer
