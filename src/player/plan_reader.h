// The frames of a voice from one place on, as floats, out of the chunk service.
//
// Threads: belongs to one. Memory: as Stream.
#pragma once

#include <array>
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
    bool at_end() const noexcept { return frame_ == length_frames_ && fading_frames_ == 0; }
    // What was not read is not there: what was read last dies away in kFadeSeconds, without a click, and that is the
    // end.
    void skip_rest() noexcept;
    // Whole interleaved frames, at least one, waiting for it; 0 at the end, and when `go_on` said no while it waited.
    // Throws ChunkError, WorkRefused.
    std::size_t read(std::span<float> out, const std::function<bool()>& go_on);

    static constexpr double kFadeSeconds = 0.005;

private:
    std::size_t read_stream(std::span<float> out, const std::function<bool()>& go_on);
    std::size_t read_fade(std::span<float> out) noexcept;

    const std::size_t channels_;
    const std::int64_t length_frames_;
    const float gain_;
    Stream stream_;
    std::int64_t frame_;
    const std::size_t fade_frames_;
    std::size_t fading_frames_ = 0;  // still to be read
    std::array<float, 2> last_{};    // frame that was read; fades
};

}  // namespace lacquer::player
