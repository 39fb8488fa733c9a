#include "dsp/true_peak_limiter.h"

#include <algorithm>
#include <stdexcept>

#include "dsp/fir.h"

namespace lacquer::dsp {
namespace {

constexpr std::size_t kTaps = 24;
constexpr std::size_t kDetectorDelay = kTaps / 2;
constexpr double kBeta = 5.0;
constexpr double kOne = 68719476736.0;  // 2^36: sums over 4096 frames twice stay below 2^60

const LimiterSettings& checked(const LimiterSettings& settings) {
    if (!(settings.ceiling > 0.0 && settings.ceiling <= 1.0)) throw std::invalid_argument("limiter.ceiling");
    if (settings.look_ahead_frames < 1 || settings.look_ahead_frames > 4096) {
        throw std::invalid_argument("limiter.look_ahead_frames");
    }
    if (!(settings.release >= 0.0 && settings.release < 1.0)) throw std::invalid_argument("limiter.release");
    return settings;
}

double largest_absolute(const double* x, std::size_t count) LACQUER_REALTIME {
    double largest = 0.0;
    for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, x[i] < 0.0 ? -x[i] : x[i]);
    return largest;
}

void raise_to_absolute(double* to, const double* x, std::size_t count) LACQUER_REALTIME {
    for (std::size_t i = 0; i < count; ++i) to[i] = std::max(to[i], x[i] < 0.0 ? -x[i] : x[i]);
}

}  // namespace

TruePeakLimiter::TruePeakLimiter(const LimiterSettings& settings)
    : ceiling_(checked(settings).ceiling),
      release_(settings.release),
      quiet_below_(0.0),
      window_(settings.look_ahead_frames + 3),
      first_boxcar_((settings.look_ahead_frames + 1) / 2),
      second_boxcar_(settings.look_ahead_frames + 1 - first_boxcar_),
      delay_(kDetectorDelay + settings.look_ahead_frames),
      audio_{History<double>(delay_ + kTaps), History<double>(delay_ + kTaps)},
      required_(window_),
      held_(first_boxcar_),
      once_(second_boxcar_),
      scratch_(window_ + kWorkFrames),
      other_scratch_(window_ + kWorkFrames) {
    double largest_gain = 1.0;
    for (int quarter = 1; quarter <= 3; ++quarter) {
        auto& taps = taps_[static_cast<std::size_t>(quarter - 1)];
        taps = quarter_sample_taps(quarter, kTaps, kBeta);
        double gain = 0.0;
        for (const double tap : taps) gain += tap < 0.0 ? -tap : tap;
        largest_gain = std::max(largest_gain, gain);
    }
    quiet_below_ = ceiling_ / (largest_gain * 1.000001);
}

void TruePeakLimiter::reset() LACQUER_REALTIME {
    for (auto& line : audio_) line.reset();
    required_.reset();
    held_.reset();
    once_.reset();
    released_ = 0.0;
    first_sum_ = 0;
    second_sum_ = 0;
}

void TruePeakLimiter::process(WorkBlock block) LACQUER_REALTIME {
    const std::size_t frames = block.frame_count;
    for (std::size_t c = 0; c < block.channel_count; ++c) std::copy_n(block.channels[c], frames, audio_[c].block());
    find_peaks(block);
    hold_maximum(frames);
    smooth(frames);
    for (std::size_t c = 0; c < block.channel_count; ++c) {
        const double* const delayed = audio_[c].block() - delay_;
        double* const out = block.channels[c];
        for (std::size_t i = 0; i < frames; ++i) {
            out[i] = std::min(std::max(delayed[i] * gain_[i], -ceiling_), ceiling_);
        }
        audio_[c].advance(frames);
    }
}

// Fills required_ with 1 - ceiling/peak over the quarters from frame i - kDetectorDelay to the next.
void TruePeakLimiter::find_peaks(const WorkBlock& block) LACQUER_REALTIME {
    const std::size_t frames = block.frame_count;
    double* const required = required_.block();
    std::fill_n(required, frames, 0.0);
    double loudest = 0.0;
    for (std::size_t c = 0; c < block.channel_count; ++c) {
        loudest = std::max(loudest, largest_absolute(audio_[c].block() - kTaps, kTaps + frames));
    }
    if (loudest < quiet_below_) return;
    for (std::size_t c = 0; c < block.channel_count; ++c) {
        const double* const x = audio_[c].block();
        raise_to_absolute(required, x - kDetectorDelay, frames);
        for (const auto& taps : taps_) {
            convolve(x, frames, taps, scratch_.data());
            raise_to_absolute(required, scratch_.data(), frames);
        }
    }
    for (std::size_t i = 0; i < frames; ++i) required[i] = 1.0 - ceiling_ / std::max(required[i], ceiling_);
}

// Maximum over the last window_ values by doubling the reach, then the release.
void TruePeakLimiter::hold_maximum(std::size_t frames) LACQUER_REALTIME {
    const std::size_t past = window_;
    const double* const line = required_.block() - past;
    double* from = scratch_.data();
    double* to = other_scratch_.data();
    std::copy_n(line, past + frames, from);
    if (largest_absolute(from, past + frames) > 0.0) {
        std::size_t reach = 1;
        while (reach < window_) {
            const std::size_t step = std::min(reach, window_ - reach);
            std::copy_n(from, step, to);
            for (std::size_t i = step; i < past + frames; ++i) to[i] = std::max(from[i], from[i - step]);
            std::swap(from, to);
            reach += step;
        }
    }
    Quantum* const held = held_.block();
    double released = released_;
    for (std::size_t i = 0; i < frames; ++i) {
        released = std::max(from[past + i], release_ * released);
        held[i] = static_cast<Quantum>(released * kOne + 0.5);
    }
    released_ = released;
    required_.advance(frames);
}

void TruePeakLimiter::smooth(std::size_t frames) LACQUER_REALTIME {
    Quantum* const held = held_.block();
    Quantum* const once = once_.block();
    const double scale = 1.0 / (kOne * static_cast<double>(first_boxcar_ * second_boxcar_));
    for (std::size_t i = 0; i < frames; ++i) {
        first_sum_ += held[i] - *(held + i - first_boxcar_);
        once[i] = first_sum_;
        second_sum_ += once[i] - *(once + i - second_boxcar_);
        gain_[i] = 1.0 - static_cast<double>(second_sum_) * scale;
    }
    held_.advance(frames);
    once_.advance(frames);
}

}  // namespace lacquer::dsp
