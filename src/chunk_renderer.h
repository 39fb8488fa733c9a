// Renders one chunk: decode with context -> dsp/enhancer -> the frames of head, middle and tail, in order, before
// quantising. This is the pure function everything rests on: what comes out depends on (plan, span) alone.
//
// Threads: render() may run on many threads at once. Memory per run: a decoder, an enhancer, one block.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <stop_token>

#include "dsp/audio_block.h"
#include "src/growing_chunk.h"
#include "src/render_plan.h"

namespace lacquer {

class FrameSink {
public:
    virtual ~FrameSink() = default;
    virtual void write(dsp::ConstAudioBlock block, std::int64_t first_frame) = 0;
};

// The work was asked to stop before it was done.
class RenderCancelled : public std::runtime_error {
public:
    RenderCancelled() : std::runtime_error("cancelled") {}
};

struct RenderReport {
    std::int64_t silent_frames = 0;  // of the span: promised by the header, not in the file, served as silence
    double seconds = 0.0;
};

// Hands `sink` exactly the frames [span.begin, span.end). Throws media::DecodeError when the source cannot be read or
// is no longer the file of the plan when the render begins or ends, RenderCancelled when `stop` is requested.
RenderReport render_chunk(const RenderPlan& plan, const dsp::ChunkSpan& span, std::stop_token stop, FrameSink& sink);

// Writes frames into a growing chunk as its layout says: head and tail as float, the middle quantised.
class ChunkEncoder : public FrameSink {
public:
    ChunkEncoder(const RenderPlan& plan, std::int64_t index, GrowingChunk& chunk)
        : plan_(plan), span_(plan.grid.span(index)), chunk_(chunk) {}
    void write(dsp::ConstAudioBlock block, std::int64_t first_frame) override;

private:
    const RenderPlan& plan_;
    const dsp::ChunkSpan span_;
    GrowingChunk& chunk_;
};

}  // namespace lacquer
