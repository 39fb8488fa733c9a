#include "dsp/peak_interpolator.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "dsp/peak_taps.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/peak_interpolator.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using FloatsV = hn::Vec<Floats>;

template <std::size_t kStride>
HWY_INLINE FloatsV PairAt(const PeakTaps& taps, const float* HWY_RESTRICT x, std::size_t j) {
    const Floats d;
    const FloatsV newer = hn::LoadU(d, x - kStride * j);
    const FloatsV older = hn::LoadU(d, x - kStride * (kHalfWayTaps - 1 - j));
    return hn::Mul(hn::Load(d, taps.half_way[j]), hn::Add(newer, older));
}

// The points half way between samples i - 14 and i - 13 of a vector of samples `x`; in two sums, so that one need not
// wait for the other.
template <std::size_t kStride>
HWY_INLINE FloatsV HalfWay(const PeakTaps& taps, const float* HWY_RESTRICT x) {
    FloatsV even = PairAt<kStride>(taps, x, 0);
    FloatsV odd = PairAt<kStride>(taps, x, 1);
    for (std::size_t j = 2; j < kHalfWayTaps / 2; j += 2) {
        even = hn::Add(even, PairAt<kStride>(taps, x, j));
        odd = hn::Add(odd, PairAt<kStride>(taps, x, j + 1));
    }
    return hn::Add(even, odd);
}

// `count` is a multiple of kWidest.
template <std::size_t kStride>
HWY_INLINE void HalvesOf(const PeakTaps& taps, const float* HWY_RESTRICT x, std::size_t count,
                         float* HWY_RESTRICT halves) {
    const Floats d;
    for (std::size_t i = 0; i < count; i += hn::Lanes(d)) hn::Store(HalfWay<kStride>(taps, x + i), d, halves + i);
}

// The points beside samples i - 15; `halves` as HalfWay() laid them down beside `x`.
template <std::size_t kStride>
HWY_INLINE FloatsV PointsAt(const PeakTaps& taps, const float* HWY_RESTRICT x, const float* HWY_RESTRICT halves) {
    const Floats d;
    const float* const sample = x - kStride * (kHalfWayTaps / 2 + 1);
    const FloatsV before = hn::LoadU(d, sample - kStride);
    const FloatsV left = hn::LoadU(d, sample);
    const FloatsV right = hn::LoadU(d, sample + kStride);
    const FloatsV after = hn::LoadU(d, sample + 2 * kStride);
    const FloatsV half_before = hn::LoadU(d, halves - 2 * kStride);
    const FloatsV half = hn::LoadU(d, halves - kStride);
    const FloatsV half_after = hn::LoadU(d, halves);
    const FloatsV outer = hn::Load(d, taps.quarter[0]);
    const FloatsV middle = hn::Load(d, taps.quarter[1]);
    const FloatsV inner = hn::Load(d, taps.quarter[2]);
    const FloatsV first =
        hn::Add(hn::Add(hn::Mul(outer, hn::Add(before, half_after)), hn::Mul(middle, hn::Add(half_before, right))),
                hn::Mul(inner, hn::Add(left, half)));
    const FloatsV third =
        hn::Add(hn::Add(hn::Mul(outer, hn::Add(half_before, after)), hn::Mul(middle, hn::Add(left, half_after))),
                hn::Mul(inner, hn::Add(half, right)));
    return hn::Max(hn::Max(hn::Abs(first), hn::Abs(third)), hn::Max(hn::Abs(half_after), hn::Abs(left)));
}

template <std::size_t kStride>
HWY_INLINE float TilePeak(const PeakTaps& taps, const float* HWY_RESTRICT x, const float* HWY_RESTRICT halves) {
    const Floats d;
    FloatsV peak = hn::Zero(d);
    for (std::size_t i = 0; i < kPeakTile; i += hn::Lanes(d)) {
        peak = hn::Max(peak, PointsAt<kStride>(taps, x + i, halves + i));
    }
    return hn::GetLane(hn::MaxOfLanes(d, peak));
}

HWY_INLINE FloatsV TileLevel(const float* HWY_RESTRICT x) {
    const Floats d;
    FloatsV level = hn::Zero(d);
    for (std::size_t i = 0; i < kPeakTile; i += hn::Lanes(d)) level = hn::Max(level, hn::Abs(hn::LoadU(d, x + i)));
    return level;
}

template <std::size_t kStride>
HWY_INLINE FloatsV TileBend(const float* HWY_RESTRICT x) {
    const Floats d;
    FloatsV largest = hn::Zero(d);
    for (std::size_t i = 0; i < kPeakTile; i += hn::Lanes(d)) {
        const FloatsV newest = hn::LoadU(d, x + i);
        const FloatsV middle = hn::LoadU(d, x + i - kStride);
        const FloatsV oldest = hn::LoadU(d, x + i - 2 * kStride);
        largest = hn::Max(largest, hn::Abs(hn::Sub(hn::Sub(newest, middle), hn::Sub(middle, oldest))));
    }
    return largest;
}

HWY_INLINE bool AllBelow(FloatsV values, float bound) {
    const Floats d;
    return hn::AllTrue(d, hn::Le(values, hn::Set(d, bound)));
}

// Whether a tile is quiet whose reach has this level; the second differences are looked at only where they decide.
template <std::size_t kStride>
HWY_INLINE bool IsQuiet(FloatsV level, const float* HWY_RESTRICT x, const QuietRules& rules) {
    if (AllBelow(level, rules[0].level)) return true;
    if (!AllBelow(level, rules[kQuietRules - 1].level)) return false;
    FloatsV bend = TileBend<kStride>(x);
    for (std::size_t before = 1; before <= kStride; ++before) {
        bend = hn::Max(bend, TileBend<kStride>(x - before * kPeakTile));
    }
    for (std::size_t r = 1; r < kQuietRules; ++r) {
        if (AllBelow(level, rules[r].level) && AllBelow(bend, rules[r].bend)) return true;
    }
    return false;
}

// Which of the tiles may hold a point above the floor that the rules stand for. Returns how many do not.
template <std::size_t kStride>
HWY_INLINE std::size_t FindLoud(const float* HWY_RESTRICT x, std::size_t tiles, const QuietRules& rules,
                                bool* HWY_RESTRICT loud) {
    std::size_t quiet = 0;
    FloatsV before_last = TileLevel(x - kStride * kPeakTile);  // of one channel the last once more
    FloatsV last = TileLevel(x - kPeakTile);
    for (std::size_t t = 0; t < tiles; ++t, x += kPeakTile) {
        const FloatsV newest = TileLevel(x);
        loud[t] = !IsQuiet<kStride>(hn::Max(hn::Max(before_last, last), newest), x, rules);
        quiet += loud[t] ? 0 : 1;
        before_last = kStride == 1 ? newest : last;
        last = newest;
    }
    return quiet;
}

// All half-way points first, the few before a tile that follows a quiet one included.
template <std::size_t kStride>
HWY_INLINE void LoudPeaks(const PeakTaps& taps, const float* HWY_RESTRICT x, std::size_t tiles,
                          const bool* HWY_RESTRICT loud, float* HWY_RESTRICT peaks) {
    HWY_ALIGN float line[kWidest + kMostTiles * kPeakTile];
    float* const halves = line + kWidest;
    for (std::size_t t = 0; t < tiles; ++t) {
        if (!loud[t]) continue;
        const bool follows = t > 0 && loud[t - 1];
        const std::size_t before = follows ? 0 : kWidest;
        const std::size_t at = t * kPeakTile;
        if (!follows) HalvesOf<kStride>(taps, x + at - before, before, halves + at - before);
        HalvesOf<kStride>(taps, x + at, kPeakTile, halves + at);
    }
    for (std::size_t t = 0; t < tiles; ++t) {
        const std::size_t at = t * kPeakTile;
        peaks[t] = loud[t] ? TilePeak<kStride>(taps, x + at, halves + at) : 0.0f;
    }
}

float LargestSample(const float* HWY_RESTRICT samples, std::size_t count) {
    const Floats d;
    FloatsV largest = hn::Zero(d);
    std::size_t i = 0;
    for (; i + kPeakTile <= count; i += kPeakTile) largest = hn::Max(largest, TileLevel(samples + i));
    float all = hn::GetLane(hn::MaxOfLanes(d, largest));
    for (; i < count; ++i) all = std::max(all, std::abs(samples[i]));
    return all;
}

std::size_t GroupPeaks(const PeakTaps& taps, const float* HWY_RESTRICT x, std::size_t groups, const QuietRules& rules,
                       float* HWY_RESTRICT peaks) {
    bool loud[kMostTiles];
    const std::size_t quiet = FindLoud<2>(x, groups, rules, loud);
    LoudPeaks<2>(taps, x, groups, loud, peaks);
    return quiet;
}

void ChannelPeaks(const PeakTaps& taps, const float* HWY_RESTRICT x, std::size_t tiles, const QuietRules& rules,
                  float* HWY_RESTRICT peaks) {
    bool loud[kMostTiles];
    if (FindLoud<1>(x, tiles, rules, loud) == tiles) return;
    LoudPeaks<1>(taps, x, tiles, loud, peaks);
}

// Each point of one tile of one channel.
void ChannelPoints(const PeakTaps& taps, const float* HWY_RESTRICT x, float* HWY_RESTRICT points) {
    const Floats d;
    HWY_ALIGN float line[kWidest + kPeakTile];
    HalvesOf<1>(taps, x - kWidest, kWidest + kPeakTile, line);
    for (std::size_t i = 0; i < kPeakTile; i += hn::Lanes(d)) {
        hn::StoreU(PointsAt<1>(taps, x + i, line + kWidest + i), d, points + i);
    }
}

}  // namespace
}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lacquer::dsp {
namespace {

HWY_EXPORT(LargestSample);
HWY_EXPORT(GroupPeaks);
HWY_EXPORT(ChannelPeaks);
HWY_EXPORT(ChannelPoints);

const PeakDesign kPeakDesign = design_peak_interpolator();  // before main: the design allocates

void scale_rules(float floor, QuietRules& rules) LACQUER_REALTIME {
    for (std::size_t r = 0; r < kQuietRules; ++r) {
        const QuietRule& rule = kPeakDesign.rules[r];
        rules[r] = {rule.level * floor, rule.bend * floor};
    }
}

}  // namespace

float peak_bound() LACQUER_REALTIME {
    return kPeakDesign.bound;
}

float largest_sample(const float* samples, std::size_t count) LACQUER_REALTIME {
    return HWY_DYNAMIC_DISPATCH(LargestSample)(samples, count);
}

std::size_t group_peaks(const float* samples, std::size_t groups, float floor, float* peaks) LACQUER_REALTIME {
    QuietRules rules;
    scale_rules(floor, rules);
    return HWY_DYNAMIC_DISPATCH(GroupPeaks)(kPeakDesign.taps, samples, groups, rules, peaks);
}

float largest_point(const float* samples, std::size_t count, float floor) LACQUER_REALTIME {
    constexpr std::size_t kAtOnce = 8;
    const PeakTaps& taps = kPeakDesign.taps;
    const std::size_t whole = count / kPeakTile;
    for (std::size_t done = 0; done < whole; done += kAtOnce) {
        const std::size_t tiles = std::min(kAtOnce, whole - done);
        std::array<float, kAtOnce> peaks{};
        QuietRules rules;
        scale_rules(floor, rules);
        HWY_DYNAMIC_DISPATCH(ChannelPeaks)(taps, samples + done * kPeakTile, tiles, rules, peaks.data());
        for (const float peak : peaks) floor = std::max(floor, peak);
    }
    const std::size_t rest = count - whole * kPeakTile;
    if (rest == 0) return floor;
    std::array<float, kPeakPast + kPeakTile> padded{};
    std::copy_n(samples + whole * kPeakTile - kPeakPast, kPeakPast + rest, padded.begin());
    std::array<float, kPeakTile> points;
    HWY_DYNAMIC_DISPATCH(ChannelPoints)(taps, padded.data() + kPeakPast, points.data());
    return std::max(floor, *std::max_element(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(rest)));
}

}  // namespace lacquer::dsp
#endif
