#include "dsp/enhancer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <vector>

#include "dsp/compressor.h"
#include "dsp/denormals.h"
#include "dsp/equaliser.h"
#include "dsp/level_curve.h"
#include "dsp/saturation.h"
#include "dsp/true_peak_limiter.h"
#include "dsp/width.h"
#include "dsp/work_block.h"

namespace lacquer::dsp {
namespace {

const Recipe& checked(const Recipe& recipe) {
    if (recipe.sample_rate_hz < 8'000 || recipe.sample_rate_hz > 192'000) throw std::invalid_argument("sample_rate_hz");
    if (recipe.channel_count < 1 || recipe.channel_count > kMaxChannels) throw std::invalid_argument("channel_count");
    if (!std::isfinite(recipe.trim)) throw std::invalid_argument("trim");
    return recipe;
}

double finite_or_zero(float sample) LACQUER_REALTIME {
    constexpr std::uint32_t kExponent = 0x7F80'0000u;
    const bool finite = (std::bit_cast<std::uint32_t>(sample) & kExponent) != kExponent;
    return finite ? static_cast<double>(sample) : 0.0;
}

}  // namespace

struct Enhancer::State {
    State(const Recipe& recipe, std::int64_t first_frame)
        : trim(recipe.trim),
          equaliser(recipe.equaliser),
          compressor(recipe.compressor),
          level(recipe.level, recipe.sample_rate_hz, group_begin(first_frame) - saturation_delay(recipe)),
          limiter(recipe.limiter),
          scratch(kMaxChannels * kWorkFrames),
          waiting_frames(static_cast<std::size_t>(first_frame - group_begin(first_frame))),
          ready_frames(kGroupFrames - waiting_frames) {
        if (recipe.saturation.amount != 0.0) saturation.emplace(recipe.saturation);
        if (recipe.channel_count == 2) width.emplace(recipe.width);
    }

    static std::int64_t saturation_delay(const Recipe& recipe) {
        return recipe.saturation.amount != 0.0 ? static_cast<std::int64_t>(Saturation::latency_frames()) : 0;
    }

    // Groups of frames begin where they begin in the track.
    static std::int64_t group_begin(std::int64_t frame) {
        constexpr std::int64_t kFrames = kGroupFrames;
        return frame - ((frame % kFrames) + kFrames) % kFrames;
    }

    // At most kWorkFrames - kGroupFrames frames.
    void process(AudioBlock block) LACQUER_REALTIME {
        for (std::size_t c = 0; c < block.channel_count; ++c) {
            std::copy_n(block.channels[c], block.frame_count, waiting.block().channels[c] + waiting_frames);
        }
        waiting_frames += block.frame_count;
        const std::size_t whole = waiting_frames / kGroupFrames * kGroupFrames;
        if (whole > 0) run_groups(block.channel_count, whole);
        for (std::size_t c = 0; c < block.channel_count; ++c) {
            float* const from = ready.block().channels[c];
            std::copy_n(from, block.frame_count, block.channels[c]);
            std::copy(from + block.frame_count, from + ready_frames, from);
        }
        ready_frames -= block.frame_count;
    }

    void run_groups(std::size_t channels, std::size_t frames) LACQUER_REALTIME {
        WorkBlock work;
        work.channel_count = channels;
        work.frame_count = frames;
        for (std::size_t c = 0; c < channels; ++c) {
            work.channels[c] = scratch.data() + c * kWorkFrames;
            float* const from = waiting.block().channels[c];
            for (std::size_t i = 0; i < frames; ++i) work.channels[c][i] = trim * finite_or_zero(from[i]);
            std::copy(from + frames, from + waiting_frames, from);
        }
        waiting_frames -= frames;
        run_stages(work);
        for (std::size_t c = 0; c < channels; ++c) {
            float* const to = ready.block().channels[c] + ready_frames;
            for (std::size_t i = 0; i < frames; ++i) to[i] = static_cast<float>(work.channels[c][i]);
        }
        ready_frames += frames;
    }

    void run_stages(WorkBlock work) LACQUER_REALTIME {
        equaliser.process(work);
        compressor.process(work);
        if (saturation) in_stereo(work, *saturation);
        if (width) width->process(work);
        level.process(work);
        in_stereo(work, limiter);
    }

    template <typename Stage>
    void in_stereo(WorkBlock work, Stage& stage) LACQUER_REALTIME {
        float* const samples = stereo.block().channels[0];
        const double* const right = work.channels[work.channel_count - 1];
        for (std::size_t i = 0; i < work.frame_count; ++i) {
            samples[2 * i] = static_cast<float>(work.channels[0][i]);
            samples[2 * i + 1] = static_cast<float>(right[i]);
        }
        stage.process({samples, work.frame_count});
        for (std::size_t c = 0; c < work.channel_count; ++c) {
            for (std::size_t i = 0; i < work.frame_count; ++i) work.channels[c][i] = samples[2 * i + c];
        }
    }

    double trim;
    Equaliser equaliser;
    Compressor compressor;
    std::optional<Saturation> saturation;
    std::optional<Width> width;
    LevelCurve level;
    TruePeakLimiter limiter;
    std::vector<double> scratch;
    AudioBuffer stereo{1, 2 * kWorkFrames};
    AudioBuffer waiting{kMaxChannels, kWorkFrames};  // what does not fill a group yet
    std::size_t waiting_frames;
    AudioBuffer ready{kMaxChannels, kWorkFrames + kGroupFrames};
    std::size_t ready_frames;
};

Enhancer::Enhancer(const Recipe& recipe, std::int64_t first_frame)
    : state_(checked(recipe).bypass ? nullptr : std::make_unique<State>(recipe, first_frame)) {}

Enhancer::~Enhancer() = default;

void Enhancer::process(AudioBlock block) LACQUER_REALTIME {
    if (!state_) return;
    const FlushDenormals flush;
    for (std::size_t done = 0; done < block.frame_count;) {
        const std::size_t frames = std::min(kWorkFrames - kGroupFrames, block.frame_count - done);
        state_->process(block.slice(done, frames));
        done += frames;
    }
}

std::size_t Enhancer::latency_frames() const LACQUER_REALTIME {
    if (!state_) return 0;
    return kGroupFrames + state_->limiter.latency_frames() + (state_->saturation ? Saturation::latency_frames() : 0);
}

}  // namespace lacquer::dsp
