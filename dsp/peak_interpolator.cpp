#include "dsp/peak_interpolator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "dsp/fir.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/peak_interpolator.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef LACQUER_DSP_PEAK_TAPS
#define LACQUER_DSP_PEAK_TAPS
namespace lacquer::dsp {

inline constexpr std::size_t kHalfWayTaps = 28;
inline constexpr std::size_t kQuarterTaps = 6;
inline constexpr std::size_t kMostTiles = 16;  // at once
inline constexpr std::size_t kWidest = 16;     // lanes
inline constexpr std::size_t kQuietRules = 4;

// A tile is quiet when neither a sample nor a second difference in its reach is above these. The first rule does
// without the second differences; the last allows the highest level.
struct QuietRule {
    float level;
    float bend;
};
using QuietRules = QuietRule[kQuietRules];

// One half of each symmetric filter, the outermost tap first. Each tap fills a vector, so that it need not be spread
// every time.
struct PeakTaps {
    using Tap = float[kWidest];
    alignas(64) Tap half_way[kHalfWayTaps / 2];
    alignas(64) Tap quarter[kQuarterTaps / 2];
};

}  // namespace lacquer::dsp
#endif

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

struct Interpolator {
    PeakTaps taps;
    float bound;
    QuietRules rules;  // for a floor of 1
};

// A filter on the samples by place, in half samples: even places are samples.
using TapsByPlace = std::map<int, double>;

double sum_of_magnitudes(const TapsByPlace& taps) {
    double sum = 0.0;
    for (const auto& [at, tap] : taps) sum += std::abs(tap);
    return sum;
}

void add_half_way(const std::vector<double>& half_way, int at, double factor, TapsByPlace& to) {
    constexpr int kReach = static_cast<int>(kHalfWayTaps) - 1;
    for (int j = 0; j <= kReach; ++j) to[at - kReach + 2 * j] += factor * half_way[static_cast<std::size_t>(j)];
}

TapsByPlace composed(const std::vector<double>& half_way, const std::vector<double>& quarter) {
    TapsByPlace taps;
    for (std::size_t j = 0; j < kQuarterTaps; ++j) {
        const int at = static_cast<int>(j) - static_cast<int>(kQuarterTaps / 2) + 1;
        if (at % 2 == 0) {
            taps[at] += quarter[j];
        } else {
            add_half_way(half_way, at, quarter[j], taps);
        }
    }
    return taps;
}

// How far a filter can be from the straight line between samples 0 and 2, in largest second differences. `at`: where on
// it, in [0, 1].
double largest_bend(TapsByPlace taps, double at) {
    taps[0] -= 1.0 - at;
    taps[2] -= at;
    double first = 0.0;  // what is left is the second difference of `second`
    double second = 0.0;
    double sum = 0.0;
    for (const auto& [place, tap] : taps) {
        first += tap;
        second += first;
        sum += std::abs(second);
    }
    return sum;
}

void spread(double value, PeakTaps::Tap& tap) {
    std::fill(std::begin(tap), std::end(tap), static_cast<float>(value));
}

Interpolator make_interpolator() {
    const std::vector<double> half_way = half_band_taps(kHalfWayTaps, 3.4);
    const std::vector<double> quarter{0.02134, -0.12066, 0.59932, 0.59932, -0.12066, 0.02134};  // least largest error
    Interpolator made{};
    for (std::size_t j = 0; j < kHalfWayTaps / 2; ++j) spread(half_way[j], made.taps.half_way[j]);
    for (std::size_t j = 0; j < kQuarterTaps / 2; ++j) spread(quarter[j], made.taps.quarter[j]);
    TapsByPlace middle;
    add_half_way(half_way, 1, 1.0, middle);
    const TapsByPlace beside = composed(half_way, quarter);
    constexpr double kRounding = 1.00002;
    made.bound = static_cast<float>(std::max(sum_of_magnitudes(middle), sum_of_magnitudes(beside)) * kRounding);
    made.rules[0] = {1.0f / made.bound, 0.0f};
    const double bend = std::max(largest_bend(middle, 0.5), largest_bend(beside, 0.25));
    constexpr double kParts[] = {0.4, 0.15, 0.05};  // of the floor that the second differences may take
    for (std::size_t r = 1; r < kQuietRules; ++r) {
        const double part = kParts[r - 1];
        made.rules[r] = {static_cast<float>((1.0 - part) / kRounding), static_cast<float>(part / bend / kRounding)};
    }
    return made;
}

const Interpolator kInterpolator = make_interpolator();  // built before main: its design allocates

void scale_rules(float floor, QuietRules& rules) LACQUER_REALTIME {
    for (std::size_t r = 0; r < kQuietRules; ++r) {
        const QuietRule& rule = kInterpolator.rules[r];
        rules[r] = {rule.level * floor, rule.bend * floor};
    }
}

}  // namespace

float peak_bound() LACQUER_REALTIME {
    return kInterpolator.bound;
}

float largest_sample(const float* samples, std::size_t count) LACQUER_REALTIME {
    return HWY_DYNAMIC_DISPATCH(LargestSample)(samples, count);
}

std::size_t group_peaks(const float* samples, std::size_t groups, float floor, float* peaks) LACQUER_REALTIME {
    QuietRules rules;
    scale_rules(floor, rules);
    return HWY_DYNAMIC_DISPATCH(GroupPeaks)(kInterpolator.taps, samples, groups, rules, peaks);
}

float largest_point(const float* samples, std::size_t count, float floor) LACQUER_REALTIME {
    constexpr std::size_t kAtOnce = 8;
    const PeakTaps& taps = kInterpolator.taps;
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
