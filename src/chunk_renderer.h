// Renders one chunk: decode with context -> dsp/enhancer -> the frames of head, middle and tail, in order, before
// quantising. This is the pure function everything rests on: what comes out depends on (plan, span) alone.
//
// Threads: everything here may run on many threads at once. Memory per run: a decoder, an enhancer, one block.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>

#include "dsp/audio_block.h"
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

// What a listener gets for a chunk. All but the first are fallbacks, each for when the one before it cannot be had.
enum class Quality {
    enhanced,
    neutral,  // flat, ratio 1, width 1; the same crossovers, gain and limiter, so that a fade into it does not comb
    plain,    // the source at a gain that leaves its peaks alone; silence where it cannot be read
    silent,
};
const char* quality_name(Quality quality);

struct RenderControl {
    Quality quality = Quality::enhanced;
    std::function<bool()> go_on = [] { return true; };  // asked for every block; false ends the render
    media::OpenDecoder open = media::real_decoders();
};

struct RenderReport {
    std::int64_t silent_frames = 0;  // of the span: promised by the header, not in the file, served as silence
    double seconds = 0.0;
};

// Hands `sink` exactly the frames [span.begin, span.end), never one that was read from another file than the plan's.
// Throws SourceChanged when the file is another one by now, media::DecodeError when it cannot be read, RenderCancelled.
RenderReport render_chunk(const RenderPlan& plan, const dsp::ChunkSpan& span, const RenderControl& control,
                          FrameSink& sink);

}  // namespace lacquer
