#include "src/event_hub.h"

#include <algorithm>

namespace lacquer {
namespace {

constexpr std::size_t kHeldEvents = 256;

bool names(const server::Json& data, const char* member, const std::vector<std::int64_t>& ids) {
    const auto value = data.find(member);
    return value != data.end() && std::find(ids.begin(), ids.end(), value->get<std::int64_t>()) != ids.end();
}

}  // namespace

class EventHub::Subscription : public server::EventSubscription {
public:
    Subscription(EventHub& hub, std::vector<std::int64_t> track_ids, std::vector<std::int64_t> job_ids,
                 std::uint64_t next_id)
        : hub_(hub), track_ids_(std::move(track_ids)), job_ids_(std::move(job_ids)), next_id_(next_id) {}

    ~Subscription() override {
        const thread::MutexLock lock(hub_.mutex_);
        --hub_.subscribers_;
    }

    std::optional<server::Event> next(std::chrono::milliseconds patience) override {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        const thread::MutexLock lock(hub_.mutex_);
        while (true) {
            const std::uint64_t oldest = hub_.next_id_ - hub_.events_.size();
            next_id_ = std::max(next_id_, oldest);
            while (next_id_ < hub_.next_id_) {
                const server::Event& event = hub_.events_[next_id_++ - oldest];
                if (wanted(event)) return event;
            }
            if (hub_.published_.wait_until(hub_.mutex_, deadline) == std::cv_status::timeout) return std::nullopt;
        }
    }

private:
    bool wanted(const server::Event& event) const {
        if (track_ids_.empty() && job_ids_.empty()) return true;
        return names(event.data, "trackId", track_ids_) || names(event.data, "jobId", job_ids_);
    }

    EventHub& hub_;
    const std::vector<std::int64_t> track_ids_;
    const std::vector<std::int64_t> job_ids_;
    std::uint64_t next_id_;
};

void EventHub::publish(const std::string& type, server::Json data) {
    {
        const thread::MutexLock lock(mutex_);
        events_.push_back({next_id_++, type, std::move(data)});
        if (events_.size() > kHeldEvents) events_.pop_front();
    }
    published_.notify_all();
}

std::unique_ptr<server::EventSubscription> EventHub::subscribe(std::vector<std::int64_t> track_ids,
                                                               std::vector<std::int64_t> job_ids,
                                                               std::optional<std::uint64_t> last_event_id) {
    const thread::MutexLock lock(mutex_);
    ++subscribers_;
    const std::uint64_t next_id = last_event_id && *last_event_id < next_id_ ? *last_event_id + 1 : next_id_;
    return std::make_unique<Subscription>(*this, std::move(track_ids), std::move(job_ids), next_id);
}

bool EventHub::has_subscribers() const {
    const thread::MutexLock lock(mutex_);
    return subscribers_ > 0;
}

}  // namespace lacquer
