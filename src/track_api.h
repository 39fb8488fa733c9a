// The read-only resources: tracks, profiles, playlist, health.
#pragma once

#include <atomic>

#include "cache/chunk_cache.h"
#include "server/sources.h"
#include "src/library/library.h"
#include "src/recipe_book.h"
#include "src/render_log.h"
#include "src/scheduler.h"
#include "src/sweeper.h"

namespace lacquer {

// Throws server::HttpError 400 naming the field and what is allowed.
RenderChoice parse_choice(const library::Library& library, const server::RecipeQuery& query);
std::string display_title(const library::Track& track);  // "Artist - Title"
// The track as it is on disk now. Throws server::HttpError 404 when it is unknown; playable_track also 422 when it
// cannot be decoded.
library::Track known_track(library::Library& library, std::int64_t track_id);
library::Track playable_track(library::Library& library, std::int64_t track_id);

class TrackApi : public server::TrackSource {
public:
    TrackApi(library::Library& library, RecipeBook& recipes) : library_(library), recipes_(recipes) {}
    server::Json tracks(const server::ListQuery& query) override;
    server::Json track(std::int64_t track_id) override;
    server::Json profile(std::int64_t track_id) override;
    std::vector<server::PlaylistEntry> playlist(const std::string& query, const server::RecipeQuery& recipe) override;

private:
    library::Library& library_;
    RecipeBook& recipes_;
};

class StatusApi : public server::StatusSource {
public:
    struct Parts {
        const cache::ChunkCache& cache;
        const library::Library& library;
        const Sweeper& sweeper;
        const Scheduler& scheduler;
        const RenderLog& renders;
    };
    explicit StatusApi(const Parts& parts) : parts_(parts) {}
    void set_ready(bool ready) { ready_ = ready; }
    server::Json health() override;
    std::pair<bool, server::Json> readiness() override;

private:
    const Parts parts_;
    std::atomic<bool> ready_ = false;
};

}  // namespace lacquer
