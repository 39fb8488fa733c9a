#include "dsp/chunk_grid.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdio>
#include <stdexcept>

namespace lacquer::dsp {
namespace {

std::int64_t frames(double seconds, std::uint32_t sample_rate_hz) {
    return std::llround(seconds * sample_rate_hz);
}

void check(const char* name, double seconds, double least, double most) {
    if (seconds >= least && seconds <= most) return;
    char text[96];
    std::snprintf(text, sizeof text, "%s is %g s; allowed: %g to %g s", name, seconds, least, most);
    throw std::invalid_argument(text);
}

}  // namespace

ChunkGrid::ChunkGrid(const GridSettings& settings, std::uint32_t sample_rate_hz, std::int64_t frame_count)
    : sample_rate_hz_(sample_rate_hz), frame_count_(frame_count) {
    check("chunk.body", settings.body_seconds, 5, 120);
    check("chunk.overlap", settings.overlap_seconds, 0, 5);
    check("chunk.context", settings.context_seconds, 0, 30);
    if (sample_rate_hz == 0) throw std::invalid_argument("the sample rate is 0");
    if (frame_count < 0) throw std::invalid_argument("the frame count is negative");
    body_frames_ = frames(settings.body_seconds, sample_rate_hz);
    overlap_frames_ = frames(settings.overlap_seconds, sample_rate_hz);
    context_frames_ = frames(settings.context_seconds, sample_rate_hz);
    chunk_count_ = (frame_count + body_frames_ - 1) / body_frames_;
    const std::int64_t remainder = frame_count - (chunk_count_ - 1) * body_frames_;
    if (chunk_count_ > 1 && remainder < overlap_frames_) --chunk_count_;
}

ChunkGrid ChunkGrid::whole(std::uint32_t sample_rate_hz, std::int64_t frame_count) {
    ChunkGrid grid;
    grid.sample_rate_hz_ = sample_rate_hz;
    grid.frame_count_ = frame_count;
    grid.body_frames_ = std::max<std::int64_t>(1, frame_count);
    grid.chunk_count_ = frame_count > 0 ? 1 : 0;
    return grid;
}

std::int64_t ChunkGrid::chunk_at(std::int64_t frame) const noexcept {
    assert(frame >= 0 && frame < frame_count_);
    return std::min(frame / body_frames_, chunk_count_ - 1);
}

ChunkSpan ChunkGrid::span(std::int64_t index) const noexcept {
    assert(index >= 0 && index < chunk_count_);
    const bool first = index == 0;
    const bool last = index == chunk_count_ - 1;
    ChunkSpan span;
    span.index = index;
    span.begin = index * body_frames_;
    span.context_begin = std::max<std::int64_t>(0, span.begin - context_frames_);
    span.middle_begin = first ? 0 : span.begin + overlap_frames_;
    span.body_end = last ? frame_count_ : span.begin + body_frames_;
    span.end = last ? frame_count_ : span.body_end + overlap_frames_;
    return span;
}

std::string grid_id(const GridSettings& settings) {
    char text[96];
    std::snprintf(text, sizeof text, "grid=%.17g/%.17g/%.17g", settings.body_seconds, settings.overlap_seconds,
                  settings.context_seconds);
    return text;
}

}  // namespace lacquer::dsp
