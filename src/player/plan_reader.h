// The frames of a voice from one place on, as floats, out of the chunk service.
//
// Threads: belongs to one. Memory: as Stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "src/player/voice.h"
#include "src/stream.h"

namespace lacquer::player {

class PlanReader {
public:
    // `first_frame` of [0, length_frames()], at the track's own rate.
    PlanReader(ChunkService& chunks, const Voice& voice, std::int64_t first_frame);

    std::size_t channels() const noexcept { return channels_; }
    std::int64_t length_frames() const noexcept { return length_frames_; }
    bool at_end() const noexcept { return frame_ == length_frames_; }
    void skip_rest() noexcept { frame_ = length_frames_; }
    // Whole interleaved frames, at least one, waiting for it; 0 at the end, and when `go_on` said no while it waited.
    // Throws ChunkError, WorkRefused.
    std::size_t read(std::span<float> out, const std::function<bool()>& go_on);

private:
    const std::size_t channels_;
    const std::int64_t length_frames_;
    const float gain_;
    Stream stream_;
    std::int64_t frame_;
};

}  // namespace lacquer::player
