#include "dsp/saturation.h"

#include <cmath>
#include <numbers>
#include <stdexcept>

#include "dsp/fir.h"

namespace lacquer::dsp {
namespace {

constexpr double kBeta = 9.0;  // stop band below -90 dB

// The even taps of a half-band filter of 2 x count - 1 taps, scaled so that interpolation has unit gain.
std::vector<double> half_band_taps(std::size_t count) {
    std::vector<double> taps(count);
    const double centre = static_cast<double>(count) - 1.0;
    double sum = 0.0;
    for (std::size_t j = 0; j < count; ++j) {
        const double distance = 2.0 * static_cast<double>(j) - centre;  // odd
        const double sign = std::fmod(std::abs(distance), 4.0) == 1.0 ? 1.0 : -1.0;
        taps[j] = sign * 2.0 / (std::numbers::pi * std::abs(distance)) * kaiser(distance / (centre + 1.0), kBeta);
        sum += taps[j];
    }
    for (double& tap : taps) tap /= sum;
    return taps;
}

}  // namespace

Saturation::Saturation(const SaturationSettings& settings)
    : amount_(settings.amount), limit_(1.0 / std::sqrt(3.0 * settings.amount)), taps_(half_band_taps(kHalfTaps)) {
    if (!(amount_ > 0.0 && amount_ <= 1.0)) throw std::invalid_argument("saturation.amount");
}

void Saturation::reset() LACQUER_REALTIME {
    for (Channel& channel : channels_) {
        channel.input.reset();
        channel.even.reset();
        channel.odd.reset();
    }
}

void Saturation::process(WorkBlock block) LACQUER_REALTIME {
    for (std::size_t c = 0; c < block.channel_count; ++c) run(channels_[c], block.channels[c], block.frame_count);
}

double Saturation::taken_away(double x) const LACQUER_REALTIME {
    const double inside = std::min(std::max(x, -limit_), limit_);
    return (x - inside) + amount_ * inside * inside * inside;
}

void Saturation::run(Channel& channel, double* samples, std::size_t frames) LACQUER_REALTIME {
    constexpr std::size_t kMiddle = kHalfTaps / 2;
    double* const input = channel.input.block();
    double* const even = channel.even.block();
    double* const odd = channel.odd.block();
    std::copy_n(samples, frames, input);

    convolve(input, frames, taps_, even);
    for (std::size_t i = 0; i < frames; ++i) even[i] = taken_away(even[i]);
    for (std::size_t i = 0; i < frames; ++i) odd[i] = taken_away(input[i + 1 - kMiddle]);

    convolve(even, frames, taps_, samples);
    for (std::size_t i = 0; i < frames; ++i) {
        samples[i] = input[i + 1 - kHalfTaps] - 0.5 * (samples[i] + odd[i - kMiddle]);
    }
    channel.input.advance(frames);
    channel.even.advance(frames);
    channel.odd.advance(frames);
}

}  // namespace lacquer::dsp
