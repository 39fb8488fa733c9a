// Writes frames into a growing chunk as its layout says: head and tail as float, the middle quantised. It outlives a
// render that fails: the next one begins again, and what the chunk already has of it is passed over, because it is the
// same.
//
// Threads: one at a time.
#pragma once

#include <array>

#include "src/chunk_renderer.h"
#include "src/growing_chunk.h"
#include "src/render_plan.h"

namespace lacquer {

class ChunkEncoder : public FrameSink {
public:
    ChunkEncoder(const RenderPlan& plan, std::int64_t index, GrowingChunk& chunk);

    void write(dsp::ConstAudioBlock block, std::int64_t first_frame) override;
    // What follows was rendered in another way than what the chunk already has: the step between the two, where there
    // is one, is spread over 10 ms.
    void splice() { splicing_ = next_frame_ > span_.begin; }

private:
    void note_step(dsp::ConstAudioBlock block, std::int64_t first_frame);
    void encode(dsp::ConstAudioBlock block);
    void encode_smoothed(dsp::ConstAudioBlock block);

    const RenderPlan& plan_;
    const dsp::ChunkSpan span_;
    GrowingChunk& chunk_;
    std::int64_t next_frame_;                      // of the track; the chunk has everything before it
    std::array<float, dsp::kMaxChannels> last_{};  // the frame before next_frame_, as the chunk has it
    std::array<float, dsp::kMaxChannels> step_{};  // from what follows to what the chunk has, at the splice
    bool splicing_ = false;
    std::int64_t smoothed_frames_ = 0, smooth_frames_;  // of the 10 ms after a splice
};

}  // namespace lacquer
