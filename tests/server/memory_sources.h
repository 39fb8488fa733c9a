// The six interfaces of server/sources.h, in memory: what they are asked is recorded, what they answer can be set.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/http_server.h"
#include "server/sources.h"

namespace lacquer::test {

// The byte at any offset of any synthetic body, without storing one.
inline std::byte byte_at(std::uint64_t offset) {
    return static_cast<std::byte>((offset * 0x9E3779B97F4A7C15U) >> 56U);
}

inline std::string bytes_at(std::uint64_t offset, std::size_t count) {
    std::string text(count, '\0');
    for (std::size_t i = 0; i < count; ++i) text[i] = static_cast<char>(byte_at(offset + i));
    return text;
}

// Something that happens once, and that a test waits for instead of sleeping.
class Happening {
public:
    void now() {
        const std::lock_guard lock(mutex_);
        happened_ = true;
        changed_.notify_all();
    }
    bool wait(std::chrono::milliseconds patience = std::chrono::seconds(10)) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, [this] { return happened_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool happened_ = false;
};

// byte_at() over `size_bytes`. A hook, when set, is called before each read and may throw; it returns false when the
// listener left.
class SyntheticBody : public server::Body {
public:
    using Hook = std::function<bool(std::uint64_t offset, const std::function<bool()>& listener_present)>;
    explicit SyntheticBody(std::uint64_t size_bytes, Hook hook = {})
        : size_bytes_(size_bytes), hook_(std::move(hook)) {}

    std::uint64_t size_bytes() const override { return size_bytes_; }
    std::size_t read(std::uint64_t offset, std::span<std::byte> out,
                     const std::function<bool()>& listener_present) override {
        if (hook_ && !hook_(offset, listener_present)) return 0;
        for (std::size_t i = 0; i < out.size(); ++i) out[i] = byte_at(offset + i);
        return out.size();
    }

private:
    std::uint64_t size_bytes_;
    Hook hook_;
};

inline server::Representation representation(std::uint64_t size_bytes, SyntheticBody::Hook hook = {}) {
    server::Representation result;
    result.body = std::make_unique<SyntheticBody>(size_bytes, std::move(hook));
    result.content_type = "audio/wav";
    result.etag = "\"one\"";
    result.headers = {{"X-Audio-Status", "partial"}};
    return result;
}

class MemoryTracks : public server::TrackSource {
public:
    server::Json tracks(const server::ListQuery& query) override {
        last_list = query;
        return {{"items", server::Json::array()}, {"hasMore", false}};
    }
    server::Json track(std::int64_t track_id) override {
        if (track_id == 404) throw server::HttpError(404, "there is no track 404", {{"trackId", 404}});
        if (track_id == 500) throw std::runtime_error("the secret inside");
        return {{"id", track_id}, {"title", "bad \xFF byte"}};
    }
    server::Json profile(std::int64_t track_id) override { return {{"trackId", track_id}}; }
    std::vector<server::PlaylistEntry> playlist(const std::string& query, const server::RecipeQuery&) override {
        last_playlist_query = query;
        return {{1, "Artist - Title", 61.4, "r1"}, {2, "Two\nLines", 2.0, ""}};
    }

    server::ListQuery last_list;
    std::string last_playlist_query;
};

class MemoryPresets : public server::PresetSource {
public:
    server::Json presets() override { return {{"items", {"adaptive"}}}; }
    server::Json create(const server::PresetOrder& order) override {
        const std::lock_guard lock(mutex);
        orders.push_back(order);
        return {{"name", order.name}};
    }
    void remove(const std::string& name) override {
        if (name == "adaptive") throw server::HttpError(409, "built in", {{"field", "name"}});
        removed = name;
    }

    std::mutex mutex;
    std::vector<server::PresetOrder> orders;
    std::string removed;
};

class MemoryStreams : public server::StreamSource {
public:
    server::Representation open(const server::StreamQuery& query) override {
        std::function<server::Representation(const server::StreamQuery&)> answer;
        {
            const std::lock_guard lock(mutex);
            last = query;
            answer = on_open;
        }
        return answer(query);
    }

    std::mutex mutex;
    server::StreamQuery last;
    std::function<server::Representation(const server::StreamQuery&)> on_open = [](const server::StreamQuery&) {
        return representation(1000);
    };
};

class MemoryRenders : public server::RenderSource {
public:
    server::Json manifest(std::int64_t track_id, const server::RecipeQuery& query) override {
        return {{"trackId", track_id}, {"preset", query.preset}};
    }
    server::Json start(std::int64_t track_id, const server::RecipeQuery&) override { return {{"trackId", track_id}}; }
    server::Json retry(std::int64_t track_id, const server::RecipeQuery&,
                       const std::vector<std::int64_t>& chunks) override {
        retried = chunks;
        return {{"trackId", track_id}};
    }
    void cancel(std::int64_t track_id, const server::RecipeQuery&) override { cancelled = track_id; }
    server::Representation chunk(std::int64_t, const server::RecipeQuery&, std::int64_t index, bool) override {
        return representation(100 + static_cast<std::uint64_t>(index));
    }

    std::int64_t cancelled = 0;
    std::vector<std::int64_t> retried;
};

class MemoryEvents : public server::EventSource {
public:
    std::unique_ptr<server::EventSubscription> subscribe(std::vector<std::int64_t> track_ids,
                                                         std::vector<std::int64_t> job_ids,
                                                         std::optional<std::uint64_t> last_event_id) override {
        const std::lock_guard lock(mutex_);
        tracks = std::move(track_ids);
        jobs = std::move(job_ids);
        last_id = last_event_id;
        return std::make_unique<Subscription>(*this);
    }
    void send(server::Event event) {
        const std::lock_guard lock(mutex_);
        pending_.push_back(std::move(event));
        changed_.notify_all();
    }

    std::vector<std::int64_t> tracks;
    std::vector<std::int64_t> jobs;
    std::optional<std::uint64_t> last_id;
    Happening unsubscribed;

private:
    class Subscription : public server::EventSubscription {
    public:
        explicit Subscription(MemoryEvents& events) : events_(events) {}
        ~Subscription() override { events_.unsubscribed.now(); }
        std::optional<server::Event> next(std::chrono::milliseconds patience) override {
            std::unique_lock lock(events_.mutex_);
            if (!events_.changed_.wait_for(lock, patience, [this] { return !events_.pending_.empty(); })) return {};
            server::Event event = events_.pending_.front();
            events_.pending_.erase(events_.pending_.begin());
            return event;
        }

    private:
        MemoryEvents& events_;
    };

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<server::Event> pending_;
};

class MemoryStatus : public server::StatusSource {
public:
    server::Json health() override { return {{"status", "ok"}}; }
    std::pair<bool, server::Json> readiness() override { return {is_ready, {{"ready", is_ready}}}; }
    bool is_ready = true;
};

struct MemorySources {
    MemoryTracks tracks;
    MemoryPresets presets;
    MemoryStreams streams;
    MemoryRenders renders;
    MemoryEvents events;
    MemoryStatus status;
    server::Sources all() { return {tracks, presets, streams, renders, events, status}; }
};

inline server::ServerOptions any_port() {
    server::ServerOptions options;
    options.port = 0;
    return options;
}

}  // namespace lacquer::test
