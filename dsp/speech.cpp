#include "dsp/speech.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <numeric>

#include "dsp/loudness.h"
#include "dsp/units.h"

namespace lacquer::dsp {
namespace {

constexpr double kSilentMeanSquare = 1e-7;
constexpr double kFramesPerSecond = 50.0;

BiquadCoefficients band_edge(double hz, std::uint32_t sample_rate_hz, bool high_pass) {
    const double k = std::tan(std::numbers::pi * std::min(hz, 0.45 * sample_rate_hz) / sample_rate_hz);
    const double a0 = 1.0 + std::numbers::sqrt2 * k + k * k;
    const double b0 = (high_pass ? 1.0 : k * k) / a0;
    return {b0, high_pass ? -2.0 * b0 : 2.0 * b0, b0, 2.0 * (k * k - 1.0) / a0,
            (1.0 - std::numbers::sqrt2 * k + k * k) / a0};
}

double mean(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double standard_deviation(const std::vector<double>& values) {
    const double middle = mean(values);
    double sum = 0.0;
    for (double v : values) sum += (v - middle) * (v - middle);
    return std::sqrt(sum / static_cast<double>(values.size()));
}

// Share of the variance of `levels` (one per 20 ms) that lies in 2-8 Hz.
double syllable_share(const std::vector<double>& levels) {
    const auto n = static_cast<double>(levels.size());
    const double middle = mean(levels);
    double total = 0.0;
    for (double v : levels) total += (v - middle) * (v - middle);
    if (total <= 0.0) return 0.0;
    const auto first = static_cast<std::size_t>(std::ceil(2.0 * n / kFramesPerSecond));
    const auto last = static_cast<std::size_t>(std::floor(8.0 * n / kFramesPerSecond));
    double share = 0.0;
    for (std::size_t k = first; k <= last; ++k) {
        std::complex<double> sum;
        for (std::size_t i = 0; i < levels.size(); ++i)
            sum += (levels[i] - middle) * std::polar(1.0, 2.0 * std::numbers::pi * static_cast<double>(k * i) / n);
        share += 2.0 * std::norm(sum) / n;
    }
    return std::min(1.0, share / total);
}

}  // namespace

SpeechFeatures speech_features(const std::array<SpeechFrame, kSpeechWindowFrames>& frames) {
    double energy = 0.0, band = 0.0, side = 0.0;
    for (const SpeechFrame& frame : frames)
        energy += frame.energy, band += frame.band_energy, side += frame.side_energy;
    const double middle = energy / kSpeechWindowFrames;
    if (middle + side / kSpeechWindowFrames < kSilentMeanSquare) return {};

    std::vector<double> levels, crossings, shares;
    SpeechFeatures features;
    for (const SpeechFrame& frame : frames) {
        levels.push_back(power_to_db(std::max(frame.energy, middle * 1e-5)));
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

SpeechMeter::SpeechMeter(std::uint32_t sample_rate_hz)
    : sample_rate_hz_(sample_rate_hz),
      hop_frames_(hop_frames(sample_rate_hz)),
      band_{Biquad(band_edge(300.0, sample_rate_hz, true)), Biquad(band_edge(4000.0, sample_rate_hz, false))} {}

void SpeechMeter::warm_up(ConstAudioBlock block) {
    SpeechFrame ignored;
    run(block, ignored);
}

void SpeechMeter::measure(ConstAudioBlock block) {
    while (block.frame_count > 0) {
        const std::size_t in_hop = at_ % kSpeechFramesPerHop;
        const std::size_t length =
            (in_hop + 1) * hop_frames_ / kSpeechFramesPerHop - in_hop * hop_frames_ / kSpeechFramesPerHop;
        const std::size_t count = std::min(block.frame_count, length - frames_in_frame_);
        run(block.slice(0, count), frames_[at_]);
        block = block.slice(count, block.frame_count - count);
        frames_in_frame_ += count;
        if (frames_in_frame_ == length) finish_frame(length);
    }
}

void SpeechMeter::run(ConstAudioBlock block, SpeechFrame& frame) {
    for (std::size_t i = 0; i < block.frame_count; ++i) {
        const double left = block.channels[0][i];
        const double right = block.channel_count == 2 ? block.channels[1][i] : left;
        const double middle = 0.5 * (left + right);
        const double side = 0.5 * (left - right);
        const double band = band_[1].process(band_[0].process(middle));
        frame.energy += middle * middle;
        frame.band_energy += band * band;
        frame.side_energy += side * side;
        frame.crossings += (band < 0.0) != (previous_ < 0.0) ? 1.0 : 0.0;
        previous_ = band;
    }
}

void SpeechMeter::finish_frame(std::size_t frame_count) {
    const auto length = static_cast<double>(frame_count);
    SpeechFrame& frame = frames_[at_];
    frame.energy /= length;
    frame.band_energy /= length;
    frame.side_energy /= length;
    frame.crossings *= sample_rate_hz_ / length;
    for (Biquad& section : band_) section.settle();
    frames_in_frame_ = 0;
    if (++at_ < kSpeechWindowFrames) return;
    windows_.push_back(speech_features(frames_));
    frames_ = {};
    at_ = 0;
}

}  // namespace lacquer::dsp
