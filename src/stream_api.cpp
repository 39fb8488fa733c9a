#include "src/stream_api.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <xxhash.h>

#include "src/original_file.h"
#include "src/retry_policy.h"
#include "src/track_api.h"

namespace lacquer {
namespace {

using server::HttpError;

class StreamBody : public server::Body {
public:
    StreamBody(const StreamParts& parts, library::Track track, PlanPtr plan, RenderChoice choice, StreamSpan span)
        : parts_(parts),
          track_(std::move(track)),
          plan_(plan),
          choice_(std::move(choice)),
          playhead_(parts.background.follow(plan)),
          stream_(parts.chunks, std::move(plan), span, TaskClass::listener,
                  [this](std::int64_t chunk) { entered_ = chunk; }) {}
    ~StreamBody() override {
        if (read_anything_) note_served();
    }

    std::uint64_t size_bytes() const override { return stream_.size_bytes(); }
    std::size_t read(std::uint64_t offset, std::span<std::byte> out,
                     const std::function<bool()>& listener_present) override {
        read_anything_ = true;
        const std::size_t count = read_stream(offset, out, listener_present);
        if (count > 0 && entered_) {
            entered_now(*std::exchange(entered_, std::nullopt));
        }
        return count;
    }

private:
    // Before the first byte these become an answer, later a reset.
    std::size_t read_stream(std::uint64_t offset, std::span<std::byte> out,
                            const std::function<bool()>& listener_present) {
        try {
            return stream_.read(offset, out, listener_present);
        } catch (const WorkRefused& refused) {
            throw HttpError(503, refused.what(), server::Json::object(), {{"Retry-After", "10"}});
        } catch (const ChunkError& error) {
            throw HttpError(503, fmt::format("track {}: {}", track_.id, error.what()), server::Json::object(),
                            {{"Retry-After", "1"}});
        }
    }
    // The rest of the track is begun, and the time is noted, as the listener goes on, not before the first byte.
    void entered_now(std::int64_t chunk) {
        playhead_->at(chunk);
        if (std::exchange(entered_anything_, true)) note_served();
    }
    void note_served() noexcept {
        try {
            parts_.recipes.served(track_, choice_, plan_->recipe_id);
        } catch (const std::exception&) {  // the database is busy or gone: the note is lost, the listener had the bytes
        }
    }

    const StreamParts parts_;
    const library::Track track_;
    const PlanPtr plan_;
    const RenderChoice choice_;
    const std::unique_ptr<BackgroundRenders::Playhead> playhead_;
    Stream stream_;
    std::optional<std::int64_t> entered_;  // and nothing of it handed out yet
    bool read_anything_ = false;
    bool entered_anything_ = false;
};

std::int64_t frame_at(const RenderPlan& plan, double start_seconds) {
    const double length = static_cast<double>(plan.grid.frame_count()) / plan.media.sample_rate_hz;
    if (!(start_seconds <= length)) {
        throw HttpError(400, fmt::format("start is {} s; the track is {:.3f} s long", start_seconds, length),
                        {{"field", "start"}, {"allowed", fmt::format("0 to {:.3f}", length)}});
    }
    return std::min<std::int64_t>(std::llround(start_seconds * plan.media.sample_rate_hz), plan.grid.frame_count());
}

// "0-3,7": a track on a share that hangs may have thousands of them.
std::string as_ranges(const std::vector<std::int64_t>& numbers) {
    std::string text;
    for (std::size_t i = 0; i < numbers.size();) {
        std::size_t last = i;
        while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
        text += fmt::format("{}{}", text.empty() ? "" : ",", numbers[i]);
        if (last > i) text += fmt::format("-{}", numbers[last]);
        i = last + 1;
    }
    return text;
}

// Those among the chunks that the span is made of.
std::vector<std::int64_t> fallback_chunks(const ChunkService& chunks, const RenderPlan& plan, StreamSpan span) {
    if (span.first_frame == span.end_frame) return {};
    const std::int64_t first = plan.grid.chunk_at(span.first_frame);
    const bool fades_in = span.first_frame < plan.grid.span(first).middle_begin;
    return chunks.fallback_chunks(plan, fades_in ? std::max<std::int64_t>(0, first - 1) : first,
                                  plan.grid.chunk_at(span.end_frame - 1));
}

}  // namespace

PlanPtr resolve_plan(const StreamParts& parts, const library::Track& track, const RenderChoice& choice,
                     const std::function<bool()>& listener_present, bool from_first_byte) {
    try {
        return parts.recipes.plan(track, choice, from_first_byte, listener_present);
    } catch (const media::DecodeError& error) {
        if (can_pass(error)) {
            throw HttpError(503, fmt::format("track {} cannot be read for now: {}", track.id, error.what()),
                            server::Json::object(), {{"Retry-After", "10"}});
        }
        throw HttpError(422, fmt::format("track {} cannot be decoded: {}", track.id, error.what()));
    } catch (const WorkRefused& refused) {
        throw HttpError(503, refused.what(), server::Json::object(), {{"Retry-After", "10"}});
    } catch (const NotWanted&) {
        throw HttpError(503, "given up: nobody waits for the track to be measured, or the daemon is stopping");
    } catch (const std::out_of_range& error) {
        throw HttpError(404, error.what(), {{"field", "v"}});
    }
}

PlanPtr resolve_plan(const StreamParts& parts, const library::Track& track, const server::RecipeQuery& query,
                     bool from_first_byte) {
    return resolve_plan(parts, track, parse_choice(parts.library, query), query.listener_present, from_first_byte);
}

server::Representation wav_representation(const StreamParts& parts, const library::Track& track, const PlanPtr& plan,
                                          const RenderChoice& choice, StreamSpan span) {
    server::Representation wav;
    wav.body = std::make_unique<StreamBody>(parts, track, plan, choice, span);
    wav.content_type = "audio/wav";
    wav.etag = plan->fingerprint;
    if (span.first_frame != 0 || span.end_frame != plan->grid.frame_count()) {
        wav.etag += fmt::format("-{}-{}", span.first_frame, span.end_frame);
    }
    // A response that was under way when a chunk broke off is never continued by one of another making.
    const std::uint64_t breaks = parts.chunks.fallbacks_begun(*plan);
    if (breaks > 0) wav.etag += fmt::format("-{}", breaks);
    const auto fallbacks = fallback_chunks(parts.chunks, *plan, span);
    if (!fallbacks.empty()) {
        const std::string listed = as_ranges(fallbacks);
        wav.etag += fmt::format("-without-{:016x}", XXH3_64bits(listed.data(), listed.size()));
        wav.cache_control = "no-store";
        wav.headers = {{"X-Failed-Chunks", listed}};
    }
    wav.etag = '"' + wav.etag + '"';
    return wav;
}

server::Representation StreamApi::open(const server::StreamQuery& query) {
    if (!query.enhanced) {
        return original_file(known_track(parts_.library, query.track_id));
    }
    return enhanced(playable_track(parts_.library, query.track_id), query);
}

server::Representation StreamApi::enhanced(const library::Track& track, const server::StreamQuery& query) {
    const RenderChoice choice = parse_choice(parts_.library, query.recipe);
    const PlanPtr plan = resolve_plan(parts_, track, choice, query.recipe.listener_present, query.from_first_byte);
    const std::int64_t first_frame = frame_at(*plan, query.start_seconds);
    if (query.available) return available(track, choice, plan, first_frame, query.head);
    server::Representation wav =
        wav_representation(parts_, track, plan, choice, {first_frame, plan->grid.frame_count()});
    for (auto& header : audio_headers(*plan)) wav.headers.push_back(std::move(header));
    return wav;
}

server::Headers StreamApi::audio_headers(const RenderPlan& plan) const {
    const std::int64_t total = plan.grid.chunk_count();
    const std::int64_t ready = parts_.chunks.ready_count(plan);
    return {{"X-Audio-Status", ready == total ? "complete" : "partial"},
            {"X-Total-Chunks", std::to_string(total)},
            {"X-Available-Chunks", std::to_string(ready)}};
}

// Never waits: exactly the frames from `first_frame` on that are ready without a gap.
server::Representation StreamApi::available(const library::Track& track, const RenderChoice& choice,
                                            const PlanPtr& plan, std::int64_t first_frame, bool head) {
    const dsp::ChunkGrid& grid = plan->grid;
    const auto ready = [&](std::int64_t n) { return parts_.chunks.state(*plan, n) == ChunkService::State::ready; };
    std::int64_t end_frame = first_frame;
    std::int64_t chunk = 0;
    if (first_frame < grid.frame_count()) {
        chunk = grid.chunk_at(first_frame);
        const bool fades_in = first_frame < grid.span(chunk).middle_begin;
        std::int64_t n = chunk;
        if (!fades_in || ready(chunk - 1)) {
            while (n < grid.chunk_count() && ready(n)) ++n;
        }
        if (n > chunk) end_frame = grid.span(n - 1).body_end;
        if (!head) parts_.background.start(plan, chunk);
    }
    server::Representation wav;
    if (end_frame == first_frame && first_frame < grid.frame_count()) {
        wav.status = 202;
        wav.headers = {{"Retry-After", "1"}};
        const auto failed = parts_.chunks.fallback_chunks(*plan, chunk, grid.chunk_count() - 1);
        if (!failed.empty()) wav.headers.push_back({"X-Failed-Chunks", as_ranges(failed)});
    } else {
        wav = wav_representation(parts_, track, plan, choice, {first_frame, end_frame});
        wav.etag.clear();
    }
    wav.ranges = false;
    wav.cache_control = "no-store";
    for (auto& header : audio_headers(*plan)) wav.headers.push_back(std::move(header));
    return wav;
}

}  // namespace lacquer
