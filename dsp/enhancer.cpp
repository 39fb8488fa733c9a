#include "dsp/enhancer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <utility>

#include "dsp/compressor.h"
#include "dsp/denormals.h"
#include "dsp/equaliser.h"
#include "dsp/interleave.h"
#include "dsp/level_curve.h"
#include "dsp/saturation.h"
#include "dsp/true_peak_limiter.h"
#include "dsp/units.h"
#include "dsp/width.h"

namespace lacquer::dsp {
namespace {

const Recipe& checked(const Recipe& recipe) {
    if (recipe.sample_rate_hz < 8'000 || recipe.sample_rate_hz > 192'000) throw std::invalid_argument("sample_rate_hz");
    if (recipe.channel_count < 1 || recipe.channel_count > kMaxChannels) throw std::invalid_argument("channel_count");
    if (!std::isfinite(recipe.trim)) throw std::invalid_argument("trim");
    return recipe;
}

}  // namespace

// The chain runs on whole groups that begin at multiples of kGroupFrames of the track. Frames that do not yet make one
// wait in `waiting`, frames that are done and not yet asked for in `done`: together always kGroupFrames of them, which
// is the part of the latency that this costs.
struct Enhancer::State {
    State(const Recipe& recipe, std::int64_t first_frame)
        : equaliser(recipe.equaliser, recipe.trim),
          compressor(recipe.compressor),
          limiter(recipe.limiter),
          waiting_count(place_in_group(first_frame)),
          done_count(kGroupFrames - waiting_count) {
        std::size_t delay = kGroupFrames + Equaliser::latency_frames() + Compressor::latency_frames();
        if (recipe.saturation.amount != 0.0) {
            saturation.emplace(recipe.saturation);
            delay += Saturation::latency_frames();
        }
        if (recipe.channel_count == 2) {
            width.emplace(recipe.width);
            delay += Width::latency_frames();
        }
        const auto ahead = static_cast<std::int64_t>(waiting_count + delay - kGroupFrames);
        level.emplace(recipe.level, recipe.sample_rate_hz, first_frame - ahead);
        latency_frames = delay + limiter.latency_frames();
    }

    // At most kWorkFrames - kGroupFrames frames.
    void process(AudioBlock block) LACQUER_REALTIME {
        interleave(block.channels[0], block.channels[block.channel_count - 1], block.frame_count,
                   waiting.data() + 2 * waiting_count);
        waiting_count += block.frame_count;
        run_whole_groups();
        float* const right = block.channel_count == 2 ? block.channels[1] : stage.data();
        deinterleave(done.data(), block.frame_count, block.channels[0], right);
        done_count -= block.frame_count;
        std::copy_n(done.data() + 2 * block.frame_count, 2 * done_count, done.data());
    }

    void run_whole_groups() LACQUER_REALTIME {
        const std::size_t frames = waiting_count - waiting_count % kGroupFrames;
        if (frames == 0) return;
        const StereoBlock work{stage.data(), frames};
        equaliser.process({waiting.data(), frames}, {wide.data(), frames});
        compressor.process({wide.data(), frames}, work);
        most_compression_db = std::max(most_compression_db, compressor.reduction_db());
        if (saturation) saturation->process(work);
        if (width) width->process(work);
        level->process(work);
        limiter.process(work);
        std::copy_n(work.samples, 2 * frames, done.data() + 2 * done_count);
        done_count += frames;
        waiting_count -= frames;
        std::copy_n(waiting.data() + 2 * frames, 2 * waiting_count, waiting.data());
    }

    static std::size_t place_in_group(std::int64_t frame) {
        constexpr std::int64_t kFrames = kGroupFrames;
        return static_cast<std::size_t>((frame % kFrames + kFrames) % kFrames);
    }

    Equaliser equaliser;
    Compressor compressor;
    std::optional<Saturation> saturation;
    std::optional<Width> width;
    std::optional<LevelCurve> level;
    TruePeakLimiter limiter;
    std::size_t latency_frames = 0;

    alignas(64) std::array<float, 2 * kWorkFrames> waiting{};
    std::size_t waiting_count;
    alignas(64) std::array<double, 2 * kWorkFrames> wide{};
    alignas(64) std::array<float, 2 * kWorkFrames> stage{};
    alignas(64) std::array<float, 2 * (kWorkFrames + kGroupFrames)> done{};
    std::size_t done_count;
    double most_compression_db = 0.0;  // since take_reduction()
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
    return state_ ? state_->latency_frames : 0;
}

GainReduction Enhancer::take_reduction() LACQUER_REALTIME {
    if (!state_) return {};
    const auto least_gain = static_cast<double>(state_->limiter.take_least_gain());
    return {std::exchange(state_->most_compression_db, 0.0), std::max(0.0, -gain_to_db(least_gain))};
}

}  // namespace lacquer::dsp
