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

// The points half way between samples i - 14 and i - 13 of a vector of samples `x`, or of two neighbouring ones:
// neither then waits for its own sum.
template <std::size_t kStride, bool kTwo>
HWY_INLINE void HalfWay(const PeakTaps& taps, const float* HWY_RESTRICT x, float* HWY_RESTRICT halves) {
    const Floats d;
    const std::size_t next = hn::Lanes(d);
    const float* const oldest = x - kStride * (kHalfWayTaps - 1);
    FloatsV first = hn::Zero(d);
    FloatsV second = hn::Zero(d);
    for (std::size_t j = 0; j < kHalfWayTaps / 2; ++j) {
        const FloatsV tap = hn::Load(d, taps.half_way[j]);
        const float* const newer = x - kStride * j;
        const float* const older = oldest + kStride * j;
        first = hn::Add(first, hn::Mul(tap, hn::Add(hn::LoadU(d, newer), hn::LoadU(d, older))));
        if (!kTwo) continue;
        second = hn::Add(second, hn::Mul(tap, hn::Add(hn::LoadU(d, newer + next), hn::LoadU(d, older + next))));
    }
    hn::Store(first, d, halves);
    if (kTwo) hn::Store(second, d, halves + next);
}

// `count` is a multiple of kWidest.
template <std::size_t kStride>
HWY_INLINE void HalvesOf(const PeakTaps& taps, const float* HWY_RESTRICT x, std::size_t count,
                         float* HWY_RESTRICT halves) {
    const std::size_t two = 2 * hn::Lanes(Floats());
    std::size_t i = 0;
    for (; i + two <= count; i += two) HalfWay<kStride, true>(taps, x + i, halves + i);
    if (i < count) HalfWay<kStride, false>(taps, x + i, halves + i);
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

// Which of the tiles may hold a point above the floor that `quiet_below` stands for. Returns how many do not.
template <std::size_t kTilesBefore>
HWY_INLINE std::size_t FindLoud(const float* HWY_RESTRICT x, std::size_t tiles, float quiet_below,
                                bool* HWY_RESTRICT loud) {
    const Floats d;
    std::size_t quiet = 0;
    FloatsV before_last = TileLevel(x - kTilesBefore * kPeakTile);
    FloatsV last = TileLevel(x - kPeakTile);
    for (std::size_t t = 0; t < tiles; ++t) {
        const FloatsV level = TileLevel(x + t * kPeakTile);
        const FloatsV reach = hn::Max(hn::Max(before_last, last), level);
        loud[t] = !hn::AllTrue(d, hn::Le(reach, hn::Set(d, quiet_below)));
        quiet += loud[t] ? 0 : 1;
        before_last = kTilesBefore == 1 ? level : last;
        last = level;
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

std::size_t GroupPeaks(const PeakTaps& taps, const float* HWY_RESTRICT x, std::size_t groups, float quiet_below,
                       float* HWY_RESTRICT peaks) {
    bool loud[kMostTiles];
    const std::size_t quiet = FindLoud<2>(x, groups, quiet_below, loud);
    LoudPeaks<2>(taps, x, groups, loud, peaks);
    return quiet;
}

void ChannelPeaks(const PeakTaps& taps, const float* HWY_RESTRICT x, std::size_t tiles, float quiet_below,
                  float* HWY_RESTRICT peaks) {
    bool loud[kMostTiles];
    if (FindLoud<1>(x, tiles, quiet_below, loud) == tiles) return;
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
};

double sum_of_magnitudes(const std::map<int, double>& taps) {
    double sum = 0.0;
    for (const auto& [at, tap] : taps) sum += std::abs(tap);
    return sum;
}

// Largest sum of |tap| of a filter on the samples alone, for the points half way and the quarters.
double largest_gain(const std::vector<double>& half_way, const std::vector<double>& quarter) {
    constexpr int kReach = static_cast<int>(kHalfWayTaps) - 1;
    std::map<int, double> composed;  // by half samples: even ones are samples, odd ones half way
    std::map<int, double> alone;
    const auto add_half_way = [&](std::map<int, double>& to, int at, double factor) {
        for (int j = 0; j <= kReach; ++j) to[at - kReach + 2 * j] += factor * half_way[static_cast<std::size_t>(j)];
    };
    add_half_way(alone, 1, 1.0);
    for (std::size_t j = 0; j < kQuarterTaps; ++j) {
        const int at = static_cast<int>(j) - static_cast<int>(kQuarterTaps / 2) + 1;
        if (at % 2 == 0) {
            composed[at] += quarter[j];
        } else {
            add_half_way(composed, at, quarter[j]);
        }
    }
    return std::max(sum_of_magnitudes(alone), sum_of_magnitudes(composed));
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
    made.bound = static_cast<float>(largest_gain(half_way, quarter) * 1.00001);
    return made;
}

const Interpolator kInterpolator = make_interpolator();  // built before main: its design allocates

}  // namespace

float peak_bound() LACQUER_REALTIME {
    return kInterpolator.bound;
}

float largest_sample(const float* samples, std::size_t count) LACQUER_REALTIME {
    return HWY_DYNAMIC_DISPATCH(LargestSample)(samples, count);
}

std::size_t group_peaks(const float* samples, std::size_t groups, float floor, float* peaks) LACQUER_REALTIME {
    return HWY_DYNAMIC_DISPATCH(GroupPeaks)(kInterpolator.taps, samples, groups, floor / kInterpolator.bound, peaks);
}

float largest_point(const float* samples, std::size_t count, float floor) LACQUER_REALTIME {
    constexpr std::size_t kAtOnce = 8;
    const Interpolator& use = kInterpolator;
    const std::size_t whole = count / kPeakTile;
    for (std::size_t done = 0; done < whole; done += kAtOnce) {
        const std::size_t tiles = std::min(kAtOnce, whole - done);
        std::array<float, kAtOnce> peaks{};
        HWY_DYNAMIC_DISPATCH(ChannelPeaks)
        (use.taps, samples + done * kPeakTile, tiles, floor / use.bound, peaks.data());
        for (const float peak : peaks) floor = std::max(floor, peak);
    }
    const std::size_t rest = count - whole * kPeakTile;
    if (rest == 0) return floor;
    std::array<float, kPeakPast + kPeakTile> padded{};
    std::copy_n(samples + whole * kPeakTile - kPeakPast, kPeakPast + rest, padded.begin());
    std::array<float, kPeakTile> points;
    HWY_DYNAMIC_DISPATCH(ChannelPoints)(use.taps, padded.data() + kPeakPast, points.data());
    return std::max(floor, *std::max_element(points.begin(), points.begin() + static_cast<std::ptrdiff_t>(rest)));
}

}  // namespace lacquer::dsp
#endif
