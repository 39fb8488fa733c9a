// Events on their way from the workers to whoever listens: a ring of the latest ones, numbered over the daemon's life.
//
// Threads: every member may be called from any thread. Memory: the last 256 events. A subscriber that falls further
// behind misses events; it sees that from the gap in the ids.
#pragma once

#include <condition_variable>
#include <deque>
#include <vector>

#include "server/sources.h"
#include "thread/mutex.h"

namespace lacquer {

class EventHub : public server::EventSource {
public:
    void publish(const std::string& type, server::Json data);
    std::unique_ptr<server::EventSubscription> subscribe(std::vector<std::int64_t> track_ids,
                                                         std::vector<std::int64_t> job_ids,
                                                         std::optional<std::uint64_t> last_event_id) override;
    bool has_subscribers() const;

private:
    class Subscription;

    mutable thread::Mutex mutex_;
    std::condition_variable_any published_;
    std::deque<server::Event> events_ GUARDED_BY(mutex_);  // ids without gap, the last one is next_id_ - 1
    std::uint64_t next_id_ GUARDED_BY(mutex_) = 1;
    int subscribers_ GUARDED_BY(mutex_) = 0;
};

}  // namespace lacquer
