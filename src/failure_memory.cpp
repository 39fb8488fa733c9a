#include "src/failure_memory.h"

#include <utility>

#include "src/retry_policy.h"

namespace lacquer {
namespace {

constexpr std::size_t kRemembered = 4096;

}  // namespace

void FailureMemory::remember(const Place& place, const std::string& content_id, Failure failure, Time now) {
    const Quality fallback = failure.hung ? Quality::silent : Quality::neutral;
    if (failure.hung) {
        if (hung_sources_.size() >= kRemembered) hung_sources_.erase(hung_sources_.begin());
        hung_sources_[content_id] = {failure, fallback, now};
    }
    std::erase(order_, place);
    order_.push_back(place);
    chunks_[place] = {std::move(failure), fallback, now};
    while (order_.size() > kRemembered) {
        chunks_.erase(order_.front());
        order_.pop_front();
    }
}

void FailureMemory::found_fallback(const Place& place, Quality quality) {
    if (const auto chunk = chunks_.find(place); chunk != chunks_.end()) chunk->second.fallback = quality;
}

void FailureMemory::fell_back(const std::string& fingerprint) {
    ++fallbacks_begun_[fingerprint];
}

std::uint64_t FailureMemory::fallbacks_begun(const std::string& fingerprint) const {
    const auto plan = fallbacks_begun_.find(fingerprint);
    return plan == fallbacks_begun_.end() ? 0 : plan->second;
}

void FailureMemory::forget(const Place& place, const std::string& content_id) {
    hung_sources_.erase(content_id);
    if (chunks_.erase(place) > 0) std::erase(order_, place);
}

std::optional<FailureMemory::Known> FailureMemory::known(const Entry& entry, Time now) const {
    const bool rested = now - entry.at >= kFailureRest;
    return Known{entry.failure, entry.fallback, entry.failure.can_pass && (rested || entry.failure.is_over())};
}

std::optional<FailureMemory::Known> FailureMemory::find(const Place& place, const std::string& content_id,
                                                        Time now) const {
    std::optional<Known> hung;
    if (const auto source = hung_sources_.find(content_id); source != hung_sources_.end()) {
        hung = known(source->second, now);
        if (!hung->is_due) return hung;  // whatever else is known: it must not be touched
    }
    if (const auto chunk = chunks_.find(place); chunk != chunks_.end()) return known(chunk->second, now);
    return hung;
}

}  // namespace lacquer
