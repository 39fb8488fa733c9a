#include "src/player/mixer.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace lacquer::player {
namespace {

constexpr int kFrameBits = 48;

}  // namespace

Mixer::Mixer(std::size_t channels, std::uint32_t sample_rate_hz, double lane_seconds)
    : channels_(channels),
      fade_frames_(static_cast<std::size_t>(std::lround(kFadeSeconds * sample_rate_hz))),
      lanes_{Lane(channels, static_cast<std::size_t>(std::ceil(lane_seconds * sample_rate_hz))),
             Lane(channels, static_cast<std::size_t>(std::ceil(lane_seconds * sample_rate_hz)))} {
    assert(channels >= 1 && channels <= 2);
}

FrameRing* Mixer::spare() noexcept {
    if (settled_.load(std::memory_order_acquire) != next_) return nullptr;
    Lane& lane = lanes_[next_ == 0 ? 1 : 0];
    lane.ring.reset();
    lane.ended.store(false, std::memory_order_relaxed);
    return &lane.ring;
}

void Mixer::switch_to_spare(const Start& start) noexcept {
    next_ = next_ == 0 ? 1 : 0;
    lanes_[next_].start = start;
    wanted_.store(next_, std::memory_order_release);
}

FrameRing* Mixer::heard() noexcept {
    return next_ == kNone ? nullptr : &lanes_[next_].ring;
}

void Mixer::end_lane() noexcept {
    if (next_ != kNone) lanes_[next_].ended.store(true, std::memory_order_release);
}

std::optional<Mixer::Position> Mixer::position() const noexcept {
    const std::uint64_t packed = position_.load(std::memory_order_acquire);
    if (packed == kNoPosition) return std::nullopt;
    return Position{static_cast<std::uint16_t>(packed >> kFrameBits), packed & ((std::uint64_t{1} << kFrameBits) - 1)};
}

std::size_t Mixer::available_frames() const noexcept {
    const int lane = wanted_.load(std::memory_order_acquire);
    return lane == kNone ? 0 : lanes_[lane].ring.available_frames();
}

void Mixer::process(const float*, float* output, std::size_t frames) LACQUER_REALTIME {
    was_paused_ = paused_.load(std::memory_order_acquire);
    while (frames > 0) {
        try_to_switch();
        std::size_t count = std::min(frames, kPieceFrames);
        if (outgoing_ != kNone) count = std::min(count, fade_left());
        mix(output, count);
        output += count * channels_;
        frames -= count;
    }
    publish();
}

// At once where nothing is heard, else when the whole fade can be read.
void Mixer::try_to_switch() LACQUER_REALTIME {
    const int wanted = wanted_.load(std::memory_order_acquire);
    if (wanted == current_ || outgoing_ != kNone) return;
    Lane& lane = lanes_[wanted];
    std::uint64_t skip = 0;
    if (lane.start.aligned_with && current_ != kNone) {
        const std::uint64_t now = lanes_[current_].ring.read_frames();
        skip = now - std::min(now, *lane.start.aligned_with);
    }
    const std::size_t available = lane.ring.available_frames();
    if (available < skip + fade_frames_ && !lane.ended.load(std::memory_order_acquire)) return;
    lane.ring.skip(std::min<std::size_t>(skip, available));
    const bool from_silence = current_ == kNone || closed();
    if (current_ == kNone && lane.start.fades_in) level_ = 0.0f;
    if (!from_silence) {
        outgoing_ = current_;
        faded_frames_ = 0;
    }
    current_ = wanted;
    if (from_silence) settled_.store(current_, std::memory_order_release);
}

void Mixer::mix(float* out, std::size_t frames) LACQUER_REALTIME {
    if (current_ == kNone) {
        std::fill_n(out, frames * channels_, 0.0f);
        return;
    }
    const Lane& lane = lanes_[current_];
    const bool ended = lane.ended.load(std::memory_order_acquire);
    if (starved_ && (ended || lane.ring.available_frames() >= fade_frames_)) starved_ = false;
    if (closed()) {
        end_fade();
        std::fill_n(out, frames * channels_, 0.0f);
        return;
    }
    const float step = (was_paused_ ? -1.0f : 1.0f) / static_cast<float>(fade_frames_);
    const std::size_t available = lane.ring.available_frames();
    read_heard(out, frames);
    if (outgoing_ != kNone) add_fading(out, frames);
    if (available >= frames || ended) return gate(out, frames, step);
    const std::size_t last = std::min(available, fade_frames_);
    gate(out, available - last, step);
    gate(out + (available - last) * channels_, last, -1.0f / static_cast<float>(std::max<std::size_t>(1, last)));
    level_ = 0.0f;
    starved_ = true;
    underruns_.fetch_add(1, std::memory_order_relaxed);
}

void Mixer::read_heard(float* out, std::size_t frames) LACQUER_REALTIME {
    const std::size_t got = lanes_[current_].ring.read(out, frames);
    std::fill_n(out + got * channels_, (frames - got) * channels_, 0.0f);
}

// The equal-gain fade: most switches are between two versions of the same sound.
void Mixer::add_fading(float* out, std::size_t frames) LACQUER_REALTIME {
    const std::size_t got = lanes_[outgoing_].ring.read(piece_.data(), frames);
    std::fill_n(piece_.data() + got * channels_, (frames - got) * channels_, 0.0f);
    const float scale = 1.0f / static_cast<float>(fade_frames_);
    for (std::size_t i = 0; i < frames; ++i) {
        const float weight = static_cast<float>(faded_frames_ + i + 1) * scale;
        for (std::size_t c = 0; c < channels_; ++c) {
            const float from = piece_[i * channels_ + c];
            float& to = out[i * channels_ + c];
            to = from + weight * (to - from);
        }
    }
    faded_frames_ += frames;
    if (fade_left() == 0) end_fade();
}

void Mixer::end_fade() LACQUER_REALTIME {
    if (outgoing_ == kNone) return;
    outgoing_ = kNone;
    settled_.store(current_, std::memory_order_release);
}

void Mixer::gate(float* out, std::size_t frames, float step) LACQUER_REALTIME {
    if (level_ == 1.0f && step > 0.0f) return;
    for (std::size_t i = 0; i < frames; ++i) {
        level_ = std::clamp(level_ + step, 0.0f, 1.0f);
        for (std::size_t c = 0; c < channels_; ++c) out[i * channels_ + c] *= level_;
    }
}

void Mixer::publish() LACQUER_REALTIME {
    silent_.store(current_ == kNone || closed(), std::memory_order_release);
    if (current_ == kNone) return;
    const Lane& lane = lanes_[current_];
    const std::uint64_t frame = lane.ring.read_frames();
    position_.store((std::uint64_t{lane.start.run} << kFrameBits) | frame, std::memory_order_release);
    const bool is_over = lane.ended.load(std::memory_order_acquire) && lane.ring.available_frames() == 0 &&
                         wanted_.load(std::memory_order_acquire) == current_;
    if (is_over) finished_.store(lane.start.run, std::memory_order_release);
}

}  // namespace lacquer::player
