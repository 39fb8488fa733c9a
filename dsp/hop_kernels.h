// The filters of the profile over kLanes signals side by side, and the sums of squares behind them.
//
// Method:  second-order sections on integrators of differences instead of delays (the delta operator; R. M. Goodall and
//          B. J. Donoghue, "Very high sample rate digital filters using the delta operator", IEE Proc. G 140(3), 1993):
//          with u = 1 - z^-1 the denominator 1 + a1 z^-1 + a2 z^-2 is u^2 + c1 z^-1 u + c2 z^-2, where c1 = 2 + a1 and
//          c2 = 1 + a1 + a2 keep their precision in float however low the frequency is. Gains are left out of the
//          sections (each starts with b0 = 1) and are put into the sums by whoever reads them.
// Threads: pure but for the state handed in.
#pragma once

#include <cstddef>

#include "dsp/lanes.h"

namespace lacquer::dsp {

inline constexpr std::size_t kHalfLanes = kLanes / 2;  // the left channels; the right ones are the other half

struct DeltaPoles {
    float c1 = 0.0f;
    float c2 = 0.0f;
};
struct DeltaZeros {  // the numerator is u^2 + d1 z^-1 u + d2 z^-2
    float d1 = 0.0f;
    float d2 = 0.0f;
};

struct HopFilters {
    DeltaPoles shelf;  // the K-weighting
    DeltaZeros shelf_zeros;
    DeltaPoles low_cut;
    DeltaPoles upper;  // Butterworth sections of the borders between the bands
    DeltaPoles lower;
    DeltaPoles speech_high_pass;
    DeltaPoles speech_low_pass;
};

using LaneValues = float[kLanes];
using HalfLaneValues = float[kHalfLanes];

struct alignas(64) SectionState {
    LaneValues first;
    LaneValues second;
};

struct HopState {
    SectionState shelf, low_cut;
    SectionState upper, upper_low_pass, upper_high_pass;
    SectionState lower, lower_low_pass, lower_high_pass;
    SectionState speech_high_pass, speech_low_pass;  // of the left half, as below
    alignas(64) LaneValues speech_before;
};

struct alignas(64) HopSums {  // of squares, over the frames of one call
    LaneValues plain, weighted;
    LaneValues high, middle, low;
    HalfLaneValues sum, difference;  // L + R, L - R
    HalfLaneValues speech;           // of L + R
    HalfLaneValues crossings;        // of zero, counted
};

// Fills plain, weighted and high; `below` gets what lies below the upper border, for each frame.
void weigh_and_split(const HopFilters& filters, const float* lanes, std::size_t frames, HopState& state, float* below,
                     HopSums& sums);
// Fills middle and low, from the frames first, first + step, ... of `below`.
void split_below(const HopFilters& filters, const float* below, std::size_t frames, std::size_t first, std::size_t step,
                 HopState& state, HopSums& sums);
// Fills sum, difference, speech and crossings.
void follow_speech(const HopFilters& filters, const float* lanes, std::size_t frames, HopState& state, HopSums& sums);

}  // namespace lacquer::dsp
