#include "dsp/true_peak.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lacquer::dsp {
namespace {

constexpr std::size_t kTaps = kTruePeakTaps;
constexpr std::size_t kOversampling = 4;
constexpr double kKaiserBeta = 5.0;
constexpr std::size_t kTile = 16;  // outputs computed together, so that they stay in registers

struct Interpolator {
    std::array<std::array<float, kTaps>, kOversampling - 1> phases;  // phase 0 is the samples themselves
    float gain_bound;  // no output exceeds this times the largest input: the largest sum of |tap|
};

double kaiser(double x) {  // x in [-1, 1]
    return std::cyl_bessel_i(0.0, kKaiserBeta * std::sqrt(std::max(0.0, 1.0 - x * x)));
}

Interpolator make_interpolator() {
    Interpolator made{};
    double bound = 1.0;
    for (std::size_t p = 1; p < kOversampling; ++p) {
        std::array<double, kTaps> taps;
        double sum = 0.0;
        for (std::size_t t = 0; t < kTaps; ++t) {
            const double distance =
                static_cast<double>(kTaps / 2 - 1) + static_cast<double>(p) / kOversampling - static_cast<double>(t);
            const double angle = std::numbers::pi * distance;
            taps[t] = std::sin(angle) / angle * kaiser(distance / (kTaps / 2));
            sum += taps[t];
        }
        double magnitude = 0.0;
        for (std::size_t t = 0; t < kTaps; ++t) {
            made.phases[p - 1][t] = static_cast<float>(taps[t] / sum);
            magnitude += std::abs(taps[t] / sum);
        }
        bound = std::max(bound, magnitude);
    }
    made.gain_bound = static_cast<float>(bound * 1.0001);  // the rounding of the sums included
    return made;
}

const Interpolator& interpolator() {
    static const Interpolator made = make_interpolator();
    return made;
}

float largest(const float* x, std::size_t count) {
    float peak = 0.0f;
    for (std::size_t i = 0; i < count; ++i) peak = std::max(peak, std::abs(x[i]));
    return peak;
}

using Taps = std::array<float, kTaps>;

// `x` holds kTile + kTaps - 1 samples.
float largest_of_tile(const Taps& taps, const float* x) {
    std::array<float, kTile> y{};
    for (std::size_t t = 0; t < kTaps; ++t)
        for (std::size_t i = 0; i < kTile; ++i) y[i] += taps[t] * x[i + t];
    return largest(y.data(), kTile);
}

// The same sums in the same order, for what does not fill a tile.
float largest_of_rest(const Taps& taps, const float* x, std::size_t count) {
    float peak = 0.0f;
    for (std::size_t i = 0; i < count; ++i) {
        float y = 0.0f;
        for (std::size_t t = 0; t < kTaps; ++t) y += taps[t] * x[i + t];
        peak = std::max(peak, std::abs(y));
    }
    return peak;
}

// The largest of `floor` and `count` outputs; `x` holds count + kTaps - 1 samples. Tiles that cannot reach the floor
// are skipped.
float largest_between(const float* x, std::size_t count, float floor) {
    const Interpolator& filter = interpolator();
    for (std::size_t i = 0; i < count; i += kTile) {
        const std::size_t outputs = std::min(kTile, count - i);
        if (largest(x + i, kTaps - 1 + outputs) * filter.gain_bound <= floor) continue;
        for (const Taps& taps : filter.phases)
            floor = std::max(floor,
                             outputs == kTile ? largest_of_tile(taps, x + i) : largest_of_rest(taps, x + i, outputs));
    }
    return floor;
}

}  // namespace

void TruePeakMeter::process(ConstAudioBlock block) LACQUER_REALTIME {
    for (std::size_t first = 0; first < block.frame_count; first += kBlockFrames)
        process_short(block.slice(first, std::min(kBlockFrames, block.frame_count - first)));
}

void TruePeakMeter::process_short(ConstAudioBlock block) LACQUER_REALTIME {
    std::array<float, kTaps - 1 + kBlockFrames> x;
    for (std::size_t c = 0; c < block.channel_count; ++c) {
        std::copy(history_[c].begin(), history_[c].end(), x.begin());
        const auto end = std::copy_n(block.channels[c], block.frame_count, x.begin() + kTaps - 1);
        sample_peak_ = std::max(sample_peak_, largest(block.channels[c], block.frame_count));
        true_peak_ = largest_between(x.data(), block.frame_count, std::max(true_peak_, sample_peak_));
        std::copy(end - (kTaps - 1), end, history_[c].begin());
    }
}

void TruePeakMeter::forget_peaks() LACQUER_REALTIME {
    true_peak_ = 0.0f;
    sample_peak_ = 0.0f;
}

double true_peak_after(const TruePeakHistory& history) {
    std::array<float, 2 * (kTaps - 1)> x{};
    float peak = 0.0f;
    for (const auto& channel : history) {
        std::copy(channel.begin(), channel.end(), x.begin());
        peak = largest_between(x.data(), kTaps - 1, peak);
    }
    return peak;
}

}  // namespace lacquer::dsp
