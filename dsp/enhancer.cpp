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
          level(recipe.level, recipe.sample_rate_hz, first_frame - saturation_delay(recipe)),
          limiter(recipe.limiter),
          scratch(kMaxChannels * kWorkFrames) {
        if (recipe.saturation.amount != 0.0) saturation.emplace(recipe.saturation);
        if (recipe.channel_count == 2) width.emplace(recipe.width);
    }

    static std::int64_t saturation_delay(const Recipe& recipe) {
        return recipe.saturation.amount != 0.0 ? static_cast<std::int64_t>(Saturation::latency_frames()) : 0;
    }

    void process(AudioBlock block) LACQUER_REALTIME {
        WorkBlock work;
        work.channel_count = block.channel_count;
        work.frame_count = block.frame_count;
        for (std::size_t c = 0; c < block.channel_count; ++c) {
            work.channels[c] = scratch.data() + c * kWorkFrames;
            for (std::size_t i = 0; i < block.frame_count; ++i) {
                work.channels[c][i] = trim * finite_or_zero(block.channels[c][i]);
            }
        }
        equaliser.process(work);
        compressor.process(work);
        if (saturation) saturation->process(work);
        if (width) width->process(work);
        level.process(work);
        limiter.process(work);
        for (std::size_t c = 0; c < block.channel_count; ++c) {
            for (std::size_t i = 0; i < block.frame_count; ++i) {
                block.channels[c][i] = static_cast<float>(work.channels[c][i]);
            }
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
};

Enhancer::Enhancer(const Recipe& recipe, std::int64_t first_frame)
    : state_(checked(recipe).bypass ? nullptr : std::make_unique<State>(recipe, first_frame)) {}

Enhancer::~Enhancer() = default;

void Enhancer::process(AudioBlock block) LACQUER_REALTIME {
    if (!state_) return;
    const FlushDenormals flush;
    for (std::size_t done = 0; done < block.frame_count;) {
        const std::size_t frames = std::min(kWorkFrames, block.frame_count - done);
        state_->process(block.slice(done, frames));
        done += frames;
    }
}

std::size_t Enhancer::latency_frames() const LACQUER_REALTIME {
    if (!state_) return 0;
    return state_->limiter.latency_frames() + (state_->saturation ? Saturation::latency_frames() : 0);
}

}  // namespace lacquer::dsp
