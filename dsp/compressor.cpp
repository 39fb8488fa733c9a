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
      idle_(std::all_of(settings.bands.begin(), settings.bands.end(), [](const auto& b) { return b.slope == 0.0; })),
      scratch_(kDynamicsBands * kMaxChannels * kWorkFrames) {
    for (std::size_t b = 0; b < kDynamicsBands; ++b) {
        check(settings.bands[b]);
        bands_[b].settings = settings.bands[b];
    }
}

void Compressor::reset() LACQUER_REALTIME {
    crossover_.reset();
    for (Band& band : bands_) {
        band.power = 0.0;
        band.reduction_db = 0.0;
    }
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
    if (!idle_) {
        for (std::size_t b = 0; b < kDynamicsBands; ++b) find_gains(bands_[b], parts[b]);
    } else {
        for (Band& band : bands_) band.gain.fill(1.0);
    }
    for (std::size_t c = 0; c < block.channel_count; ++c) {
        double* const out = block.channels[c];
        const double* const low = parts[0].channels[c];
        const double* const middle = parts[1].channels[c];
        const double* const high = parts[2].channels[c];
        for (std::size_t i = 0; i < block.frame_count; ++i) {
            out[i] = low[i] * bands_[0].gain[i] + middle[i] * bands_[1].gain[i] + high[i] * bands_[2].gain[i];
        }
    }
}

void Compressor::find_gains(Band& band, const WorkBlock& block) LACQUER_REALTIME {
    const std::size_t frames = block.frame_count;
    double* const g = band.gain.data();
    const double* const left = block.channels[0];
    const double* const right = block.channels[block.channel_count - 1];
    for (std::size_t i = 0; i < frames; ++i) g[i] = 0.5 * (left[i] * left[i] + right[i] * right[i]);

    const double detector = band.settings.detector;
    double power = band.power;
    for (std::size_t i = 0; i < frames; ++i) {
        power += detector * (g[i] - power);
        g[i] = power;
    }
    band.power = power;

    const Knee knee(band.settings);
    for (std::size_t i = 0; i < frames; ++i) g[i] = knee.reduction_db(fast_power_to_db(std::max(g[i], kPowerFloor)));

    const double attack = band.settings.attack;
    const double release = band.settings.release;
    double reduction_db = band.reduction_db;
    for (std::size_t i = 0; i < frames; ++i) {
        const double attacked = reduction_db * (1.0 - attack) + g[i] * attack;
        const double released = reduction_db * (1.0 - release) + g[i] * release;
        reduction_db = std::max(attacked, released);
        g[i] = reduction_db;
    }
    band.reduction_db = reduction_db;

    for (std::size_t i = 0; i < frames; ++i) g[i] = fast_db_to_gain(-g[i]);
}

}  // namespace lacquer::dsp
