#include "src/chunk_renderer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "dsp/enhancer.h"
#include "src/source_watch.h"

namespace lacquer {
namespace {

constexpr std::size_t kBlockFrames = 1024;
constexpr double kSafeGain = 0.891;  // -1 dB

// The source from one frame on, for ever: what the file does not hold is silence.
class PaddedSource {
public:
    virtual ~PaddedSource() = default;
    PaddedSource(const RenderPlan& plan, std::int64_t first_frame, const media::OpenDecoder& open)
        : watch_(plan.source), decoded_end_(first_frame) {
        decoder_ = open(plan.source.path, plan.media);
        watch_.check_path();
        if (first_frame >= plan.media.frame_count) {
            decoder_.reset();
        } else if (first_frame > 0) {
            decoder_->seek(first_frame);
        }
    }

    // Frames that were in the file; the rest of `out` is untouched.
    std::size_t read(dsp::AudioBlock out) {
        std::size_t filled = 0;
        while (decoder_ && filled < out.frame_count) {
            const std::size_t got = decoder_->read(out.slice(filled, out.frame_count - filled));
            if (got == 0) decoder_.reset();
            filled += got;
        }
        watch_.check_content();
        decoded_end_ += static_cast<std::int64_t>(filled);
        return filled;
    }
    std::int64_t decoded_end() const { return decoded_end_; }

private:
    const SourceWatch watch_;
    std::unique_ptr<media::Decoder> decoder_;  // null from the end of the file on
    std::int64_t decoded_end_;                 // frame of the track
};

// Frames of the track from one on, for ever.
using ReadFrames = std::function<std::size_t(dsp::AudioBlock)>;

struct Chain {
    std::int64_t begin = 0;  // the frame that the first one read stands for
    std::size_t latency_frames = 0;
    std::function<void(dsp::AudioBlock)> process;
};

void run(const RenderPlan& plan, const dsp::ChunkSpan& span, const Chain& chain, const ReadFrames& read,
         const std::function<bool()>& go_on, FrameSink& sink) {
    dsp::AudioBuffer buffer(plan.channels(), kBlockFrames);
    // Frame of the track that the next frame out of the chain stands for.
    std::int64_t frame = chain.begin - static_cast<std::int64_t>(chain.latency_frames);
    while (frame < span.end) {
        if (!go_on()) throw RenderCancelled();
        const std::size_t filled = read(buffer.block());
        for (std::size_t c = 0; c < plan.channels(); ++c) {
            std::fill(buffer.block().channels[c] + filled, buffer.block().channels[c] + kBlockFrames, 0.0f);
        }
        chain.process(buffer.block());
        const std::int64_t first = std::max(frame, span.begin);
        const std::int64_t last = std::min(frame + static_cast<std::int64_t>(kBlockFrames), span.end);
        if (first < last) {
            sink.write(
                buffer.block().slice(static_cast<std::size_t>(first - frame), static_cast<std::size_t>(last - first)),
                first);
        }
        frame += static_cast<std::int64_t>(kBlockFrames);
    }
}

// Everything that moves the spectrum, the dynamics or the image is out; what sets the level stays.
dsp::Recipe neutral(const dsp::Recipe& recipe) {
    if (recipe.bypass) return recipe;
    dsp::Recipe flat = dsp::neutral_recipe(recipe.sample_rate_hz, recipe.channel_count);
    flat.trim = recipe.trim;
    flat.level = recipe.level;
    return flat;
}

void enhance(const RenderPlan& plan, const dsp::Recipe& recipe, const dsp::ChunkSpan& span,
             const RenderControl& control, PaddedSource& source, FrameSink& sink) {
    dsp::Enhancer enhancer(recipe, span.context_begin);
    const Chain chain{span.context_begin, enhancer.latency_frames(),
                      [&](dsp::AudioBlock block) { enhancer.process(block); }};
    run(
        plan, span, chain, [&](dsp::AudioBlock block) { return source.read(block); }, control.go_on, sink);
}

// NaN and what no ear should meet are silence here as everywhere.
void scale(dsp::AudioBlock block, float gain) {
    for (std::size_t c = 0; c < block.channel_count; ++c) {
        for (float& sample : block.channel(c)) {
            const float scaled = sample * gain;
            sample = std::abs(scaled) <= 1.0f                  ? scaled
                     : std::abs(scaled) <= dsp::kLoudestSample ? std::copysign(1.0f, scaled)
                                                               : 0.0f;
        }
    }
}

// What can be read, and silence behind it. Only a file that is another one by now is an error.
void plain(const RenderPlan& plan, const dsp::ChunkSpan& span, const RenderControl& control, FrameSink& sink) {
    std::optional<PaddedSource> source;
    const auto unless_changed = [&](const auto& action) -> std::size_t {
        try {
            return action();
        } catch (const SourceChanged&) {
            throw;
        } catch (const media::DecodeError&) {
            source.reset();
            return 0;
        }
    };
    unless_changed([&] {
        source.emplace(plan, span.begin, control.open);
        return std::size_t{0};
    });
    const ReadFrames read = [&](dsp::AudioBlock block) {
        return source ? unless_changed([&] { return source->read(block); }) : 0;
    };
    const double gain = plan.recipe.bypass ? 1.0 : std::min(kSafeGain, plan.recipe.trim * plan.recipe.level.gain);
    run(plan, span, {span.begin, 0, [&](dsp::AudioBlock block) { scale(block, static_cast<float>(gain)); }}, read,
        control.go_on, sink);
}

void silent(const RenderPlan& plan, const dsp::ChunkSpan& span, const RenderControl& control, FrameSink& sink) {
    run(
        plan, span, {span.begin, 0, [](dsp::AudioBlock) {}}, [](dsp::AudioBlock) { return std::size_t{0}; },
        control.go_on, sink);
}

}  // namespace

const char* quality_name(Quality quality) {
    switch (quality) {
        case Quality::enhanced:
            return "enhanced";
        case Quality::neutral:
            return "neutral";
        case Quality::plain:
            return "plain";
        case Quality::silent:
            break;
    }
    return "silent";
}

RenderReport render_chunk(const RenderPlan& plan, const dsp::ChunkSpan& span, const RenderControl& control,
                          FrameSink& sink) {
    const auto started = std::chrono::steady_clock::now();
    RenderReport report;
    if (control.quality == Quality::silent) {
        silent(plan, span, control, sink);
    } else if (control.quality == Quality::plain) {
        plain(plan, span, control, sink);
    } else {
        PaddedSource source(plan, span.context_begin, control.open);
        const bool is_enhanced = control.quality == Quality::enhanced;
        enhance(plan, is_enhanced ? plan.recipe : neutral(plan.recipe), span, control, source, sink);
        report.silent_frames = span.end - std::clamp(source.decoded_end(), span.begin, span.end);
    }
    report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    return report;
}

}  // namespace lacquer
