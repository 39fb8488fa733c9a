// The filters of dsp/peak_interpolator.h, and what can be said about their points without running them. By arithmetic
// alone, so that every machine gets the same.
#pragma once

#include <cstddef>

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

struct PeakDesign {
    PeakTaps taps;
    float bound;       // no point exceeds this times the largest sample it needs; rounding included
    QuietRules rules;  // for a floor of 1
};

PeakDesign design_peak_interpolator();

}  // namespace lacquer::dsp
