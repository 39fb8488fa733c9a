// One unbroken stretch of sound as the device takes it: from some place in a track to its end, and on into the next
// ones without a gap. At the device's rate and channels; converted by one resampler from beginning to end, and only
// where the rates differ.
//
// Places in a track are counted in frames of the device: frame k of the track as a conversion from its beginning gives
// it. A run that begins at k gives the same frames from there on, bit for bit, as one that began earlier in the track;
// where it went on into the track from the one before, the same but for less than a frame of time.
//
// Threads: belongs to one. Memory: a stream, a converter, two blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "dsp/resampler.h"
#include "src/player/plan_reader.h"
#include "src/player/voice.h"

namespace lacquer::player {

struct RunFormat {
    std::uint32_t sample_rate_hz = 0;
    std::size_t channels = 2;  // [1, 2]
    dsp::Resampler::Quality quality = dsp::Resampler::Quality::best;
};

// Frames of the device that the track lasts.
std::int64_t length_in(const RunFormat& format, const PlayableTrack& track);

class Run {
public:
    // `first_frame` of [0, length_in(...)].
    Run(ChunkService& chunks, const RunFormat& format, const PlayableTrack& track, const Voice& voice,
        std::int64_t first_frame);

    // Frames, at least one, waiting for it; 0 when `go_on` said no, and where the track has nothing more to give by
    // itself: ends_here(). Throws ChunkError, WorkRefused.
    std::size_t read(std::span<float> out, const std::function<bool()>& go_on);
    // All of the track was read: go_on_with() another one, or finish().
    bool ends_here() const noexcept { return !finishing_ && !ending_ && reader_->at_end() && input_.empty(); }
    // The track ends where reading it has come to: the rest of it cannot be had.
    void skip_rest() noexcept { reader_->skip_rest(); }
    // The track that follows, from its first frame, which is so many frames of the device away. Only when ends_here().
    std::size_t go_on_with(const PlayableTrack& track, const Voice& voice);
    void finish() noexcept { finishing_ = true; }  // read() gives what the converter still holds
    bool finished() const noexcept { return finishing_ && drained_; }

private:
    // A converter and what has gone through it.
    struct Conversion {
        dsp::Resampler resampler;
        dsp::Resampler::Rates rates;
        std::size_t skip_frames = 0;  // before the first frame that is wanted
        std::int64_t consumed_frames = 0;
        std::int64_t produced_frames = 0;
        std::size_t frames_to_come() const {
            const std::int64_t all = dsp::Resampler::out_frames(consumed_frames, rates);
            return static_cast<std::size_t>(all - produced_frames) - skip_frames;
        }
    };

    void begin(const PlayableTrack& track, const Voice& voice, std::int64_t first_frame);
    bool read_input(const std::function<bool()>& go_on);
    std::size_t read_plain(std::span<float> out, const std::function<bool()>& go_on);
    std::size_t read_converted(std::span<float> out, const std::function<bool()>& go_on);
    std::size_t read_tail(Conversion& conversion, std::span<float> out);
    std::size_t without_skipped(Conversion& conversion, std::span<float> out, std::size_t frames) const;

    ChunkService& chunks_;
    const RunFormat format_;
    std::optional<PlanReader> reader_;
    std::optional<Conversion> conversion_;  // nullopt: the track has the device's rate
    std::optional<Conversion> ending_;      // of the track before, which had another rate: its tail comes first
    std::vector<float> raw_;                // a block in the track's channels
    std::vector<float> block_;              // the same in the device's
    std::span<const float> input_;          // of block_, not yet converted
    bool finishing_ = false;
    bool drained_ = false;
};

}  // namespace lacquer::player
