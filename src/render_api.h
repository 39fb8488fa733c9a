// The render of a track as a resource: its manifest, its chunks, the background work.
#pragma once

#include "src/render_log.h"
#include "src/stream_api.h"

namespace lacquer {

class RenderApi : public server::RenderSource {
public:
    RenderApi(StreamParts parts, RenderLog& log, EventHub& events) : parts_(parts), log_(log), events_(events) {}
    server::Json manifest(std::int64_t track_id, const server::RecipeQuery& query) override;
    server::Json start(std::int64_t track_id, const server::RecipeQuery& query) override;
    server::Json retry(std::int64_t track_id, const server::RecipeQuery& query,
                       const std::vector<std::int64_t>& chunks) override;
    void cancel(std::int64_t track_id, const server::RecipeQuery& query) override;
    server::Representation chunk(std::int64_t track_id, const server::RecipeQuery& query, std::int64_t index,
                                 bool head) override;

private:
    server::Json manifest_of(const RenderPlan& plan) const;
    void check_chunk(const RenderPlan& plan, std::int64_t index) const;

    StreamParts parts_;
    RenderLog& log_;
    EventHub& events_;
};

}  // namespace lacquer
