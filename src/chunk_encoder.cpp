#include "src/chunk_encoder.h"

#include <algorithm>

#include "dsp/quantiser.h"

namespace lacquer {

ChunkEncoder::ChunkEncoder(const RenderPlan& plan, std::int64_t index, GrowingChunk& chunk)
    : plan_(plan),
      span_(plan.grid.span(index)),
      chunk_(chunk),
      next_frame_(span_.begin),
      smooth_frames_(plan.media.sample_rate_hz / 100) {}

void ChunkEncoder::write(dsp::ConstAudioBlock block, std::int64_t first_frame) {
    const std::int64_t known = next_frame_ - first_frame;
    if (known > 0) {
        const auto count = static_cast<std::size_t>(std::min<std::int64_t>(known, block.frame_count));
        if (splicing_) note_step(block, first_frame);
        block = block.slice(count, block.frame_count - count);
    }
    if (block.frame_count == 0) return;
    splicing_ ? encode_smoothed(block) : encode(block);
}

void ChunkEncoder::note_step(dsp::ConstAudioBlock block, std::int64_t first_frame) {
    const std::int64_t at = next_frame_ - 1 - first_frame;
    if (at >= static_cast<std::int64_t>(block.frame_count)) return;
    for (std::size_t c = 0; c < block.channel_count; ++c) {
        step_[c] = last_[c] - block.channels[c][at];
    }
    smoothed_frames_ = 0;
}

void ChunkEncoder::encode_smoothed(dsp::ConstAudioBlock block) {
    dsp::AudioBuffer smooth(block.channel_count, block.frame_count);
    for (std::size_t i = 0; i < block.frame_count; ++i) {
        const std::int64_t left = std::max<std::int64_t>(0, smooth_frames_ - 1 - smoothed_frames_++);
        const float share = static_cast<float>(left) / static_cast<float>(smooth_frames_);
        for (std::size_t c = 0; c < block.channel_count; ++c) {
            smooth.block().channels[c][i] = block.channels[c][i] + share * step_[c];
        }
    }
    splicing_ = smoothed_frames_ < smooth_frames_;
    encode(smooth.block());
}

void ChunkEncoder::encode(dsp::ConstAudioBlock block) {
    const std::int64_t first_frame = next_frame_;
    const std::int64_t end = first_frame + static_cast<std::int64_t>(block.frame_count);
    const auto part = [&](std::int64_t from, std::int64_t to, dsp::SampleFormat format, bool dither) {
        const std::int64_t first = std::max(first_frame, from);
        const std::int64_t last = std::min(end, to);
        if (first >= last) return;
        const auto frames = static_cast<std::size_t>(last - first);
        const std::size_t bytes = frames * block.channel_count * dsp::bytes_per_sample(format);
        dsp::quantise(block.slice(static_cast<std::size_t>(first - first_frame), frames), first, format, dither,
                      chunk_.room().first(bytes));
        chunk_.appended(bytes);
    };
    part(span_.begin, span_.middle_begin, dsp::SampleFormat::f32, false);
    part(span_.middle_begin, span_.body_end, plan_.format, plan_.dither());
    part(span_.body_end, span_.end, dsp::SampleFormat::f32, false);
    for (std::size_t c = 0; c < block.channel_count; ++c) last_[c] = block.channels[c][block.frame_count - 1];
    next_frame_ = end;
}

}  // namespace lacquer
