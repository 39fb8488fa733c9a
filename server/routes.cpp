#include "server/routes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

#include "server/event_stream.h"
#include "server/json_fields.h"
#include "server/playlist.h"
#include "server/problem.h"
#include "server/query.h"
#include "server/representation.h"

namespace lacquer::server {
namespace {

constexpr std::int64_t no_limit = std::numeric_limits<std::int64_t>::max();
constexpr double kLongestTrackSeconds = 1e6;
constexpr std::uint64_t max_json_bytes = 64 * 1024;

struct Call {
    const Request& request;
    const Sources& sources;
    const std::string& base_url;
    const std::string& stream_token;
    std::vector<std::string> captured;  // the path segments that a `*` stands for
};

struct Route {
    std::string_view method;
    std::string_view pattern;  // `*` stands for one segment
    Response (*handler)(const Call&);
    std::uint64_t body_limit_bytes = 0;  // of JSON; 0: no body is taken
    bool body_is_optional = false;
};

std::vector<std::string_view> segments(std::string_view path) {
    std::vector<std::string_view> result;
    while (true) {
        const auto slash = std::min(path.find('/'), path.size());
        result.push_back(path.substr(0, slash));
        if (slash == path.size()) return result;
        path.remove_prefix(slash + 1);
    }
}

bool matches(std::string_view pattern, std::string_view path, std::vector<std::string>& captured) {
    const auto wanted = segments(pattern);
    const auto given = segments(path);
    if (wanted.size() != given.size()) return false;
    captured.clear();
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const auto text = percent_decoded(given[i], false);
        if (!text || (wanted[i] != "*" && wanted[i] != *text)) return false;
        if (wanted[i] == "*") captured.push_back(*text);
    }
    return true;
}

std::int64_t path_number(const std::string& text, std::int64_t minimum, const std::string& what) {
    const auto number = parse_integer(text);
    if (!number || *number < minimum) {
        throw HttpError(404, "'" + text + "' is not the number of a " + what, {{what, text}});
    }
    return *number;
}

std::int64_t track_of(const Call& call) {
    return path_number(call.captured.at(0), 1, "track");
}

std::vector<std::string> recipe_names(std::initializer_list<const char*> further = {}) {
    std::vector<std::string> names = {"preset", "intensity", "depth", "loudness"};
    names.insert(names.end(), further.begin(), further.end());
    return names;
}

RecipeQuery recipe_from(const Query& query, const Request& request) {
    RecipeQuery recipe;
    recipe.listener_present = request.listener_present;
    recipe.preset = query.text("preset").value_or(recipe.preset);
    recipe.intensity = query.number("intensity", 0.0, 1.0, recipe.intensity);
    recipe.depth = query.text("depth").value_or("");
    constexpr std::array<std::string_view, 4> depths{"", "16", "24", "float"};
    if (std::find(depths.begin(), depths.end(), recipe.depth) == depths.end()) {
        throw HttpError(400, "depth is '" + recipe.depth + "'; allowed: 16, 24, float",
                        {{"field", "depth"}, {"allowed", {"16", "24", "float"}}});
    }
    recipe.loudness = query.choice("loudness", "on", "off", true);
    recipe.recipe_id = query.text("v").value_or("");
    return recipe;
}

RecipeQuery recipe_of(const Call& call) {
    return recipe_from(Query(call.request.query, recipe_names({"v"})), call.request);
}

Response empty_response(int status) {
    Response response;
    response.status = status;
    return response;
}

void takes_nothing(const Call& call) {
    const Query query(call.request.query, {});
}

// "12", "12.wav"; throws HttpError 400 for a format that is not offered.
std::int64_t stream_track(const std::string& segment) {
    const auto dot = std::min(segment.find('.'), segment.size());
    const std::string suffix = segment.substr(dot);
    if (suffix == ".flac" || suffix == ".opus") {
        throw HttpError(400, "this version streams WAV only, not " + suffix.substr(1), {{"allowed", {".wav"}}});
    }
    return path_number(suffix == ".wav" ? segment.substr(0, dot) : segment, 1, "track");
}

void check_defaults(const Query& query) {
    const auto scope = query.text("scope");
    if (scope && *scope != "track") {
        throw HttpError(400, "this version enhances track by track; allowed: scope=track",
                        {{"field", "scope"}, {"allowed", {"track"}}});
    }
    if (query.text("rate")) {
        throw HttpError(400, "this version keeps the rate of the source", {{"field", "rate"}});
    }
}

StreamQuery stream_query(const Call& call) {
    const Query query(call.request.query, recipe_names({"v", "enhanced", "start", "available", "scope", "rate"}));
    check_defaults(query);
    StreamQuery stream;
    stream.track_id = stream_track(call.captured.at(0));
    stream.enhanced = query.choice("enhanced", "true", "false", true);
    stream.recipe = recipe_from(query, call.request);
    stream.start_seconds = query.number("start", 0.0, kLongestTrackSeconds, 0.0);
    stream.available = query.choice("available", "true", "false", false);
    stream.head = call.request.is_head();
    stream.from_first_byte = asks_for_first_byte(call.request.range);
    return stream;
}

Response stream(const Call& call) {
    return represent(call.request, call.sources.streams.open(stream_query(call)));
}

Response presets(const Call& call) {
    takes_nothing(call);
    return json_response(200, call.sources.presets.presets());
}

Response create_preset(const Call& call) {
    takes_nothing(call);
    const JsonFields fields(call.request.body, {"name", "trackId"});
    const PresetOrder order{fields.text("name"), fields.integer("trackId", 1), call.request.listener_present};
    return json_response(201, call.sources.presets.create(order));
}

Response remove_preset(const Call& call) {
    takes_nothing(call);
    call.sources.presets.remove(call.captured.at(0));
    return empty_response(204);
}

Response tracks(const Call& call) {
    const Query query(call.request.query, {"query", "origin", "startIndex", "limit"});
    ListQuery list;
    list.query = query.text("query").value_or("");
    list.origin = query.text("origin").value_or("");
    list.start_index = query.integer("startIndex", 0, no_limit, 0);
    list.limit = query.integer("limit", 1, 1000, 100);
    return json_response(200, call.sources.tracks.tracks(list));
}

Response track(const Call& call) {
    takes_nothing(call);
    return json_response(200, call.sources.tracks.track(track_of(call)));
}

Response profile(const Call& call) {
    takes_nothing(call);
    return json_response(200, call.sources.tracks.profile(track_of(call)));
}

Response manifest(const Call& call) {
    const RecipeQuery recipe = recipe_of(call);
    return json_response(200, call.sources.renders.manifest(track_of(call), recipe));
}

Response start_render(const Call& call) {
    const RecipeQuery recipe = recipe_of(call);
    return json_response(202, call.sources.renders.start(track_of(call), recipe));
}

Response retry_render(const Call& call) {
    const RecipeQuery recipe = recipe_of(call);
    std::vector<std::int64_t> chunks;
    if (!call.request.body.empty()) chunks = JsonFields(call.request.body, {"chunks"}).integers("chunks", 0);
    return json_response(202, call.sources.renders.retry(track_of(call), recipe, chunks));
}

Response cancel_render(const Call& call) {
    const RecipeQuery recipe = recipe_of(call);
    call.sources.renders.cancel(track_of(call), recipe);
    return empty_response(204);
}

Response chunk(const Call& call) {
    const RecipeQuery recipe = recipe_of(call);
    const std::int64_t track_id = track_of(call);
    const std::int64_t index = path_number(call.captured.at(1), 0, "chunk");
    return represent(call.request, call.sources.renders.chunk(track_id, recipe, index, call.request.is_head()));
}

Response events(const Call& call) {
    const Query query(call.request.query, {}, {"track", "job"});
    std::optional<std::uint64_t> last_id;
    if (const auto header = call.request.header("Last-Event-ID")) {
        if (const auto id = parse_integer(trimmed(*header))) last_id = static_cast<std::uint64_t>(*id);
    }
    if (call.request.is_head()) return event_response(nullptr);
    return event_response(call.sources.events.subscribe(query.ids("track"), query.ids("job"), last_id));
}

std::string playlist_parameters(const Call& call, const Query& query) {
    std::string text;
    const auto add = [&](const std::string& name, const std::string& value) {
        text += (text.empty() ? "" : "&") + name + "=" + percent_encoded(value);
    };
    for (const std::string& name : recipe_names())
        if (const auto value = query.text(name)) add(name, *value);
    if (!call.stream_token.empty()) add("token", call.stream_token);
    return text;
}

Response playlist(const Call& call) {
    const Query query(call.request.query, recipe_names({"query"}));
    const auto entries =
        call.sources.tracks.playlist(query.text("query").value_or(""), recipe_from(query, call.request));
    const auto host = call.request.authority();
    const auto proxied = call.request.header("X-Forwarded-Proto");
    const std::string scheme = proxied && *proxied == "https" ? "https://" : "http://";
    const std::string base = host ? scheme + std::string(*host) : call.base_url;
    return text_response(200, "audio/x-mpegurl", playlist_text(entries, base, playlist_parameters(call, query)));
}

Response health(const Call& call) {
    takes_nothing(call);
    return json_response(200, call.sources.status.health());
}

Response readiness(const Call& call) {
    takes_nothing(call);
    const auto [is_ready, document] = call.sources.status.readiness();
    return json_response(is_ready ? 200 : 503, document);
}

constexpr std::array<Route, 16> table{{
    {"GET", "/api/player/stream/*", stream},
    {"GET", "/api/presets", presets},
    {"POST", "/api/presets", create_preset, max_json_bytes},
    {"DELETE", "/api/presets/*", remove_preset},
    {"GET", "/api/tracks", tracks},
    {"GET", "/api/tracks/*", track},
    {"GET", "/api/tracks/*/profile", profile},
    {"GET", "/api/tracks/*/render", manifest},
    {"POST", "/api/tracks/*/render", start_render},
    {"DELETE", "/api/tracks/*/render", cancel_render},
    {"POST", "/api/tracks/*/render/retry", retry_render, max_json_bytes, true},
    {"GET", "/api/tracks/*/render/chunks/*", chunk},
    {"GET", "/api/events", events},
    {"GET", "/playlist.m3u8", playlist},
    {"GET", "/healthz", health},
    {"GET", "/readyz", readiness},
}};

Response other_method(const Request& request, const std::string& allow) {
    if (request.method != "OPTIONS") {
        return problem_response(405, request.method + " is not offered here", {{"allowed", allow}}, {{"Allow", allow}});
    }
    Response response = empty_response(204);
    response.headers = {{"Allow", allow}};
    return response;
}

}  // namespace

Routes::Routes(Sources sources, std::string base_url, std::string stream_token)
    : sources_(sources), base_url_(std::move(base_url)), stream_token_(std::move(stream_token)) {}

std::uint64_t Routes::body_limit_bytes(const Request& request) const {
    const std::string_view path = request.origin_form();
    std::vector<std::string> captured;
    for (const Route& route : table)
        if (route.method == request.method && matches(route.pattern, path, captured)) {
            const bool is_without = route.body_is_optional && request.body_bytes == 0;
            return is_without ? 0 : route.body_limit_bytes;
        }
    return 0;
}

Response Routes::answer(const Request& request) const {
    const std::string_view path = request.origin_form();
    const std::string_view method = request.is_head() ? std::string_view("GET") : request.method;
    Call call{request, sources_, base_url_, stream_token_, {}};
    std::string allow;
    for (const Route& route : table) {
        if (!matches(route.pattern, path, call.captured)) continue;
        if (route.method == method) return route.handler(call);
        allow += std::string(route.method == "GET" ? "GET, HEAD" : route.method) + ", ";
    }
    if (request.method == "OPTIONS" && path == "*") allow = "GET, HEAD, POST, DELETE, ";
    if (allow.empty()) throw HttpError(404, "there is nothing at '" + std::string(path) + "'");
    return other_method(request, allow + "OPTIONS");
}

}  // namespace lacquer::server
