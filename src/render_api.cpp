#include "src/render_api.h"

#include <chrono>
#include <cmath>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "src/track_api.h"

namespace lacquer {
namespace {

using server::HttpError;
using server::Json;

std::string rfc3339(double unix_seconds) {
    const auto whole = static_cast<std::time_t>(std::floor(unix_seconds));
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(whole),
                       static_cast<int>((unix_seconds - static_cast<double>(whole)) * 1000.0));
}

const char* status_name(ChunkService::State state, const ChunkRecord& record) {
    switch (state) {
        case ChunkService::State::ready:
            return "ready";
        case ChunkService::State::rendering:
            return "rendering";
        case ChunkService::State::fallback:
            return record.fallback.empty() ? "failed" : "fallback";
        case ChunkService::State::waiting:
            return "waiting";
        case ChunkService::State::absent:
            break;
    }
    return record.error.empty() ? "waiting" : "failed";
}

}  // namespace

Json RenderApi::manifest_of(const RenderPlan& plan) const {
    const PlanRecord record = log_.record(plan);
    Json completed = Json::array(), failed = Json::array(), sizes = Json::array(), chunks = Json::array();
    for (std::int64_t n = 0; n < plan.grid.chunk_count(); ++n) {
        const ChunkRecord& known = record.chunks[static_cast<std::size_t>(n)];
        const std::string status = status_name(parts_.chunks.state(plan, n), known);
        const bool ready = status == "ready";
        const dsp::ChunkSpan span = plan.grid.span(n);
        const Json bytes = ready ? Json((span.body_end - span.begin) * plan.wav_shape().frame_bytes()) : Json();
        if (ready) completed.push_back(n);
        if (status == "failed" || status == "fallback") failed.push_back(n);
        sizes.push_back(bytes);
        chunks.push_back({{"index", n},
                          {"status", status},
                          {"attempts", known.attempts},
                          {"error", known.error.empty() ? Json() : Json(known.error)},
                          {"fallback", status == "fallback" ? Json(known.fallback) : Json()},
                          {"bytes", bytes},
                          {"renderMs", known.render_ms > 0 ? Json(known.render_ms) : Json()},
                          {"url", chunk_url(plan, n)}});
    }
    const bool complete = completed.size() == static_cast<std::size_t>(plan.grid.chunk_count());
    return {{"trackId", plan.track_id},
            {"status", complete ? "complete" : "partial"},
            {"totalChunks", plan.grid.chunk_count()},
            {"completedChunks", std::move(completed)},
            {"failedChunks", std::move(failed)},
            {"chunkSizes", std::move(sizes)},
            {"lastUpdated", rfc3339(record.last_updated_unix_s)},
            {"recipeId", plan.recipe_id},
            {"provisional", plan.provisional},
            {"active", parts_.background.active(plan)},
            {"streamUrl", stream_url(plan)},
            {"chunks", std::move(chunks)}};
}

Json RenderApi::manifest(std::int64_t track_id, const server::RecipeQuery& query) {
    return manifest_of(*resolve_plan(parts_, playable_track(parts_.library, track_id), query, false));
}

Json RenderApi::start(std::int64_t track_id, const server::RecipeQuery& query) {
    const PlanPtr plan = resolve_plan(parts_, playable_track(parts_.library, track_id), query, true);
    events_.publish("initialized", {{"trackId", plan->track_id},
                                    {"recipeId", plan->recipe_id},
                                    {"totalParts", 0},
                                    {"totalChunks", plan->grid.chunk_count()},
                                    {"settings", {{"preset", query.preset}, {"intensity", query.intensity}}}});
    for (std::int64_t n = 0; n < plan->grid.chunk_count(); ++n) {
        if (parts_.chunks.state(*plan, n) != ChunkService::State::ready) continue;
        events_.publish("chunkComplete", {{"trackId", plan->track_id},
                                          {"recipeId", plan->recipe_id},
                                          {"chunkIndex", n},
                                          {"url", chunk_url(*plan, n)},
                                          {"provisional", plan->provisional},
                                          {"fromCache", true}});
    }
    log_.tell_news(*plan);
    parts_.background.start(plan);
    return manifest_of(*plan);
}

void RenderApi::check_chunk(const RenderPlan& plan, std::int64_t index) const {
    if (index >= 0 && index < plan.grid.chunk_count()) return;
    throw HttpError(404,
                    fmt::format("track {} has no chunk {}; it has {}", plan.track_id, index, plan.grid.chunk_count()),
                    {{"field", "chunk"}, {"allowed", fmt::format("0 to {}", plan.grid.chunk_count() - 1)}});
}

Json RenderApi::retry(std::int64_t track_id, const server::RecipeQuery& query,
                      const std::vector<std::int64_t>& chunks) {
    const PlanPtr plan = resolve_plan(parts_, playable_track(parts_.library, track_id), query, false);
    const std::int64_t last = plan->grid.chunk_count() - 1;
    for (const std::int64_t n : chunks) check_chunk(*plan, n);
    for (const std::int64_t n : chunks.empty() ? parts_.chunks.fallback_chunks(*plan, 0, last) : chunks) {
        parts_.chunks.forget_failure(*plan, n);
        log_.forget_failure(*plan, n);
    }
    parts_.background.start(plan);
    return manifest_of(*plan);
}

void RenderApi::cancel(std::int64_t track_id, const server::RecipeQuery& query) {
    const PlanPtr plan = resolve_plan(parts_, playable_track(parts_.library, track_id), query, false);
    if (parts_.background.cancel(*plan)) {
        events_.publish("cancelled", {{"trackId", plan->track_id}, {"recipeId", plan->recipe_id}});
    }
}

server::Representation RenderApi::chunk(std::int64_t track_id, const server::RecipeQuery& query, std::int64_t index,
                                        bool) {
    const library::Track track = playable_track(parts_.library, track_id);
    const PlanPtr plan = resolve_plan(parts_, track, query, index == 0);
    check_chunk(*plan, index);
    const dsp::ChunkSpan span = plan->grid.span(index);
    return wav_representation(parts_, track, plan, parse_choice(parts_.library, query), {span.begin, span.body_end});
}

}  // namespace lacquer
