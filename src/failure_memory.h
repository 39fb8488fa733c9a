// Which chunks failed for good, so that the next listener does not wait for the same failure again: what cannot pass
// stays failed while the daemon runs, what can pass is left alone for kFailureRest. A source that hung is remembered as
// a whole.
//
// Threads: not thread-safe; the chunk service guards it with its mutex. Memory: the latest 4096 failures,
// and one number for each plan that ever fell back.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "src/chunk_renderer.h"

namespace lacquer {

struct Failure {
    std::string reason;
    bool can_pass = false;
    bool hung = false;                                     // the reason is a render without progress
    std::function<bool()> is_over = [] { return false; };  // true: it passed, and may be tried again at once
    // Never remembered: they say nothing about the chunk.
    bool cancelled = false;
    bool source_changed = false;
};

class FailureMemory {
public:
    using Time = std::chrono::steady_clock::time_point;

    // One chunk of one plan.
    struct Place {
        std::string fingerprint;  // of the plan
        std::int64_t chunk = 0;
        auto operator<=>(const Place&) const = default;
    };

    void remember(const Place& place, const std::string& content_id, Failure failure, Time now);
    // What a listener got instead, and gets the next time.
    void found_fallback(const Place& place, Quality quality);
    // An enhanced chunk of this plan broke off into a fallback.
    void fell_back(const std::string& fingerprint);
    std::uint64_t fallbacks_begun(const std::string& fingerprint) const;
    // The chunk was had after all, or somebody wants it tried again at once.
    void forget(const Place& place, const std::string& content_id);

    struct Known {
        Failure failure;
        Quality fallback = Quality::neutral;  // what to begin with
        bool is_due = false;                  // may be tried once more
    };
    bool empty() const { return chunks_.empty() && hung_sources_.empty(); }
    std::optional<Known> find(const Place& place, const std::string& content_id, Time now) const;

private:
    struct Entry {
        Failure failure;
        Quality fallback;
        Time at;
    };
    std::optional<Known> known(const Entry& entry, Time now) const;

    std::map<Place, Entry> chunks_;
    std::deque<Place> order_;                               // oldest first; the places in chunks_, each once
    std::map<std::string, std::uint64_t> fallbacks_begun_;  // by fingerprint; never forgotten, whatever passes
    std::map<std::string, Entry> hung_sources_;             // by content id
};

}  // namespace lacquer
