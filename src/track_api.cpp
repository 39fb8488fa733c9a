#include "src/track_api.h"

#include <cmath>

#include <fmt/format.h>

#include "src/profile_json.h"
#include "src/user_presets.h"

namespace lacquer {
namespace {

using server::HttpError;
using server::Json;

std::vector<std::string> preset_names(const library::Library& library) {
    std::vector<std::string> names;
    for (const dsp::Preset& preset : dsp::presets()) names.emplace_back(preset.name);
    for (const UserPreset& preset : user_presets(library)) names.push_back(preset.name);
    return names;
}

Json outcome_json(const dsp::Profile& profile, const dsp::RecipeRequest& request) {
    const ChosenRecipe chosen = choose_recipe(profile, request);
    const double target_lufs =
        request.reference ? request.reference->integrated_lufs : dsp::preset(request.preset).loudness_lufs;
    return {{"targetLufs", target_lufs},
            {"predictedLufs", chosen.predicted_lufs},
            {"makeUpGainDb", chosen.make_up_gain_db},
            {"boundBy", chosen.bound.empty() ? Json() : Json(chosen.bound)}};
}

Json track_json(const library::Track& track, bool measured) {
    Json json = {{"id", track.id},
                 {"title", track.title},
                 {"artist", track.artist},
                 {"album", track.album},
                 {"albumArtist", track.album_artist},
                 {"genre", track.genre},
                 {"trackNumber", track.track_number},
                 {"discNumber", track.disc_number},
                 {"year", track.year},
                 {"origin", track.origin},
                 {"fileName", track.path.filename().string()},
                 {"contentId", track.content_id},
                 {"format", track.media.format},
                 {"durationSeconds", track.duration_seconds()},
                 {"sampleRateHz", track.media.sample_rate_hz},
                 {"channels", track.media.source_channels},
                 {"bitsPerSample", track.media.integer_bits},
                 {"frameCount", served_frames(track.media)},
                 {"measured", measured},
                 {"streamUrl", fmt::format("/api/player/stream/{}.wav", track.id)}};
    if (!track.error.empty()) json["error"] = track.error;
    return json;
}

}  // namespace

RenderChoice parse_choice(const library::Library& library, const server::RecipeQuery& query) {
    RenderChoice choice;
    const auto request = find_request(library, query.preset);
    if (!request && query.recipe_id.empty()) {  // a pinned recipe outlives the preset that it was made for
        const std::vector<std::string> names = preset_names(library);
        throw HttpError(400, fmt::format("preset '{}' is unknown; allowed: {}", query.preset, fmt::join(names, ", ")),
                        {{"field", "preset"}, {"allowed", names}});
    }
    choice.request = request.value_or(dsp::RecipeRequest{});
    // In steps: each new value makes a recipe that is kept for good.
    choice.request.intensity = std::round(query.intensity * 1000.0) / 1000.0;
    choice.request.loudness_match = query.loudness;
    choice.recipe_id = query.recipe_id;
    if (query.depth.empty()) return choice;
    choice.format = parse_depth(query.depth);
    if (!choice.format) {
        throw HttpError(400, fmt::format("depth '{}' is unknown; allowed: 16, 24, float", query.depth),
                        {{"field", "depth"}, {"allowed", {"16", "24", "float"}}});
    }
    return choice;
}

std::string display_title(const library::Track& track) {
    return track.artist.empty() ? track.title : track.artist + " - " + track.title;
}

library::Track known_track(library::Library& library, std::int64_t track_id) {
    auto track = library.fresh_track(track_id);
    if (!track) throw HttpError(404, fmt::format("there is no track {}", track_id), {{"field", "trackId"}});
    return *track;
}

library::Track playable_track(library::Library& library, std::int64_t track_id) {
    library::Track track = known_track(library, track_id);
    if (!track.error.empty()) {
        throw HttpError(422, fmt::format("track {} cannot be decoded: {}", track_id, track.error));
    }
    return track;
}

Json TrackApi::tracks(const server::ListQuery& query) {
    library::TrackPage page;
    if (query.origin.empty() || query.origin == "library") {
        page = library_.tracks(query.query, query.start_index, query.limit);
    }
    Json items = Json::array();
    for (const library::Track& track : page.items) items.push_back(track_json(track, library_.has_profile(track)));
    const std::int64_t next = query.start_index + static_cast<std::int64_t>(page.items.size());
    return {
        {"items", std::move(items)}, {"hasMore", next < page.total}, {"nextStartIndex", next}, {"total", page.total}};
}

Json TrackApi::track(std::int64_t track_id) {
    const library::Track track = known_track(library_, track_id);
    return track_json(track, library_.has_profile(track));
}

Json TrackApi::profile(std::int64_t track_id) {
    const library::Track track = playable_track(library_, track_id);
    const auto profile = recipes_.stored_profile(track);
    if (!profile) throw HttpError(404, fmt::format("track {} is not fully measured yet", track_id));
    Json json = profile_to_json(*profile);
    json["trackId"] = track_id;
    for (const dsp::Preset& preset : dsp::presets()) {
        json["presets"][std::string(preset.name)] = outcome_json(*profile, {preset.id});
    }
    for (const UserPreset& preset : user_presets(library_)) {
        json["presets"][preset.name] = outcome_json(*profile, {.reference = preset.target});
    }
    return json;
}

std::vector<server::PlaylistEntry> TrackApi::playlist(const std::string& query, const server::RecipeQuery& recipe) {
    constexpr std::int64_t kPage = 1000;
    const RenderChoice choice = parse_choice(library_, recipe);
    std::vector<server::PlaylistEntry> entries;
    library::TrackPage page;
    for (std::int64_t at = 0; at == 0 || at < page.total; at += kPage) {
        page = library_.tracks(query, at, kPage);
        for (const library::Track& track : page.items) {
            if (!track.error.empty()) continue;
            entries.push_back(
                {track.id, display_title(track), track.duration_seconds(), recipes_.known_recipe_id(track, choice)});
        }
    }
    return entries;
}

Json StatusApi::health() {
    const cache::CacheStats stats = parts_.cache.stats();
    const Swept swept = parts_.sweeper.totals();
    const Scheduler::Counts work = parts_.scheduler.counts();
    const RenderCounts renders = parts_.renders.counts();
    return {{"status", "ok"},
            {"version", LACQUER_VERSION},
            {"tracks", parts_.library.tracks("", 0, 1).total},
            {"cache",
             {{"capacityBytes", stats.capacity_bytes},
              {"bytes", stats.bytes},
              {"entries", stats.entries},
              {"hits", stats.hits},
              {"misses", stats.misses},
              {"insertions", stats.insertions},
              {"evictions", stats.evictions},
              {"corrupt", stats.corrupt},
              {"failedWrites", stats.failed_writes},
              {"swept",
               {{"chunks", swept.chunks},
                {"files", swept.files},
                {"libraryRows", swept.rows},
                {"damagedDatabases", swept.databases}}}}},
            {"renders",
             {{"complete", renders.rendered},
              {"retries", renders.retries},
              {"failed", renders.failed},
              {"timeouts", renders.timeouts},
              {"fallbacks", renders.fallbacks},
              {"dropped", renders.dropped}}},
            {"workers",
             {{"limit", parts_.scheduler.workers()},
              {"running", work.running},
              {"waiting", work.waiting},
              {"writtenOff", work.written_off},
              {"writtenOffTotal", work.written_off_total},
              {"refused", work.refused}}}};
}

std::pair<bool, Json> StatusApi::readiness() {
    const bool ready = ready_;
    return {ready, {{"status", ready ? "ready" : "starting"}}};
}

}  // namespace lacquer
