#include "dsp/compressor.h"

#include <algorithm>
#include <stdexcept>

#include "dsp/fast_math.h"

namespace lacquer::dsp {
namespace {

constexpr double kPowerFloor = 1e-20;  // -200 dB: keeps the logarithm's argument positive and normal

void check(const CompressorBandSettings& band) {
    if (!(band.knee_db >= 0.1 && band.knee_db <= 24.0)) throw std::invalid_argument("compressor.knee_db");
    if (!(band.slope >= 0.0 && band.slope <= 1.0)) throw std::invalid_argument("compressor.slope");
    if (!(band.detector > 0.0 && band.detector <= 1.0)) throw std::invalid_argument("compressor.detector");
    if (!(band.attack > 0.0 && band.attack <= 1.0)) throw std::invalid_argument("compressor.attack");
    if (!(band.release > 0.0 && band.release <= band.attack)) throw std::invalid_argument("compressor.release");
}

struct Knee {
    double start_db;
    double width_db;
    double slope;
    double curvature;  // slope / (2 x width)

    explicit Knee(const CompressorBandSettings& band) noexcept
        : start_db(band.threshold_db - band.knee_db / 2.0),
          width_db(band.knee_db),
          slope(band.slope),
          curvature(band.slope / (2.0 * band.knee_db)) {}

    double reduction_db(double level_db) const noexcept {
        const double over = std::max(level_db - start_db, 0.0);
        const double inside = std::min(over, width_db);
        return curvature * inside * inside + slope * (over - inside);
    }
};

}  // namespace

double static_reduction_db(const CompressorBandSettings& band, double level_db) noexcept {
    return Knee(band).reduction_db(level_db);
}

Compressor::Compressor(const CompressorSettings& settings)
    : crossover_(settings.borders),
      settings_(settings.bands),
      idle_(std::all_of(settings.bands.begin(), settings.bands.end(), [](const auto& b) { return b.slope == 0.0; })),
      scratch_(kDynamicsBands * kMaxChannels * kWorkFrames) {
    for (const CompressorBandSettings& band : settings_) check(band);
    for (auto& line : line_) line.fill(1.0);
}

void Compressor::reset() LACQUER_REALTIME {
    crossover_.reset();
    power_.fill(0.0);
    reduction_db_.fill(0.0);
}

void Compressor::process(WorkBlock block) LACQUER_REALTIME {
    BandBlocks parts;
    for (std::size_t b = 0; b < kDynamicsBands; ++b) {
        parts[b] = block;
        for (std::size_t c = 0; c < kMaxChannels; ++c) {
            parts[b].channels[c] = scratch_.data() + (b * kMaxChannels + c) * kWorkFrames;
        }
    }
    crossover_.split(block, parts);
    if (!idle_) find_gains(parts);
    for (std::size_t c = 0; c < block.channel_count; ++c) {
        double* const out = block.channels[c];
        const double* const low = parts[0].channels[c];
        const double* const middle = parts[1].channels[c];
        const double* const high = parts[2].channels[c];
        for (std::size_t i = 0; i < block.frame_count; ++i) {
            out[i] = low[i] * line_[0][i] + middle[i] * line_[1][i] + high[i] * line_[2][i];
        }
    }
}

void Compressor::find_gains(const BandBlocks& parts) LACQUER_REALTIME {
    const std::size_t frames = parts[0].frame_count;
    for (std::size_t b = 0; b < kDynamicsBands; ++b) {
        const double* const left = parts[b].channels[0];
        const double* const right = parts[b].channels[parts[b].channel_count - 1];
        for (std::size_t i = 0; i < frames; ++i) line_[b][i] = 0.5 * (left[i] * left[i] + right[i] * right[i]);
    }
    average_power(frames);
    for (std::size_t b = 0; b < kDynamicsBands; ++b) {
        const Knee knee(settings_[b]);
        for (std::size_t i = 0; i < frames; ++i) {
            line_[b][i] = knee.reduction_db(fast_power_to_db(std::max(line_[b][i], kPowerFloor)));
        }
    }
    smooth_reduction(frames);
    for (std::size_t b = 0; b < kDynamicsBands; ++b) {
        for (std::size_t i = 0; i < frames; ++i) line_[b][i] = fast_db_to_gain(-line_[b][i]);
    }
}

// The bands side by side: each is a chain of additions that waits for itself, together they take the time of one.
void Compressor::average_power(std::size_t frames) LACQUER_REALTIME {
    PerBand power = power_;
    for (std::size_t i = 0; i < frames; ++i) {
        for (std::size_t b = 0; b < kDynamicsBands; ++b) {
            const double step = settings_[b].detector;
            power[b] = power[b] * (1.0 - step) + line_[b][i] * step;
            line_[b][i] = power[b];
        }
    }
    power_ = power;
}

void Compressor::smooth_reduction(std::size_t frames) LACQUER_REALTIME {
    PerBand reduction_db = reduction_db_;
    for (std::size_t i = 0; i < frames; ++i) {
        for (std::size_t b = 0; b < kDynamicsBands; ++b) {
            const double attack = settings_[b].attack;
            const double release = settings_[b].release;
            const double attacked = reduction_db[b] * (1.0 - attack) + line_[b][i] * attack;
            const double released = reduction_db[b] * (1.0 - release) + line_[b][i] * release;
            reduction_db[b] = std::max(attacked, released);
            line_[b][i] = reduction_db[b];
        }
    }
    reduction_db_ = reduction_db;
}

}  // namespace lacquer::dsp
