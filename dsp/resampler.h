// Audio at another sample rate: one stream, one direction, one constant ratio.
//
// Method:  windowed-sinc interpolation, libsamplerate's SRC_SINC_* converters. Measured at 44.1 -> 48 kHz, stereo
//          (bench/resampler_bench.cpp, tests/dsp/resampler_test.cpp): error of a sine at 1 / 15 kHz, where the filter
//          is 0.1 dB down, and what it costs is in the table of docs/benchmarks.
// Time:    output frame k stands for the input's time k x in / out: there is no delay to make up for, only look-ahead.
//          N input frames make ceil(N x out / in) output frames, exactly: all that lie before the input's end.
// Cuts:    the output does not depend on how the input is cut, nor on how much room there is for the output.
// Restart: a run that begins at a multiple of block_in_frames() of the input has its output frames where a run from
//          frame 0 has them; once pre_roll_frames() have passed they are the same bits. start_at() works it out. (The
//          position is kept in double: a run of many hours may differ from one begun later in the last bit.)
// Threads: not thread-safe; one instance per run.
// Memory:  allocated by the constructor; process() and finish() touch only that.
// Latency: output frame k is there once look_ahead_frames() of input beyond its time have been given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "dsp/realtime.h"

struct SRC_STATE_tag;

namespace lacquer::dsp {

class Resampler {
public:
    enum class Quality { best, medium, fastest };
    struct Rates {
        std::uint32_t in_hz = 0;
        std::uint32_t out_hz = 0;
    };
    struct Progress {  // frames
        std::size_t consumed = 0;
        std::size_t produced = 0;
    };
    struct Start {  // frames
        std::int64_t in_frame = 0;
        std::size_t skip_out = 0;
    };

    // Throws std::invalid_argument when a rate is outside [8000, 384000] Hz or channel_count is not 1 or 2.
    Resampler(Quality quality, Rates rates, std::size_t channel_count);

    // Interleaved. Takes from `in` and fills `out` until one of them is done with; what was not consumed is to be given
    // again. FIR: a NaN is forgotten after twice the look-ahead.
    Progress process(std::span<const float> in, std::span<float> out) LACQUER_REALTIME;
    // The tail, after the last process(): frames written; 0: that was all. Only reset() may follow.
    std::size_t finish(std::span<float> out) LACQUER_REALTIME;
    // As if new.
    void reset() LACQUER_REALTIME;

    static std::int64_t out_frames(std::int64_t in_frames, Rates rates);  // ceil
    // The shortest stretches of both sides that last equally long. At most the rates themselves: 44101 -> 48000 Hz has
    // blocks of one second.
    static std::size_t block_in_frames(Rates rates);
    static std::size_t block_out_frames(Rates rates);
    static std::size_t look_ahead_frames(Quality quality, Rates rates);  // of the input
    static std::size_t pre_roll_frames(Quality quality, Rates rates);    // of the input; whole blocks
    // How to get the output from `out_frame` on, as a run from frame 0 would give it: begin reading the input at
    // `in_frame`, throw the first `skip_out` frames away.
    static Start start_at(std::int64_t out_frame, Quality quality, Rates rates);

private:
    struct Deleter {
        void operator()(SRC_STATE_tag* state) const noexcept;
    };
    Rates rates_;
    std::size_t channels_;
    std::int64_t consumed_ = 0;
    std::int64_t produced_ = 0;
    std::unique_ptr<SRC_STATE_tag, Deleter> state_;

    Progress convert(std::span<const float> in, std::span<float> out) LACQUER_REALTIME;
};

}  // namespace lacquer::dsp
