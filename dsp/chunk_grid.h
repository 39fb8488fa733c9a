// Where chunks begin and end. A track is cut into bodies of equal length; each chunk is rendered with context before
// its body and a tail beyond it, and the tail is faded into the head of the next chunk:
//
//     chunk n     [ context | head |        middle         | tail ]
//     chunk n+1                              [   context   | head |        middle ...
//     served      ...  middle of n           | tail of n x head of n+1 | middle of n+1 ...
//
// A last remainder shorter than the tail belongs to the chunk before it, so a tail always meets a whole head.
#pragma once

#include <cstdint>
#include <string>

namespace lacquer::dsp {

struct GridSettings {
    double body_seconds = 30.0;    // [5, 120]
    double overlap_seconds = 1.0;  // [0, 5]
    double context_seconds = 5.0;  // [1, 30]; 0 is accepted for the negative control of the seam tests
};

// Frames of the track, half-open: head [begin, middle_begin), middle [middle_begin, body_end), tail [body_end, end).
struct ChunkSpan {
    std::int64_t index = 0;
    std::int64_t context_begin = 0;  // first frame to decode
    std::int64_t begin = 0;
    std::int64_t middle_begin = 0;  // == begin for the first chunk
    std::int64_t body_end = 0;
    std::int64_t end = 0;  // == body_end for the last chunk

    std::int64_t head_frames() const noexcept { return middle_begin - begin; }
    std::int64_t middle_frames() const noexcept { return body_end - middle_begin; }
    std::int64_t tail_frames() const noexcept { return end - body_end; }
};

class ChunkGrid {
public:
    // Throws std::invalid_argument naming the setting when one is outside its range, or when frame_count is negative.
    ChunkGrid(const GridSettings& settings, std::uint32_t sample_rate_hz, std::int64_t frame_count);
    // One chunk over everything: the reference that chunked rendering is compared with.
    static ChunkGrid whole(std::uint32_t sample_rate_hz, std::int64_t frame_count);

    std::int64_t frame_count() const noexcept { return frame_count_; }
    std::uint32_t sample_rate_hz() const noexcept { return sample_rate_hz_; }
    std::int64_t chunk_count() const noexcept { return chunk_count_; }  // 0 for an empty track
    std::int64_t chunk_at(std::int64_t frame) const noexcept;  // of the body that holds `frame` of [0, frame_count)
    ChunkSpan span(std::int64_t index) const noexcept;         // index of [0, chunk_count)

private:
    ChunkGrid() = default;
    std::uint32_t sample_rate_hz_ = 0;
    std::int64_t frame_count_ = 0;
    std::int64_t body_frames_ = 1;
    std::int64_t overlap_frames_ = 0;
    std::int64_t context_frames_ = 0;
    std::int64_t chunk_count_ = 0;
};

// The settings as they stand in the engine id: two grids never share a chunk.
std::string grid_id(const GridSettings& settings);

}  // namespace lacquer::dsp
