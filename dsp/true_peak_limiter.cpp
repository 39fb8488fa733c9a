#include "dsp/true_peak_limiter.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "dsp/peak_interpolator.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/true_peak_limiter.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;

constexpr std::size_t kGroupSamples = 2 * kGroupFrames;

// t + 1 and (t + 1)(t + 2) / 2 for the frames t of a group, for both channels.
struct Ramp {
    alignas(64) float line[kGroupSamples];
    alignas(64) float parabola[kGroupSamples];
};

constexpr Ramp MakeRamp() {
    Ramp ramp{};
    for (std::size_t i = 0; i < kGroupSamples; ++i) {
        const std::size_t t = i / 2;
        ramp.line[i] = static_cast<float>(t + 1);
        ramp.parabola[i] = static_cast<float>((t + 1) * (t + 2) / 2);
    }
    return ramp;
}

constexpr Ramp kRamp = MakeRamp();

void ApplyGain(const float* HWY_RESTRICT from, const GroupGain* HWY_RESTRICT gains, std::size_t groups, float ceiling,
               float* HWY_RESTRICT to) {
    const Floats d;
    const auto most = hn::Set(d, ceiling);
    const auto least = hn::Set(d, -ceiling);
    for (std::size_t g = 0; g < groups; ++g, from += kGroupSamples, to += kGroupSamples) {
        const auto start = hn::Set(d, gains[g].start);
        const auto slope = hn::Set(d, gains[g].slope);
        const auto bend = hn::Set(d, gains[g].bend);
        for (std::size_t i = 0; i < kGroupSamples; i += hn::Lanes(d)) {
            const auto line = hn::Mul(slope, hn::Load(d, kRamp.line + i));
            const auto parabola = hn::Mul(bend, hn::Load(d, kRamp.parabola + i));
            const auto gain = hn::Sub(start, hn::Add(line, parabola));
            const auto y = hn::Mul(hn::Load(d, from + i), gain);
            hn::Store(hn::Min(hn::Max(y, least), most), d, to + i);
        }
    }
}

}  // namespace
}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lacquer::dsp {
namespace {

HWY_EXPORT(ApplyGain);

constexpr std::size_t kReachGroups = 2;  // before the one whose points are looked for; and one that is only read

double checked_ceiling(const LimiterSettings& settings) {
    if (!(settings.ceiling > 0.0 && settings.ceiling <= 1.0)) throw std::invalid_argument("limiter.ceiling");
    return settings.ceiling;
}

float rounded_down(double x) {
    const auto rounded = static_cast<float>(x);
    return static_cast<double>(rounded) > x ? std::nextafter(rounded, 0.0f) : rounded;
}

}  // namespace

TruePeakLimiter::TruePeakLimiter(const LimiterSettings& settings)
    : ceiling_(checked_ceiling(settings)),
      clamp_(rounded_down(ceiling_)),
      quiet_below_(clamp_ / peak_bound()),
      gain_(settings),
      audio_(std::max(gain_.look_ahead_frames(), (kReachGroups + 1) * kGroupFrames)) {}

void TruePeakLimiter::reset() LACQUER_REALTIME {
    gain_.reset();
    audio_.reset();
    quiet_groups_ = 0;
    least_gain_ = 1.0f;
}

void TruePeakLimiter::process(StereoBlock block) LACQUER_REALTIME {
    const std::size_t groups = block.frame_count / kGroupFrames;
    find_peaks(block);
    bool at_rest = true;
    float least_gain = least_gain_;
    for (std::size_t g = 0; g < groups; ++g) {
        const double peak = peaks_[g];
        if (peak <= ceiling_ && gain_.at_rest()) {
            gains_[g] = GroupGain{};
            continue;
        }
        at_rest = false;
        gains_[g] = gain_.next(peak > ceiling_ ? 1.0 - ceiling_ / peak : 0.0);
        least_gain = std::min(least_gain, gains_[g].start);
    }
    least_gain_ = least_gain;
    const float* const delayed = audio_.block() - 2 * latency_frames();
    if (at_rest) {
        std::copy_n(delayed, 2 * block.frame_count, block.samples);
    } else {
        HWY_DYNAMIC_DISPATCH(ApplyGain)(delayed, gains_.data(), groups, clamp_, block.samples);
    }
    audio_.advance(block.frame_count);
}

void TruePeakLimiter::find_peaks(const StereoBlock& block) LACQUER_REALTIME {
    const std::size_t groups = block.frame_count / kGroupFrames;
    const bool quiet = audio_.take(block) <= quiet_below_;
    groups_ += groups;
    if (quiet && quiet_groups_ >= kReachGroups) {
        std::fill_n(peaks_.begin(), groups, 0.0f);
        skipped_groups_ += groups;
    } else {
        skipped_groups_ += group_peaks(audio_.block(), groups, clamp_, peaks_.data());
    }
    quiet_groups_ = quiet ? quiet_groups_ + groups : 0;
}

}  // namespace lacquer::dsp
#endif
