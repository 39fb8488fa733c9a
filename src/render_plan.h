// Everything that a chunk is a function of: chunk = render(content, recipe, index). Immutable; a stream, its look-ahead
// and the background work on the same track share one plan, which is why it travels as shared_ptr<const RenderPlan>.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "cache/chunk_cache.h"
#include "dsp/chunk_grid.h"
#include "dsp/quantiser.h"
#include "dsp/recipe.h"
#include "src/media/decoder.h"
#include "src/wav_header.h"

namespace lacquer {

// The file as it was when its content id was taken; a worker refuses a file that is no longer this one.
struct SourceFile {
    std::filesystem::path path;
    std::uint64_t size_bytes = 0;
    std::int64_t mtime_ns = 0;
};
// Throws media::DecodeError when the file cannot be looked at.
SourceFile look_at(const std::filesystem::path& path);

struct RenderPlan {
    std::int64_t track_id = 0;  // for events and logs only: not part of the key
    SourceFile source;
    std::string content_id;
    media::MediaInfo media;
    dsp::Recipe recipe;
    std::string recipe_id;
    bool provisional = false;  // the recipe comes from a provisional profile
    dsp::ChunkGrid grid;
    std::string engine_id;  // render version, grid, decoder
    dsp::SampleFormat format = dsp::SampleFormat::s16;
    std::string fingerprint{};  // hex; equal for plans that give equal bytes; set by make_plan()

    std::uint32_t channels() const noexcept { return media.channels; }
    bool dither() const noexcept;  // false where the source comes out bit for bit, and for float
    WavShape wav_shape() const noexcept;
    // First 8 bytes: chunk_owner(); last 8: the fingerprint and the index.
    cache::ChunkKey key(std::int64_t index) const;
};
using PlanPtr = std::shared_ptr<const RenderPlan>;
PlanPtr make_plan(RenderPlan plan);  // fills in the fingerprint

// The render version: changed by whoever changes a byte of what is rendered.
inline constexpr int kRenderVersion = 2;
std::string engine_id(const dsp::GridSettings& grid, const media::MediaInfo& media);

// What all chunks of one content on one engine share, whatever their recipe and format: tells whose they are.
std::uint64_t chunk_owner(std::string_view content_id, std::string_view engine_id);
std::uint64_t chunk_owner(const cache::ChunkKey& key);

// Frames that a listener is promised: what can be decoded, then silence up to what the header says.
inline std::int64_t served_frames(const media::MediaInfo& media) noexcept {
    return std::max(media.frame_count, media.promised_frames);
}

// Where the parts of a chunk lie in its bytes: head as float32, middle in the served format, tail as float32,
// interleaved.
struct ChunkLayout {
    dsp::ChunkSpan span;
    std::uint64_t frame_bytes = 0;        // in the middle
    std::uint64_t float_frame_bytes = 0;  // in head and tail

    std::uint64_t head_bytes() const noexcept {
        return static_cast<std::uint64_t>(span.head_frames()) * float_frame_bytes;
    }
    std::uint64_t middle_bytes() const noexcept {
        return static_cast<std::uint64_t>(span.middle_frames()) * frame_bytes;
    }
    std::uint64_t tail_bytes() const noexcept {
        return static_cast<std::uint64_t>(span.tail_frames()) * float_frame_bytes;
    }
    std::uint64_t tail_offset() const noexcept { return head_bytes() + middle_bytes(); }
    std::uint64_t total_bytes() const noexcept { return tail_offset() + tail_bytes(); }
};
ChunkLayout chunk_layout(const RenderPlan& plan, std::int64_t index);

}  // namespace lacquer
