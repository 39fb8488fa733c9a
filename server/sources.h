// What the HTTP layer needs from the program: six small interfaces, implemented in src/. Everything here may be called
// from many connection threads at once. Errors are thrown as HttpError and answered as RFC 9457 problem+json.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace lacquer::server {

using Json = nlohmann::json;
using Headers = std::vector<std::pair<std::string, std::string>>;

// A request that is answered with a status and a problem document. `members` are added to the document
// (for example {"field": "preset", "allowed": [...]}).
class HttpError : public std::runtime_error {
public:
    HttpError(int status_code, const std::string& detail, Json extra_members = Json::object(),
              Headers extra_headers = {})
        : std::runtime_error(detail),
          status(status_code),
          members(std::move(extra_members)),
          headers(std::move(extra_headers)) {}
    int status;
    Json members;
    Headers headers;
};

// The bytes of one representation, readable at any offset. One instance per response, used by one thread.
class Body {
public:
    virtual ~Body() = default;
    virtual std::uint64_t size_bytes() const = 0;
    // Fills the front of `out` with bytes from `offset` on and returns how many (at least 1, unless the listener left:
    // 0), waiting until they exist. While it waits it asks `listener_present` about every 100 ms. Throws when the bytes
    // cannot be had: the connection is then reset, never ended as if complete.
    virtual std::size_t read(std::uint64_t offset, std::span<std::byte> out,
                             const std::function<bool()>& listener_present) = 0;
};

struct Representation {
    std::unique_ptr<Body> body;  // null: the status and headers are all there is
    int status = 200;            // 200 or 202
    std::string content_type;
    std::string etag;    // quoted; empty: none
    bool ranges = true;  // false: no Accept-Ranges, Range is ignored
    std::string cache_control = "private, no-cache";
    Headers headers;  // X-Audio-Status and the like
};

// The recipe-choosing part of a query. Names are as the client sent them; the source checks them.
struct RecipeQuery {
    std::string preset = "adaptive";
    double intensity = 1.0;  // parsed and range-checked [0, 1] by the server
    std::string depth;       // "", "16", "24" or "float"
    bool loudness = true;    // loudness=on|off
    // False once nobody waits for the answer any more: asked about every 100 ms while a track is being measured.
    std::function<bool()> listener_present = [] { return true; };
    std::string recipe_id;  // v=, empty when not pinned
};

struct StreamQuery {
    std::int64_t track_id = 0;
    bool enhanced = true;
    RecipeQuery recipe;
    double start_seconds = 0.0;   // start=; >= 0
    bool available = false;       // only what is ready now, never waits
    bool head = false;            // HEAD: may measure, must not render
    bool from_first_byte = true;  // the request asks for byte 0 (no Range, or one that starts at 0)
};

struct ListQuery {
    std::string query;   // free text; empty: all
    std::string origin;  // empty: all
    std::int64_t start_index = 0;
    std::int64_t limit = 100;  // [1, 1000]
};

struct PlaylistEntry {
    std::int64_t track_id = 0;
    std::string title;  // "Artist - Title"
    double duration_seconds = 0.0;
    std::string recipe_id;  // empty when none is stored yet
};

class TrackSource {
public:
    virtual ~TrackSource() = default;
    virtual Json tracks(const ListQuery& query) = 0;  // {items, hasMore, nextStartIndex, total}
    virtual Json track(std::int64_t track_id) = 0;    // HttpError 404
    virtual Json profile(std::int64_t track_id) = 0;  // HttpError 404 until fully measured
    virtual std::vector<PlaylistEntry> playlist(const std::string& query, const RecipeQuery& recipe) = 0;
};

// A preset to be made after a track. The source checks what is in it.
struct PresetOrder {
    std::string name;
    std::int64_t track_id = 0;
    std::function<bool()> listener_present = [] { return true; };  // as in RecipeQuery: the track may be measured first
};

class PresetSource {
public:
    virtual ~PresetSource() = default;
    virtual Json presets() = 0;                         // {items, hasMore, nextStartIndex}, the built-in ones first
    virtual Json create(const PresetOrder& order) = 0;  // the item; HttpError 400, 404, 409, 422
    virtual void remove(const std::string& name) = 0;   // HttpError 404, 409 for a built-in one
};

class StreamSource {
public:
    virtual ~StreamSource() = default;
    virtual Representation open(const StreamQuery& query) = 0;  // HttpError 400, 404, 422
};

class RenderSource {
public:
    virtual ~RenderSource() = default;
    virtual Json manifest(std::int64_t track_id, const RecipeQuery& query) = 0;
    virtual Json start(std::int64_t track_id, const RecipeQuery& query) = 0;  // the manifest, answered with 202
    // Forgets that these chunks failed (none: all of them) and begins anew, answered as start().
    virtual Json retry(std::int64_t track_id, const RecipeQuery& query, const std::vector<std::int64_t>& chunks) = 0;
    virtual void cancel(std::int64_t track_id, const RecipeQuery& query) = 0;  // background work only
    virtual Representation chunk(std::int64_t track_id, const RecipeQuery& query, std::int64_t index, bool head) = 0;
};

struct Event {
    std::uint64_t id = 0;  // grows by 1 over the daemon's life
    std::string type;      // "chunkComplete", ...
    Json data;             // with "trackId" or "jobId"
};

class EventSubscription {
public:
    virtual ~EventSubscription() = default;
    // The next event, or nullopt after `patience` without one.
    virtual std::optional<Event> next(std::chrono::milliseconds patience) = 0;
};

class EventSource {
public:
    virtual ~EventSource() = default;
    // Events of these tracks and jobs (both empty: all), from now on, or after `last_event_id` as far as still held.
    virtual std::unique_ptr<EventSubscription> subscribe(std::vector<std::int64_t> track_ids,
                                                         std::vector<std::int64_t> job_ids,
                                                         std::optional<std::uint64_t> last_event_id) = 0;
};

class StatusSource {
public:
    virtual ~StatusSource() = default;
    virtual Json health() = 0;                      // /healthz: always answered with 200
    virtual std::pair<bool, Json> readiness() = 0;  // /readyz: 200 or 503
};

struct Sources {
    TrackSource& tracks;
    PresetSource& presets;
    StreamSource& streams;
    RenderSource& renders;
    EventSource& events;
    StatusSource& status;
};

}  // namespace lacquer::server
