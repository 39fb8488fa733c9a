// What one measurement of a whole track found out: everything a recipe is derived from, as plain numbers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lacquer::dsp {

inline constexpr std::size_t kOctaveBands = 10;       // centres 31.25 x 2^n Hz
inline constexpr std::size_t kThirdOctaveBands = 30;  // centres 25 Hz x 2^(n/3)
inline constexpr std::size_t kDynamicsBands = 3;

inline constexpr double kLoudnessFloorLufs = -70.0;  // BS.1770-4's absolute gate; reads as "nothing above it"

inline constexpr double kNearSilenceLufs = -50.0;  // tracks below are neither matched nor turned up

// The borders between the compressor's bands, common to all presets; lower of this and 0.4 x the sample rate.
inline constexpr std::array<double, kDynamicsBands - 1> kCrossoversHz{160.0, 2500.0};

// Counts of 100 ms RMS levels of one band, in steps of kLevelStepDb from kLevelFloorDb (lower levels fall into bin 0).
inline constexpr double kLevelFloorDb = -90.0;
inline constexpr double kLevelStepDb = 0.5;
inline constexpr std::size_t kLevelBins = 200;  // up to +10 dBFS
using LevelHistogram = std::array<std::uint32_t, kLevelBins>;

struct Profile {
    std::uint32_t sample_rate_hz = 0;
    std::uint32_t channel_count = 0;  // 1 or 2, after the downmix
    std::int64_t frame_count = 0;     // frames of the track (not of what was measured)
    bool provisional = false;         // from windows spread over the track: no short-term curve, loudness approximate

    double integrated_lufs = kLoudnessFloorLufs;  // BS.1770-4, gated; kLoudnessFloorLufs when nothing passes the gate
    double loudness_range_lu = 0.0;               // EBU Tech 3342
    double true_peak_dbtp = -200.0;               // BS.1770-4 Annex 2, 4x
    double sample_peak_dbfs = -200.0;
    double rms_dbfs = -200.0;         // full-scale square = 0, mean over channels
    double crest_db = 0.0;            // sample peak over RMS
    double stereo_correlation = 1.0;  // [-1, 1]; 1 for mono and for silence, 0 when one channel alone is silent
    double side_to_mid_db = -200.0;   // energy of (L-R)/2 over (L+R)/2, [-200, 200]

    std::array<double, kOctaveBands> octave_dbfs{};  // mean power in the band and over the channels (full-scale
    std::array<double, kThirdOctaveBands> third_octave_dbfs{};  // sine = -3.01); -200 when empty or above Nyquist
    std::array<LevelHistogram, kDynamicsBands> band_levels{};   // split by the compressor's own crossovers, untrimmed

    // 3 s window centred on second n + 0.5, at the ends the mean of what there is; floor -70; one per second begun by a
    // whole 100 ms; empty when provisional.
    std::vector<float> short_term_lufs;
    std::vector<float> speech_confidence;  // [0, 1] per whole window of 3 s
};

// True when speech was recognised with confidence >= 0.95 in at least 80 % of the windows.
bool is_speech(const Profile& profile);

// Level in dB below which `fraction` of the counted levels lie; kLevelFloorDb for an empty histogram. Bin 0 (silence)
// is left out of the count, so that pauses do not pull a band's median down.
double level_percentile_db(const LevelHistogram& histogram, double fraction);

}  // namespace lacquer::dsp
