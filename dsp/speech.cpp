#include "dsp/speech.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <numbers>
#include <numeric>

#include "dsp/units.h"

namespace lacquer::dsp {
namespace {

constexpr double kSilentMeanSquare = 1e-7;
constexpr double kFramesPerSecond = 50.0;

double mean(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double standard_deviation(std::span<const double> values) {
    const double middle = mean(values);
    double sum = 0.0;
    for (double v : values) sum += (v - middle) * (v - middle);
    return std::sqrt(sum / static_cast<double>(values.size()));
}

// One turn in kSpeechWindowFrames steps.
const std::array<std::complex<double>, kSpeechWindowFrames>& turn() {
    static const auto steps = [] {
        std::array<std::complex<double>, kSpeechWindowFrames> made;
        for (std::size_t i = 0; i < made.size(); ++i)
            made[i] = std::polar(1.0, 2.0 * std::numbers::pi * static_cast<double>(i) / kSpeechWindowFrames);
        return made;
    }();
    return steps;
}

// Share of the variance of `levels` (one per 20 ms) that lies in 2-8 Hz.
double syllable_share(const std::array<double, kSpeechWindowFrames>& levels) {
    constexpr auto kFirst = static_cast<std::size_t>(2.0 * kSpeechWindowFrames / kFramesPerSecond);
    constexpr auto kLast = static_cast<std::size_t>(8.0 * kSpeechWindowFrames / kFramesPerSecond);
    const double middle = mean(levels);
    double total = 0.0;
    for (double v : levels) total += (v - middle) * (v - middle);
    if (total <= 0.0) return 0.0;
    double share = 0.0;
    for (std::size_t k = kFirst; k <= kLast; ++k) {
        double cosine = 0.0, sine = 0.0;
        for (std::size_t i = 0, at = 0; i < levels.size(); ++i) {
            cosine += (levels[i] - middle) * turn()[at].real();
            sine += (levels[i] - middle) * turn()[at].imag();
            at += k;
            if (at >= kSpeechWindowFrames) at -= kSpeechWindowFrames;
        }
        share += 2.0 * (cosine * cosine + sine * sine) / kSpeechWindowFrames;
    }
    return std::min(1.0, share / total);
}

}  // namespace

SpeechFeatures speech_features(std::span<const SpeechFrame, kSpeechWindowFrames> frames) {
    double energy = 0.0, band = 0.0, side = 0.0;
    for (const SpeechFrame& frame : frames)
        energy += frame.energy, band += frame.band_energy, side += frame.side_energy;
    const double middle = energy / kSpeechWindowFrames;
    if (middle + side / kSpeechWindowFrames < kSilentMeanSquare) return {};

    std::array<double, kSpeechWindowFrames> levels;
    std::vector<double> crossings, shares;
    SpeechFeatures features;
    for (std::size_t i = 0; i < kSpeechWindowFrames; ++i) {
        const SpeechFrame& frame = frames[i];
        levels[i] = power_to_db(std::max(frame.energy, middle * 1e-5));
        features.quiet_share += frame.energy < 0.1 * middle ? 1.0 / kSpeechWindowFrames : 0.0;
        if (frame.energy <= 0.01 * middle) continue;
        crossings.push_back(frame.crossings);
        shares.push_back(power_to_db(std::max(frame.band_energy / frame.energy, 1e-4)));
    }
    features.modulation = syllable_share(levels);
    features.level_spread_db = standard_deviation(levels);
    if (!crossings.empty()) features.crossing_spread = standard_deviation(crossings) / std::max(mean(crossings), 50.0);
    if (!shares.empty()) features.band_spread_db = standard_deviation(shares);
    features.band_share = energy > 0.0 ? std::min(1.0, band / energy) : 0.0;
    features.side_share = side / (energy + side);
    return features;
}

double speech_confidence(const SpeechFeatures& f) {
    if (f.level_spread_db == 0.0) return 0.0;
    // Fitted by logistic regression, music counting four times as much as speech, on 1400 windows of synthetic speech
    // (espeak-ng, 12 voices in 7 languages) and recorded prompts, dry, reverberant and noisy, against 3000 windows of
    // game music, also band-limited and compressed, and of drum loops and plucked melodies.
    const double evidence = -10.9 + 3.11 * f.modulation + 1.63 * f.quiet_share +
                            0.368 * std::min(f.level_spread_db, 20.0) + 7.92 * std::min(f.crossing_spread, 1.0) +
                            5.65 * f.band_share - 2.9 * std::min(std::abs(f.band_spread_db - 2.2), 2.0) -
                            18.8 * std::min(f.side_share, 0.2);
    return 1.0 / (1.0 + std::exp(-evidence));
}

std::vector<SpeechFeatures> speech_windows(std::span<const SpeechFrame> frames) {
    std::vector<SpeechFeatures> windows;
    for (std::size_t first = 0; first + kSpeechWindowFrames <= frames.size(); first += kSpeechWindowFrames)
        windows.push_back(speech_features(frames.subspan(first).first<kSpeechWindowFrames>()));
    return windows;
}

}  // namespace lacquer::dsp
