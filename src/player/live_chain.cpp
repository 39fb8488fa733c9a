#include "src/player/live_chain.h"

#include <algorithm>
#include <stdexcept>

#include "dsp/crossfade.h"
#include "dsp/preset.h"
#include "dsp/stereo_block.h"

namespace lacquer::player {
namespace {

std::size_t frames_of(const LiveShape& shape, double seconds) {
    return static_cast<std::size_t>(seconds * shape.sample_rate_hz);
}

dsp::Recipe neutral(const LiveShape& shape) {
    return dsp::neutral_recipe(shape.sample_rate_hz, shape.input_channels);
}

dsp::Recipe first_recipe(const LiveShape& shape, const dsp::RecipeRequest& request) {
    dsp::Recipe recipe = neutral(shape);
    recipe.bypass = request.intensity == 0.0;
    return recipe;
}

// Of the chain with every stage in it that a recipe of this request may have.
std::size_t longest_latency(const LiveShape& shape, const dsp::RecipeRequest& request) {
    dsp::Recipe recipe = first_recipe(shape, request);
    const dsp::PresetId base = request.reference ? dsp::PresetId::adaptive : request.preset;
    recipe.saturation.amount = request.intensity * dsp::preset(base).saturation;
    return dsp::Enhancer(recipe, 0).latency_frames();
}

void keep_largest(std::atomic<float>& largest, double value) LACQUER_REALTIME {
    const auto rounded = static_cast<float>(value);
    if (rounded > largest.load(std::memory_order_relaxed)) largest.store(rounded, std::memory_order_relaxed);
}

}  // namespace

LiveChain::Path::Path(const dsp::Recipe& recipe, std::size_t latency_frames)
    : enhancer_(recipe, 0),
      delay_(recipe.channel_count, std::max<std::size_t>(1, latency_frames)),
      delay_frames_(latency_frames - enhancer_.latency_frames()) {
    if (enhancer_.latency_frames() > latency_frames) throw std::invalid_argument("latency_frames");
}

void LiveChain::Path::process(dsp::AudioBlock block) LACQUER_REALTIME {
    enhancer_.process(block);
    if (delay_frames_ == 0) return;
    for (std::size_t i = 0; i < block.frame_count; ++i) {
        for (std::size_t c = 0; c < block.channel_count; ++c) {
            std::swap(block.channels[c][i], delay_.block().channels[c][at_]);
        }
        at_ = at_ + 1 == delay_frames_ ? 0 : at_ + 1;
    }
}

LiveChain::LiveChain(const LiveShape& shape, const dsp::RecipeRequest& request)
    : shape_(shape),
      channels_(shape.input_channels),
      latency_frames_(longest_latency(shape, request)),
      warm_up_frames_(frames_of(shape, kWarmUpSeconds)),
      fade_frames_(frames_of(shape, kFadeSeconds)),
      current_(std::make_unique<Path>(first_recipe(shape, request), latency_frames_)),
      heard_(channels_, kPieceFrames),
      coming_(channels_, kPieceFrames),
      tap_(2 * channels_, frames_of(shape, kTapSeconds)) {}

LiveChain::~LiveChain() {
    delete incoming_.load();
    delete retired_.load();
}

bool LiveChain::offer(const dsp::Recipe& recipe) {
    if (!takes_offers()) return false;
    delete retired_.exchange(nullptr, std::memory_order_acquire);
    auto path = std::make_unique<Path>(recipe, latency_frames_);
    busy_.store(true, std::memory_order_relaxed);
    incoming_.store(path.release(), std::memory_order_release);
    return true;
}

dsp::GainReduction LiveChain::take_reduction() noexcept {
    return {static_cast<double>(compressor_db_.exchange(0.0f, std::memory_order_relaxed)),
            static_cast<double>(limiter_db_.exchange(0.0f, std::memory_order_relaxed))};
}

void LiveChain::process(const float* input, float* output, std::size_t frames) LACQUER_REALTIME {
    while (frames > 0) {
        begin_next();
        const std::size_t piece = next_piece(frames);
        take_input(input, piece);
        run(piece);
        give_output(output, piece);
        if (input != nullptr) input += piece * shape_.input_channels;
        output += piece * shape_.output_channels;
        position_ += piece;
        frames -= piece;
    }
    note_reduction();
}

// Up to where something begins or ends.
std::size_t LiveChain::next_piece(std::size_t frames) const LACQUER_REALTIME {
    std::size_t piece = std::min(frames, kPieceFrames);
    if (next_) {
        const std::size_t event = next_age_ < warm_up_frames_ ? warm_up_frames_ : warm_up_frames_ + fade_frames_;
        piece = std::min(piece, event - next_age_);
    } else if (incoming_.load(std::memory_order_relaxed) != nullptr) {
        piece = std::min<std::size_t>(piece, dsp::kGroupFrames - position_ % dsp::kGroupFrames);
    }
    return piece;
}

void LiveChain::begin_next() LACQUER_REALTIME {
    if (next_ || position_ % dsp::kGroupFrames != 0) return;
    next_.reset(incoming_.exchange(nullptr, std::memory_order_acquire));
    next_age_ = 0;
}

void LiveChain::take_input(const float* input, std::size_t frames) LACQUER_REALTIME {
    const dsp::AudioBlock block = heard_.block();
    for (std::size_t c = 0; c < channels_; ++c) {
        for (std::size_t i = 0; i < frames; ++i) {
            const float sample = input == nullptr ? 0.0f : input[i * channels_ + c];
            block.channels[c][i] = sample;
            tapped_[i * 2 * channels_ + c] = sample;
        }
        if (next_) std::copy_n(block.channels[c], frames, coming_.block().channels[c]);
    }
}

void LiveChain::run(std::size_t frames) LACQUER_REALTIME {
    const dsp::AudioBlock heard = heard_.block().slice(0, frames);
    current_->process(heard);
    if (!next_) return;
    const dsp::AudioBlock coming = coming_.block().slice(0, frames);
    next_->process(coming);
    if (next_age_ >= warm_up_frames_) {
        dsp::crossfade(heard, coming, static_cast<std::int64_t>(next_age_ - warm_up_frames_),
                       static_cast<std::int64_t>(fade_frames_), heard);
    }
    next_age_ += frames;
    if (next_age_ == warm_up_frames_ + fade_frames_) end_fade();
}

void LiveChain::end_fade() LACQUER_REALTIME {
    retired_.store(current_.release(), std::memory_order_relaxed);
    current_ = std::move(next_);
    busy_.store(false, std::memory_order_release);
}

void LiveChain::give_output(float* output, std::size_t frames) LACQUER_REALTIME {
    const dsp::AudioBlock block = heard_.block();
    const float* const left = block.channels[0];
    const float* const right = block.channels[channels_ - 1];
    for (std::size_t i = 0; i < frames; ++i) {
        for (std::size_t c = 0; c < channels_; ++c) tapped_[(i * 2 + 1) * channels_ + c] = block.channels[c][i];
        if (shape_.output_channels == 1) {
            output[i] = 0.5f * (left[i] + right[i]);
        } else {
            output[2 * i] = left[i];
            output[2 * i + 1] = right[i];
        }
    }
    const std::size_t kept = tap_.write({tapped_.data(), frames * 2 * channels_});
    if (kept < frames) lost_frames_.fetch_add(frames - kept, std::memory_order_relaxed);
}

// While one takes over: of the one that is heard more.
void LiveChain::note_reduction() LACQUER_REALTIME {
    dsp::GainReduction reduction = current_->take_reduction();
    if (next_) {
        const dsp::GainReduction coming = next_->take_reduction();
        if (next_age_ > warm_up_frames_ + fade_frames_ / 2) reduction = coming;
    }
    keep_largest(compressor_db_, reduction.compressor_db);
    keep_largest(limiter_db_, reduction.limiter_db);
}

}  // namespace lacquer::player
