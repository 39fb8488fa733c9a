// The stream resource: turns a query into a plan and the plan into bytes.
#pragma once

#include <functional>

#include "server/sources.h"
#include "src/background_renders.h"
#include "src/chunk_service.h"
#include "src/library/library.h"
#include "src/recipe_book.h"
#include "src/stream.h"

namespace lacquer {

// What a request for audio needs; all outlive every request.
struct StreamParts {
    library::Library& library;
    RecipeBook& recipes;
    ChunkService& chunks;
    BackgroundRenders& background;
};

// The plan of (track, query). Throws server::HttpError: 400 bad choice, 404 unknown track or pinned recipe, 422
// undecodable, 503 cannot be measured for now.
PlanPtr resolve_plan(const StreamParts& parts, const library::Track& track, const server::RecipeQuery& query,
                     bool from_first_byte);
// The same of a choice that was parsed already.
PlanPtr resolve_plan(const StreamParts& parts, const library::Track& track, const RenderChoice& choice,
                     const std::function<bool()>& listener_present, bool from_first_byte);

// Frames [span) of the plan as a WAV representation with its ETag; no X-Audio headers.
server::Representation wav_representation(const StreamParts& parts, const library::Track& track, const PlanPtr& plan,
                                          const RenderChoice& choice, StreamSpan span);

class StreamApi : public server::StreamSource {
public:
    explicit StreamApi(StreamParts parts) : parts_(parts) {}
    server::Representation open(const server::StreamQuery& query) override;

private:
    server::Representation enhanced(const library::Track& track, const server::StreamQuery& query);
    server::Representation available(const library::Track& track, const RenderChoice& choice, const PlanPtr& plan,
                                     std::int64_t first_frame, bool head);
    server::Headers audio_headers(const RenderPlan& plan) const;

    StreamParts parts_;
};

}  // namespace lacquer
