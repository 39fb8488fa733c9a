#include "src/render_log.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "src/chunk_measure.h"
#include "src/recipe_choice.h"
#include "src/retry_policy.h"

namespace lacquer {
namespace {

constexpr std::size_t kRememberedPlans = 64;
constexpr double kProgressIntervalSeconds = 0.25;

double unix_seconds() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

std::string chunk_url(const RenderPlan& plan, std::int64_t index) {
    return fmt::format("/api/tracks/{}/render/chunks/{}?v={}&depth={}", plan.track_id, index, plan.recipe_id,
                       depth_name(plan.format));
}

std::string stream_url(const RenderPlan& plan) {
    return fmt::format("/api/player/stream/{}.wav?v={}&depth={}", plan.track_id, plan.recipe_id,
                       depth_name(plan.format));
}

PlanRecord& RenderLog::touch(const RenderPlan& plan) {
    const std::string fingerprint = plan.fingerprint;
    const auto known = std::find_if(records_.begin(), records_.end(),
                                    [&](const PlanRecord& record) { return record.fingerprint == fingerprint; });
    if (known != records_.end()) {
        records_.splice(records_.begin(), records_, known);
    } else {
        records_.emplace_front();
        records_.front().fingerprint = fingerprint;
        records_.front().chunks.resize(static_cast<std::size_t>(plan.grid.chunk_count()));
        if (records_.size() > kRememberedPlans) records_.pop_back();
    }
    records_.front().last_updated_unix_s = unix_seconds();
    return records_.front();
}

PlanRecord RenderLog::record(const RenderPlan& plan) const {
    const std::string fingerprint = plan.fingerprint;
    const thread::MutexLock lock(mutex_);
    for (const PlanRecord& record : records_) {
        if (record.fingerprint == fingerprint) return record;
    }
    PlanRecord fresh;
    fresh.fingerprint = fingerprint;
    fresh.chunks.resize(static_cast<std::size_t>(plan.grid.chunk_count()));
    fresh.last_updated_unix_s = unix_seconds();
    return fresh;
}

void RenderLog::chunk_started(const RenderPlan& plan, std::int64_t index, Quality quality) {
    if (quality != Quality::enhanced) return;
    {
        const thread::MutexLock lock(mutex_);
        ++touch(plan).chunks[static_cast<std::size_t>(index)].attempts;
    }
    events_.publish("chunkStarted", {{"trackId", plan.track_id}, {"recipeId", plan.recipe_id}, {"chunkIndex", index}});
}

void RenderLog::chunk_complete(const RenderPlan& plan, std::int64_t index, const RenderReport& report,
                               std::span<const std::byte> bytes) {
    {
        const thread::MutexLock lock(mutex_);
        PlanRecord& record = touch(plan);
        ChunkRecord& chunk = record.chunks[static_cast<std::size_t>(index)];
        chunk.error.clear();
        chunk.fallback.clear();
        ++counts_.rendered;
        chunk.render_ms = report.seconds * 1000.0;
        record.rendered_seconds += report.seconds;
        ++record.rendered;
    }
    if (report.silent_frames > 0) {
        spdlog::warn("chunk {} of track {}: the file ends early, {} frames served as silence", index, plan.track_id,
                     report.silent_frames);
    }
    server::Json event = {{"trackId", plan.track_id},
                          {"recipeId", plan.recipe_id},
                          {"chunkIndex", index},
                          {"url", chunk_url(plan, index)},
                          {"provisional", plan.provisional},
                          {"processingSeconds", report.seconds},
                          {"fromCache", false}};
    if (events_.has_subscribers()) {  // costs too much to be done for nobody
        const ChunkLevels levels = measure_chunk(plan, index, bytes);
        event["lufs"] = levels.loudness_lufs;
        event["truePeakDbtp"] = levels.true_peak_dbtp;
    }
    events_.publish("chunkComplete", std::move(event));
    tell_news(plan);
    on_change_();
}

RenderCounts RenderLog::counts() const {
    const thread::MutexLock lock(mutex_);
    return counts_;
}

void RenderLog::forget_failure(const RenderPlan& plan, std::int64_t index) {
    const thread::MutexLock lock(mutex_);
    ChunkRecord& chunk = touch(plan).chunks[static_cast<std::size_t>(index)];
    chunk.error.clear();
    chunk.fallback.clear();
}

void RenderLog::chunk_failed(const RenderPlan& plan, std::int64_t index, const FailedAttempt& failed) {
    if (failed.quality != Quality::enhanced) {  // the next fallback follows, and is told
        spdlog::warn("chunk {} of track {}: {} rendering failed too: {}", index, plan.track_id,
                     quality_name(failed.quality), failed.reason);
        return;
    }
    int attempts = 0;
    {
        const thread::MutexLock lock(mutex_);
        ChunkRecord& chunk = touch(plan).chunks[static_cast<std::size_t>(index)];
        chunk.error = failed.reason;
        attempts = chunk.attempts;
        ++(failed.retry_in ? counts_.retries : counts_.failed);
        if (failed.reason == kTimeout) ++counts_.timeouts;
    }
    server::Json retry_in;
    if (failed.retry_in) {
        const double seconds = std::chrono::duration<double>(*failed.retry_in).count();
        retry_in = seconds;
        spdlog::warn("chunk {} of track {}: retry {}/{} in {:.2g} s: {}", index, plan.track_id, failed.attempt,
                     kRetries, seconds, failed.reason);
    } else {
        spdlog::error("chunk {} of track {}: {}", index, plan.track_id, failed.reason);
    }
    events_.publish("chunkFailed", {{"trackId", plan.track_id},
                                    {"recipeId", plan.recipe_id},
                                    {"chunkIndex", index},
                                    {"attempts", attempts},
                                    {"retryInSeconds", std::move(retry_in)},
                                    {"error", failed.reason}});
    on_change_();
}

void RenderLog::chunk_fell_back(const RenderPlan& plan, std::int64_t index, Quality quality) {
    {
        const thread::MutexLock lock(mutex_);
        touch(plan).chunks[static_cast<std::size_t>(index)].fallback = quality_name(quality);
        ++counts_.fallbacks;
    }
    spdlog::warn("chunk {} of track {}: listeners get it {}", index, plan.track_id, quality_name(quality));
    on_change_();
}

void RenderLog::chunk_dropped(const RenderPlan&, std::int64_t) {
    {
        const thread::MutexLock lock(mutex_);
        ++counts_.dropped;
    }
    on_change_();
}

void RenderLog::tell_news(const RenderPlan& plan) {
    const thread::MutexLock lock(telling_);
    tell_partial_audio(plan);
    tell_progress(plan);
}

// In order: told once per chunk by which the ready beginning of the track grew.
void RenderLog::tell_partial_audio(const RenderPlan& plan) {
    std::int64_t before = 0;
    std::int64_t ready = 0;
    {
        const thread::MutexLock lock(mutex_);
        PlanRecord& record = touch(plan);
        before = ready = record.contiguous;
        while (ready < plan.grid.chunk_count() && cache_.contains(plan.key(ready))) ++ready;
        record.contiguous = ready;
    }
    if (ready <= before) return;
    const double seconds = static_cast<double>(plan.grid.span(ready - 1).body_end) / plan.media.sample_rate_hz;
    events_.publish("partialAudio", {{"trackId", plan.track_id},
                                     {"recipeId", plan.recipe_id},
                                     {"readySeconds", seconds},
                                     {"availableChunks", ready},
                                     {"lastContiguousIndex", ready - 1},
                                     {"totalChunks", plan.grid.chunk_count()},
                                     {"url", stream_url(plan) + "&available=true"}});
}

void RenderLog::tell_progress(const RenderPlan& plan) {
    const std::int64_t total = plan.grid.chunk_count();
    std::int64_t completed = 0;
    for (std::int64_t n = 0; n < total; ++n) completed += cache_.contains(plan.key(n)) ? 1 : 0;
    std::int64_t failed = 0;
    double eta_seconds = 0.0;
    bool newly_complete = false;
    {
        const thread::MutexLock lock(mutex_);
        PlanRecord& record = touch(plan);
        newly_complete = completed == total && !record.complete;
        record.complete = completed == total;
        const bool soon = record.last_updated_unix_s - record.last_progress_unix_s < kProgressIntervalSeconds;
        if (soon && !newly_complete) return;
        record.last_progress_unix_s = record.last_updated_unix_s;
        for (const ChunkRecord& chunk : record.chunks) failed += chunk.error.empty() ? 0 : 1;
        if (record.rendered > 0) {
            eta_seconds =
                record.rendered_seconds / static_cast<double>(record.rendered) * static_cast<double>(total - completed);
        }
    }
    const double progress = static_cast<double>(completed) / static_cast<double>(total);
    const server::Json state = {
        {"trackId", plan.track_id},     {"recipeId", plan.recipe_id},     {"progress", progress},
        {"uploadProgress", 1.0},        {"processingProgress", progress}, {"uploadedParts", 0},
        {"completedChunks", completed}, {"failedChunks", failed},         {"etaSeconds", eta_seconds}};
    events_.publish("progressUpdate", state);
    if (newly_complete) {
        events_.publish("finalResult", {{"trackId", plan.track_id},
                                        {"recipeId", plan.recipe_id},
                                        {"status", "complete"},
                                        {"totalChunks", total},
                                        {"url", stream_url(plan)}});
    }
}

}  // namespace lacquer
