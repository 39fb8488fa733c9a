#include "src/chunk_renderer.h"

#include <algorithm>
#include <chrono>
#include <memory>

#include "dsp/enhancer.h"

namespace lacquer {
namespace {

constexpr std::size_t kBlockFrames = 1024;

// The source from one frame on, for ever: what the file does not hold is silence.
class PaddedSource {
public:
    PaddedSource(const RenderPlan& plan, std::int64_t first_frame)
        : file_(plan.source), decoder_(media::open_decoder(file_.path, plan.media)), decoded_end_(first_frame) {
        check_unchanged();
        decodable_ = first_frame < plan.media.frame_count;
        if (decodable_ && first_frame > 0) decoder_->seek(first_frame);
    }

    void read(dsp::AudioBlock out) {
        std::size_t filled = 0;
        while (decodable_ && filled < out.frame_count) {
            const std::size_t got = decoder_->read(out.slice(filled, out.frame_count - filled));
            decodable_ = got > 0;
            filled += got;
        }
        for (std::size_t c = 0; c < out.channel_count; ++c) {
            std::fill(out.channels[c] + filled, out.channels[c] + out.frame_count, 0.0f);
        }
        decoded_end_ += static_cast<std::int64_t>(filled);
    }
    // Throws media::DecodeError when the file is no longer the one of the plan.
    void check_unchanged() const {
        const SourceFile now = look_at(file_.path);
        if (now.size_bytes != file_.size_bytes || now.mtime_ns != file_.mtime_ns) {
            throw media::DecodeError("the file changed while it was played");
        }
    }
    std::int64_t decoded_end() const { return decoded_end_; }

private:
    const SourceFile file_;
    std::unique_ptr<media::Decoder> decoder_;
    std::int64_t decoded_end_;  // frame of the track
    bool decodable_ = true;
};

}  // namespace

RenderReport render_chunk(const RenderPlan& plan, const dsp::ChunkSpan& span, std::stop_token stop, FrameSink& sink) {
    const auto started = std::chrono::steady_clock::now();
    PaddedSource source(plan, span.context_begin);
    dsp::Enhancer enhancer(plan.recipe, span.context_begin);
    dsp::AudioBuffer buffer(plan.channels(), kBlockFrames);
    // Frame of the track that the next frame out of the enhancer stands for.
    std::int64_t frame = span.context_begin - static_cast<std::int64_t>(enhancer.latency_frames());
    while (frame < span.end) {
        if (stop.stop_requested()) throw RenderCancelled();
        source.read(buffer.block());
        enhancer.process(buffer.block());
        const std::int64_t first = std::max(frame, span.begin);
        const std::int64_t last = std::min(frame + static_cast<std::int64_t>(kBlockFrames), span.end);
        if (first < last) {
            sink.write(
                buffer.block().slice(static_cast<std::size_t>(first - frame), static_cast<std::size_t>(last - first)),
                first);
        }
        frame += static_cast<std::int64_t>(kBlockFrames);
    }
    source.check_unchanged();
    const std::int64_t silent_frames = span.end - std::clamp(source.decoded_end(), span.begin, span.end);
    return {silent_frames, std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count()};
}

void ChunkEncoder::write(dsp::ConstAudioBlock block, std::int64_t first_frame) {
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
}

}  // namespace lacquer
