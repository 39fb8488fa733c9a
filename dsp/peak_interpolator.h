// The waveform between the samples, as limiter and true-peak meter see it.
//
// Method:  4x oversampling after ITU-R BS.1770-4, Annex 2, in two half-band steps, which is half the work of one: a
//          Kaiser-windowed sinc of 28 taps finds the points half way between the samples (within 0.1 dB to 0.43 x the
//          rate, -0.15 to +0.2 dB to 0.46 x: reading high is the safe side), 6 taps find the quarters between those and
//          the samples (within 0.02 dB). Tiles of kPeakTile samples that provably cannot matter are skipped, which
//          changes no result: no point is above the largest sample it needs times the filters' largest sum of |tap|;
//          nor, since the filters leave straight lines as they are, above the largest sample by more than a fixed part
//          of the largest second difference.
// Threads: any; every instruction set gives the same bits.
#pragma once

#include <cstddef>

#include "dsp/realtime.h"

namespace lacquer::dsp {

// Point i stands for what lies between sample i - 15 and sample i - 13; the samples themselves are points, too.
inline constexpr std::size_t kPeakPast = 48;  // samples that must lie before the first
inline constexpr std::size_t kPeakTile = 32;  // samples: a group of stereo frames

// No interpolated point exceeds this times the largest sample it needs; the rounding of the sums included.
float peak_bound() LACQUER_REALTIME;

// The largest |sample|.
float largest_sample(const float* samples, std::size_t count) LACQUER_REALTIME;

// For each of `groups` groups of interleaved stereo frames, kWorkFrames at most, the largest |point| of both channels,
// or 0 where that is provably at most `floor`. `samples` has 3 groups of samples before its first. Returns how many
// groups were skipped.
std::size_t group_peaks(const float* samples, std::size_t groups, float floor, float* peaks) LACQUER_REALTIME;

// The largest of `floor` and `count` points of one channel; `samples` has kPeakPast samples before its first.
float largest_point(const float* samples, std::size_t count, float floor) LACQUER_REALTIME;

}  // namespace lacquer::dsp
