#include "src/player/mixer.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace lacquer::player {
namespace {

constexpr int kFrameBits = 48;
constexpr double kReserveSeconds = 0.005;

std::size_t frames_of(double seconds, std::uint32_t sample_rate_hz) {
    return static_cast<std::size_t>(std::ceil(seconds * sample_rate_hz));
}

}  // namespace

Mixer::Mixer(std::size_t channels, std::uint32_t sample_rate_hz, double lane_seconds)
    : channels_(channels),
      fade_frames_(static_cast<std::size_t>(std::lround(kFadeSeconds * sample_rate_hz))),
      reserve_frames_(frames_of(kReserveSeconds, sample_rate_hz)),
      lanes_{Lane(channels, frames_of(lane_seconds, sample_rate_hz)),
             Lane(channels, frames_of(lane_seconds, sample_rate_hz))},
      gate_(fade_frames_) {
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
        try_to_switch(frames);
        std::size_t count = std::min(frames, kPieceFrames);
        if (outgoing_ != kNone) count = std::min(count, fade_left());
        mix(output, count);
        output += count * channels_;
        frames -= count;
    }
    publish();
}

// At once where nothing is heard, else when the whole fade can be read, and what is asked for now.
void Mixer::try_to_switch(std::size_t frames) LACQUER_REALTIME {
    const int wanted = wanted_.load(std::memory_order_acquire);
    if (wanted == current_ || outgoing_ != kNone) return;
    Lane& lane = lanes_[wanted];
    const bool ended = lane.ended.load(std::memory_order_acquire);  // before what is available: then that is all
    const std::size_t available = lane.ring.available_frames();
    const std::size_t skip = to_skip(lane);
    if (available < skip + std::max(fade_frames_, frames) + reserve_frames_ && !ended) return;
    const bool from_silence = current_ == kNone || closed();
    if (!from_silence && !can_fade_out()) return;
    lane.ring.skip(std::min(skip, available));
    if (current_ == kNone && (lane.start.fades_in || was_paused_)) gate_ = 0;
    outgoing_ = from_silence ? kNone : current_;
    faded_frames_ = 0;
    current_ = wanted;
    starved_ = false;
}

std::size_t Mixer::to_skip(const Lane& lane) const LACQUER_REALTIME {
    if (!lane.start.aligned_with || current_ == kNone) return 0;
    const std::uint64_t now = lanes_[current_].ring.read_frames();
    return now - std::min(now, *lane.start.aligned_with);
}

// What runs dry meanwhile is shut first.
bool Mixer::can_fade_out() const LACQUER_REALTIME {
    const Lane& lane = lanes_[current_];
    return lane.ended.load(std::memory_order_acquire) || (!starved_ && lane.ring.available_frames() >= fade_frames_);
}

void Mixer::mix(float* out, std::size_t frames) LACQUER_REALTIME {
    if (current_ == kNone) {
        std::fill_n(out, frames * channels_, 0.0f);
        return;
    }
    const Lane& lane = lanes_[current_];
    const bool ended = lane.ended.load(std::memory_order_acquire);
    const std::size_t available = lane.ring.available_frames();
    if (!(was_paused_ && gate_ == 0)) {
        const bool was_starved = starved_;
        starved_ = !ended && available < frames + (was_starved ? fade_frames_ : reserve_frames_);
        if (starved_ && !was_starved) underruns_.fetch_add(1, std::memory_order_relaxed);
    }
    if (was_paused_ || starved_) return mix_closing(out, frames, ended ? fade_frames_ : available);
    read_heard(out, frames);
    if (outgoing_ != kNone) add_fading(out, frames);
    open_gate(out, frames);
}

// Down to nothing in 30 ms, or faster where less is left, and not a frame taken from there on.
void Mixer::mix_closing(float* out, std::size_t frames, std::size_t available) LACQUER_REALTIME {
    available = std::min(available, gate_);
    const std::size_t step = available == 0 ? 1 : (gate_ + available - 1) / available;
    const std::size_t heard = available == 0 ? 0 : std::min(frames, (gate_ + step - 1) / step);
    if (available == 0) gate_ = 0;
    read_heard(out, heard);
    if (outgoing_ != kNone) add_fading(out, heard);
    for (std::size_t i = 0; i < heard; ++i) {
        const float level = static_cast<float>(gate_) / static_cast<float>(fade_frames_);
        for (std::size_t c = 0; c < channels_; ++c) out[i * channels_ + c] *= level;
        gate_ -= std::min(gate_, step);
    }
    std::fill_n(out + heard * channels_, (frames - heard) * channels_, 0.0f);
    if (gate_ == 0) outgoing_ = kNone;
}

void Mixer::open_gate(float* out, std::size_t frames) LACQUER_REALTIME {
    for (std::size_t i = 0; i < frames && gate_ < fade_frames_; ++i) {
        const float level = static_cast<float>(++gate_) / static_cast<float>(fade_frames_);
        for (std::size_t c = 0; c < channels_; ++c) out[i * channels_ + c] *= level;
    }
}

void Mixer::read_heard(float* out, std::size_t frames) LACQUER_REALTIME {
    const std::size_t got = lanes_[current_].ring.read(out, frames);
    std::fill_n(out + got * channels_, (frames - got) * channels_, 0.0f);
}

// The equal-gain fade: most switches are between two versions of the same sound.
void Mixer::add_fading(float* out, std::size_t frames) LACQUER_REALTIME {
    const std::size_t got = lanes_[outgoing_].ring.read(piece_.data(), frames);
    std::fill_n(piece_.data() + got * channels_, (frames - got) * channels_, 0.0f);
    for (std::size_t i = 0; i < frames; ++i) {
        const float weight = static_cast<float>(faded_frames_ + i + 1) / static_cast<float>(fade_frames_);
        for (std::size_t c = 0; c < channels_; ++c) {
            const float from = piece_[i * channels_ + c];
            float& to = out[i * channels_ + c];
            to = from + weight * (to - from);
        }
    }
    faded_frames_ += frames;
    if (fade_left() == 0) outgoing_ = kNone;
}

// The position first: who sees that the lane is settled sees where it is.
void Mixer::publish() LACQUER_REALTIME {
    silent_.store(current_ == kNone || closed(), std::memory_order_release);
    if (current_ == kNone) return;
    const Lane& lane = lanes_[current_];
    const std::uint64_t frame = lane.ring.read_frames();
    position_.store((std::uint64_t{lane.start.run} << kFrameBits) | frame, std::memory_order_release);
    if (outgoing_ != kNone) return;
    settled_.store(current_, std::memory_order_release);
    const bool is_over = lane.ended.load(std::memory_order_acquire) && lane.ring.available_frames() == 0 &&
                         wanted_.load(std::memory_order_acquire) == current_;
    if (is_over) finished_.store(lane.start.run, std::memory_order_release);
}

}  // namespace lacquer::player
