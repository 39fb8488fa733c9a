#include "src/player/live_bridge.h"

#include <algorithm>
#include <limits>

namespace lacquer::player {
namespace {

constexpr double kRingSeconds = 1.0;
constexpr auto kAnyNumber = std::numeric_limits<std::size_t>::max();

std::size_t frames_of(double seconds, std::uint32_t rate_hz) {
    return static_cast<std::size_t>(seconds * rate_hz);
}

}  // namespace

LiveBridge::LiveBridge(AudioCallback& chain, std::size_t channels, std::size_t output_channels,
                       std::uint32_t sample_rate_hz, double margin_seconds)
    : chain_(chain),
      channels_(channels),
      output_channels_(output_channels),
      rate_hz_(sample_rate_hz),
      fade_frames_(std::min(kPieceFrames, frames_of(kFadeSeconds, sample_rate_hz))),
      ring_(channels, frames_of(kRingSeconds, sample_rate_hz)),
      least_(kAnyNumber),
      margin_frames_(frames_of(std::clamp(margin_seconds, 2.0 * kFadeSeconds, kMostMarginSeconds), sample_rate_hz)) {}

double LiveBridge::margin_seconds() const noexcept {
    return static_cast<double>(margin_frames_.load(std::memory_order_relaxed)) / rate_hz_;
}

// A fade's worth is always left in the ring, to end with when nothing more has come.
void LiveBridge::speak(float* output, std::size_t frames) LACQUER_REALTIME {
    prepare(frames);
    const std::size_t there = ring_.available_frames();
    const bool starves = flows_ && there < frames + fade_frames_;
    ending_ = starves ? std::min(there, frames) : kAnyNumber;
    if (there < frames + too_much_ + 2 * fade_frames_) too_much_ = 0;
    for (std::size_t done = 0; done < frames;) {
        const std::size_t piece = std::min(frames - done, too_much_ > 0 ? fade_frames_ : kPieceFrames);
        if (too_much_ > 0) {
            leave_out(piece);
        } else {
            read_piece(piece);
        }
        chain_.process(piece_.data(), output + done * output_channels_, piece);
        done += piece;
    }
    if (starves) starve();
    watch(frames);
}

// Begins to flow with the margin behind what is asked for now.
void LiveBridge::prepare(std::size_t frames) LACQUER_REALTIME {
    if (flows_) return;
    const std::size_t wanted = frames + margin_frames_.load(std::memory_order_relaxed);
    const std::size_t there = ring_.available_frames();
    if (there < wanted) return;
    ring_.skip(there - wanted);
    flows_ = true;
    level_ = 0.0f;
    too_much_ = 0;
    watched_ = 0;
    least_ = kAnyNumber;
}

void LiveBridge::read_piece(std::size_t frames) LACQUER_REALTIME {
    const std::size_t there = flows_ ? ring_.read(piece_.data(), std::min(frames, ending_)) : 0;
    const float step = 1.0f / static_cast<float>(fade_frames_);
    for (std::size_t i = 0; i < there; ++i) {
        level_ = std::min(1.0f, level_ + step);
        const std::size_t left = ending_ - 1 - i;
        const float gain = left < fade_frames_ ? std::min(level_, static_cast<float>(left) * step) : level_;
        for (std::size_t c = 0; c < channels_; ++c) piece_[i * channels_ + c] *= gain;
    }
    if (ending_ != kAnyNumber) ending_ -= there;
    std::fill(piece_.begin() + static_cast<std::ptrdiff_t>(there * channels_), piece_.end(), 0.0f);
}

void LiveBridge::starve() LACQUER_REALTIME {
    flows_ = false;
    slips_.fetch_add(1, std::memory_order_relaxed);
    const std::size_t grown = margin_frames_.load(std::memory_order_relaxed) * 3 / 2;
    margin_frames_.store(std::min(grown, frames_of(kMostMarginSeconds, rate_hz_)), std::memory_order_relaxed);
}

// Fades from what comes next into what comes after the part that is too much.
void LiveBridge::leave_out(std::size_t frames) LACQUER_REALTIME {
    ring_.read(piece_.data(), frames);
    ring_.skip(too_much_ - frames);
    ring_.read(later_.data(), frames);
    for (std::size_t i = 0; i < frames; ++i) {
        const float share = static_cast<float>(i + 1) / static_cast<float>(frames + 1);
        for (std::size_t c = 0; c < channels_; ++c) {
            float& sample = piece_[i * channels_ + c];
            sample += share * (later_[i * channels_ + c] - sample);
        }
    }
    too_much_ = 0;
    slips_.fetch_add(1, std::memory_order_relaxed);
}

void LiveBridge::watch(std::size_t frames) LACQUER_REALTIME {
    if (!flows_) return;
    least_ = std::min(least_, ring_.available_frames());
    watched_ += frames;
    if (watched_ < frames_of(kWatchSeconds, rate_hz_)) return;
    const std::size_t margin = margin_frames_.load(std::memory_order_relaxed);
    if (least_ > margin + frames_of(kSlackSeconds, rate_hz_)) too_much_ = least_ - margin;
    watched_ = 0;
    least_ = kAnyNumber;
}

}  // namespace lacquer::player
