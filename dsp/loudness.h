// Loudness from K-weighted energies per hop of 100 ms.
//
// Method:  ITU-R BS.1770-4 (400 ms blocks every 100 ms, gates at -70 LUFS and -10 LU), EBU Tech 3341 (momentary 400 ms,
//          short-term 3 s), EBU Tech 3342 (range: 3 s windows every second, gates at -70 LUFS and -20 LU, 10th to 95th
//          percentile). A last hop that is not whole is dropped, as the standard drops an incomplete block.
// Threads: one instance belongs to one thread; the functions are pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dsp/audio_block.h"
#include "dsp/biquad.h"
#include "dsp/profile.h"
#include "dsp/realtime.h"

namespace lacquer::dsp {

inline constexpr std::size_t kHopsPerSecond = 10;
inline constexpr std::size_t kMomentaryHops = 4;
inline constexpr std::size_t kShortTermHops = 30;

constexpr std::size_t hop_frames(std::uint32_t sample_rate_hz) noexcept {
    return (sample_rate_hz + 5) / 10;
}

// Sums the K-weighted squares of what passes, over all channels (each of weight 1).
class KWeightedEnergy {
public:
    explicit KWeightedEnergy(std::uint32_t sample_rate_hz);

    void process(ConstAudioBlock block) LACQUER_REALTIME;
    double take() LACQUER_REALTIME;  // the sum since the last take()

private:
    std::array<std::array<Biquad, 2>, kMaxChannels> sections_;
    double sum_ = 0.0;
};

// Mean squares per hop of stretches that are each without a gap inside; windows never span two of them.
using HopRuns = std::span<const std::span<const double>>;

double mean_square_to_lufs(double mean_square);  // never below kLoudnessFloorLufs
double integrated_lufs(HopRuns runs);            // kLoudnessFloorLufs when nothing passes the gates
double loudness_range_lu(HopRuns runs);          // 0 when nothing passes the gates
// One value per second begun: 3 s centred on second n + 0.5, at the ends the mean of what there is.
std::vector<float> short_term_curve(std::span<const double> hops);

// A meter in "EBU mode" for whole files: the maxima are looked for every 10 ms.
class LoudnessMeter {
public:
    LoudnessMeter(std::uint32_t sample_rate_hz, std::size_t channel_count);

    void measure(ConstAudioBlock block);

    double integrated() const;  // LUFS
    double range() const;       // LU
    double momentary() const;   // LUFS; the last 400 ms, kLoudnessFloorLufs before that
    double short_term() const;  // the last 3 s
    double max_momentary() const;
    double max_short_term() const;

private:
    std::vector<double> hops() const;

    std::size_t hop_frames_;
    KWeightedEnergy energy_;
    std::size_t frame_in_step_ = 0;
    std::vector<double> steps_;  // energy per 10 ms
};

}  // namespace lacquer::dsp
