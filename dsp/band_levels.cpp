#include "dsp/band_levels.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "dsp/units.h"

namespace lacquer::dsp {
namespace {

struct Crossover {
    BiquadCoefficients low_pass;
    BiquadCoefficients high_pass;
};

Crossover butterworth(double hz, std::uint32_t sample_rate_hz) {
    const double k = std::tan(std::numbers::pi * std::min(hz, 0.4 * sample_rate_hz) / sample_rate_hz);
    const double a0 = 1.0 + std::numbers::sqrt2 * k + k * k;
    const double a1 = 2.0 * (k * k - 1.0) / a0;
    const double a2 = (1.0 - std::numbers::sqrt2 * k + k * k) / a0;
    const double low = k * k / a0;
    const double high = 1.0 / a0;
    return {{low, 2.0 * low, low, a1, a2}, {high, -2.0 * high, high, a1, a2}};
}

}  // namespace

BandLevelMeter::BandLevelMeter(std::uint32_t sample_rate_hz) {
    const Crossover lower = butterworth(kCrossoversHz[0], sample_rate_hz);
    const Crossover upper = butterworth(kCrossoversHz[1], sample_rate_hz);
    const auto& coefficients = {lower.low_pass, lower.high_pass, upper.low_pass, upper.high_pass};
    for (Split& split : splits_) {
        std::size_t at = 0;
        for (const BiquadCoefficients& c : coefficients)
            for (int twice = 0; twice < 2; ++twice) split[at++] = Biquad(c);
    }
}

void BandLevelMeter::process_channel(Split& split, std::span<const float> samples,
                                     std::array<double, kDynamicsBands>& energy) LACQUER_REALTIME {
    Split f = split;  // a local copy can live in registers
    auto [low_sum, mid_sum, high_sum] = energy;
    for (float x : samples) {
        const double low = f[1].process(f[0].process(x));
        const double rest = f[3].process(f[2].process(x));
        const double mid = f[5].process(f[4].process(rest));
        const double high = f[7].process(f[6].process(rest));
        low_sum += low * low;
        mid_sum += mid * mid;
        high_sum += high * high;
    }
    energy = {low_sum, mid_sum, high_sum};
    split = f;
}

void BandLevelMeter::process(ConstAudioBlock block) LACQUER_REALTIME {
    for (std::size_t c = 0; c < block.channel_count; ++c) process_channel(splits_[c], block.channel(c), energy_[c]);
}

void BandLevelMeter::forget_hop() LACQUER_REALTIME {
    energy_ = {};
    for (Split& split : splits_)
        for (Biquad& section : split) section.settle();
}

void BandLevelMeter::count_hop(std::size_t samples_of_a_band) LACQUER_REALTIME {
    for (std::size_t band = 0; band < kDynamicsBands; ++band) {
        double sum = 0.0;
        for (const auto& channel : energy_) sum += channel[band];
        ++histograms_[band][level_bin(sum / static_cast<double>(samples_of_a_band))];
    }
    forget_hop();
}

std::size_t level_bin(double mean_square) {
    const double bin = std::floor((power_to_db(mean_square) - kLevelFloorDb) / kLevelStepDb);
    return static_cast<std::size_t>(std::clamp(bin, 0.0, static_cast<double>(kLevelBins - 1)));
}

}  // namespace lacquer::dsp
