#include "dsp/limiter_gain.h"

#include <algorithm>
#include <stdexcept>

#include "dsp/stereo_block.h"

namespace lacquer::dsp {
namespace {

constexpr double kOne = 16777216.0;  // 2^24
constexpr double kReachOfAverage = 1.25;

const LimiterSettings& checked(const LimiterSettings& settings) {
    const auto left_over = [](double value) { return value >= 0.0 && value < 1.0; };
    if (settings.look_ahead_frames < 1 || settings.look_ahead_frames > 4096) {
        throw std::invalid_argument("limiter.look_ahead_frames");
    }
    if (!left_over(settings.fast_release)) throw std::invalid_argument("limiter.fast_release");
    if (!left_over(settings.slow_release)) throw std::invalid_argument("limiter.slow_release");
    if (!(settings.build_up > 0.0 && settings.build_up <= 1.0)) throw std::invalid_argument("limiter.build_up");
    return settings;
}

// Up to the next quantum, so that the gain never ends above what is required.
std::int64_t quanta_of(double reduction) LACQUER_REALTIME {
    const double quanta = reduction * kOne;
    const auto whole = static_cast<std::int64_t>(quanta);
    return whole + (static_cast<double>(whole) < quanta ? 1 : 0);
}

}  // namespace

LimiterGain::LimiterGain(const LimiterSettings& settings)
    : fast_release_(checked(settings).fast_release),
      slow_release_(settings.slow_release),
      build_up_(settings.build_up),
      boxcar_groups_((settings.look_ahead_frames + 2 * kGroupFrames - 1) / (2 * kGroupFrames)),
      delay_frames_((2 * boxcar_groups_ + 1) * kGroupFrames),
      rest_after_(2 * boxcar_groups_),
      to_gain_(0.0),
      required_(2 * boxcar_groups_ + 2),
      released_(2 * boxcar_groups_),
      quiet_groups_(rest_after_ + 1) {
    const auto frames = static_cast<double>(boxcar_groups_ * kGroupFrames);
    to_gain_ = 1.0 / (kOne * frames * frames);
}

void LimiterGain::reset() LACQUER_REALTIME {
    std::fill(required_.begin(), required_.end(), 0);
    std::fill(released_.begin(), released_.end(), 0);
    held_ = 0;
    held_age_ = 0;
    fast_ = slow_ = average_ = 0.0;
    sum_ = rise_ = 0;
    quiet_groups_ = rest_after_ + 1;
}

// The largest of the window; looked for anew only when the one that was it leaves.
inline LimiterGain::Quanta LimiterGain::held(Quanta required) LACQUER_REALTIME {
    newest_ = newest_ + 1 == required_.size() ? 0 : newest_ + 1;
    required_[newest_] = required;
    if (required >= held_) {
        held_ = required;
        held_age_ = 0;
    } else if (++held_age_ == required_.size()) {
        find_held();
    }
    return held_;
}

// The newest of the largest.
void LimiterGain::find_held() LACQUER_REALTIME {
    const std::size_t size = required_.size();
    held_ = *std::max_element(required_.begin(), required_.end());
    held_age_ = 0;
    std::size_t at = newest_;
    while (required_[at] != held_) {
        at = at == 0 ? size - 1 : at - 1;
        ++held_age_;
    }
}

inline LimiterGain::Quanta LimiterGain::released(Quanta required) LACQUER_REALTIME {
    const auto now = static_cast<double>(held(required));
    fast_ = std::max(now, fast_release_ * fast_);
    slow_ = std::max(now, slow_release_ * slow_);
    average_ += build_up_ * (now - average_);
    const double longer = std::min(slow_, kReachOfAverage * average_);
    if (fast_ < 1.0 && longer < 1.0) fast_ = slow_ = average_ = 0.0;
    return static_cast<Quanta>(std::max(fast_, longer));
}

GroupGain LimiterGain::next(double required) LACQUER_REALTIME {
    const Quanta now = released(quanta_of(required));
    quiet_groups_ = now != 0 ? 0 : quiet_groups_ + 1;

    const std::size_t middle = oldest_ + boxcar_groups_;
    Quanta& oldest = released_[oldest_];
    const Quanta bend = now - 2 * released_[middle < released_.size() ? middle : middle - released_.size()] + oldest;
    oldest = now;
    oldest_ = oldest_ + 1 == released_.size() ? 0 : oldest_ + 1;

    const GroupGain gain{static_cast<float>(1.0 - static_cast<double>(sum_) * to_gain_),
                         static_cast<float>(static_cast<double>(rise_) * to_gain_),
                         static_cast<float>(static_cast<double>(bend) * to_gain_)};
    constexpr Quanta kFrames = kGroupFrames;
    sum_ += kFrames * rise_ + kFrames * (kFrames + 1) / 2 * bend;
    rise_ += kFrames * bend;
    return gain;
}

}  // namespace lacquer::dsp
