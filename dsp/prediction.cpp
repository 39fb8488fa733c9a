#include "dsp/prediction.h"

#include <algorithm>
#include <cmath>

#include "dsp/compressor.h"
#include "dsp/filter_design.h"
#include "dsp/loudness.h"
#include "dsp/tone_curve.h"
#include "dsp/units.h"

namespace lacquer::dsp {
namespace {

// The two sections of the K filter at 48 kHz, ITU-R BS.1770-4, tables 1 and 2.
constexpr double kKWeightingRateHz = 48'000.0;
constexpr BiquadCoefficients kKShelf{1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241,
                                     0.73248077421585};
constexpr BiquadCoefficients kKHighPass{1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621};

constexpr double kBlockShare = 0.45;  // of the spread of 100 ms within a second that blocks of 400 ms keep

double power_of_db(double level_db) {
    return std::pow(10.0, level_db / 10.0);
}

std::array<double, kDynamicsBands> band_amplitudes(const std::array<CrossoverSettings, kDynamicsBands - 1>& borders,
                                                   double frequency) {
    const auto twice = [frequency](const BiquadCoefficients& s) { return power_of_db(response_db(s, frequency)); };
    const double above = twice(borders[0].high_pass);
    return {twice(borders[0].low_pass), above * twice(borders[1].low_pass), above * twice(borders[1].high_pass)};
}

// One step of BS.1770-4's gating: the mean power of what lies above.
double mean_above_lufs(const std::vector<double>& loudness_lufs, double gate_lufs) {
    double sum = 0.0;
    std::size_t count = 0;
    for (const double level_lufs : loudness_lufs) {
        if (level_lufs <= gate_lufs) continue;
        sum += power_of_db(level_lufs);
        ++count;
    }
    return count == 0 ? kLoudnessFloorLufs : 10.0 * std::log10(sum / static_cast<double>(count));
}

double relative_gate_lufs(const std::vector<double>& loudness_lufs) {
    return std::max(mean_above_lufs(loudness_lufs, kLoudnessFloorLufs) - 10.0, kLoudnessFloorLufs);
}

double gated_lufs(const std::vector<double>& loudness_lufs) {
    return mean_above_lufs(loudness_lufs, relative_gate_lufs(loudness_lufs));
}

// For each value the share of those that are smaller, ties in the middle; silence is not counted.
std::vector<double> fractions_below(const std::vector<double>& values_lufs) {
    std::vector<double> sorted;
    for (const double value : values_lufs)
        if (value > kLoudnessFloorLufs) sorted.push_back(value);
    std::sort(sorted.begin(), sorted.end());
    std::vector<double> fractions;
    for (const double value : values_lufs) {
        const auto [from, to] = std::equal_range(sorted.begin(), sorted.end(), value);
        const auto twice_rank = (from - sorted.begin()) + (to - sorted.begin());
        fractions.push_back(
            sorted.empty() ? 0.0 : 0.5 * static_cast<double>(twice_rank) / static_cast<double>(sorted.size()));
    }
    return fractions;
}

// Of the 100 ms at these fractions of the histograms, but for a constant, taking it that the bands rise and fall
// together.
std::vector<double> hop_loudness(const Profile& profile, const ShapedSpectrum& spectrum,
                                 const std::vector<double>& fractions) {
    std::array<double, kDynamicsBands> weights_db{};
    for (std::size_t b = 0; b < kDynamicsBands; ++b) weights_db[b] = spectrum.k_weight_db(b);
    std::vector<double> hops_lufs;
    for (const double fraction : fractions) {
        double power = 0.0;
        for (std::size_t b = 0; b < kDynamicsBands; ++b)
            power += power_of_db(level_percentile_db(profile.band_levels[b], fraction) + weights_db[b]);
        hops_lufs.push_back(10.0 * std::log10(power));
    }
    return hops_lufs;
}

double change_db(double before, double after) {
    return before > 0.0 && after > 0.0 ? 10.0 * std::log10(after / before) : 0.0;
}

// 100 ms steps in each second: ten, but for the last.
std::vector<double> hops_of_seconds(const Profile& profile) {
    const std::size_t count = profile.short_term_lufs.size();
    std::vector<double> hops(count, 10.0);
    const auto hop = static_cast<std::int64_t>(hop_frames(profile.sample_rate_hz));
    const std::int64_t in_last = profile.frame_count / hop - 10 * static_cast<std::int64_t>(count - 1);
    hops.back() = static_cast<double>(std::clamp<std::int64_t>(in_last, 1, 10));
    return hops;
}

// Of the three seconds around each, or of those there are.
std::vector<double> window_energies(const std::vector<float>& short_term_lufs, const std::vector<double>& hops) {
    std::vector<double> windows;
    for (std::size_t i = 0; i < hops.size(); ++i) {
        const double before = i > 0 ? hops[i - 1] : 0.0;
        const double behind = i + 1 < hops.size() ? hops[i + 1] : 0.0;
        windows.push_back((before + hops[i] + behind) * power_of_db(static_cast<double>(short_term_lufs[i])));
    }
    return windows;
}

// windows[i] = energies[i - 1] + energies[i] + energies[i + 1], where they exist. Solved from the front with the first
// one free: energies[i] = known[i] + first * (1, -1, 0, 1, -1, 0, ...)[i]. The end says what it is; where it says
// nothing (every third length), it is taken from the middle of the range in which no energy is negative.
std::vector<double> solved_energies(const std::vector<double>& windows) {
    const std::size_t count = windows.size();
    const auto sign = [](std::size_t i) { return i % 3 == 0 ? 1.0 : i % 3 == 1 ? -1.0 : 0.0; };
    std::vector<double> energies(count, 0.0);
    for (std::size_t i = 0; i + 1 < count; ++i) {
        energies[i + 1] = windows[i] - energies[i] - (i > 0 ? energies[i - 1] : 0.0);
    }
    double least = 0.0;
    double most = windows[0];
    for (std::size_t i = 0; i < count; ++i) {
        if (sign(i) > 0.0) least = std::max(least, -energies[i]);
        if (sign(i) < 0.0) most = std::min(most, energies[i]);
    }
    double first = 0.5 * (least + most);
    const double sign_at_end = sign(count - 1) + (count > 1 ? sign(count - 2) : 0.0);
    if (sign_at_end != 0.0) {
        const double known_at_end = energies[count - 1] + (count > 1 ? energies[count - 2] : 0.0);
        first = (windows[count - 1] - known_at_end) / sign_at_end;
    }
    for (std::size_t i = 0; i < count; ++i) energies[i] = std::max(energies[i] + first * sign(i), 0.0);
    return energies;
}

}  // namespace

ShapedSpectrum::ShapedSpectrum(const Profile& profile, const EqualiserSettings& equaliser,
                               const std::array<CrossoverSettings, kDynamicsBands - 1>& borders) {
    for (std::size_t b = 0; b < kThirdOctaveBands; ++b) {
        const double hz = third_octave_centre_hz(b);
        const double frequency = hz / profile.sample_rate_hz;
        if (frequency > 0.49 || profile.third_octave_dbfs[b] <= kSilenceDb + 1.0) continue;
        const double k_frequency = hz / kKWeightingRateHz;
        bands_.push_back({frequency, power_of_db(profile.third_octave_dbfs[b]),
                          power_of_db(response_db(equaliser, frequency)),
                          power_of_db(response_db(kKShelf, k_frequency) + response_db(kKHighPass, k_frequency)),
                          band_amplitudes(borders, frequency)});
    }
}

double ShapedSpectrum::equaliser_change_db(Weighting weighting) const {
    double before = 0.0;
    double after = 0.0;
    for (const Band& band : bands_) {
        const double power = band.power * (weighting == Weighting::k ? band.k_weight : 1.0);
        before += power;
        after += power * band.equaliser;
    }
    return change_db(before, after);
}

double ShapedSpectrum::equaliser_change_db(std::size_t dynamics_band) const {
    double before = 0.0;
    double after = 0.0;
    for (const Band& band : bands_) {
        const double amplitude = band.amplitude[dynamics_band];
        before += band.power * amplitude * amplitude;
        after += band.power * amplitude * amplitude * band.equaliser;
    }
    return change_db(before, after);
}

double ShapedSpectrum::k_weight_db(std::size_t dynamics_band) const {
    double before = 0.0;
    double after = 0.0;
    for (const Band& band : bands_) {
        const double power = band.power * band.amplitude[dynamics_band] * band.amplitude[dynamics_band];
        before += power;
        after += power * band.k_weight;
    }
    return change_db(before, after);
}

double ShapedSpectrum::dynamics_change_db(const std::array<double, kDynamicsBands>& band_gains_db,
                                          Weighting weighting) const {
    double before = 0.0;
    double after = 0.0;
    for (const Band& band : bands_) {
        const double power = band.power * band.equaliser * (weighting == Weighting::k ? band.k_weight : 1.0);
        double amplitude = 0.0;
        for (std::size_t d = 0; d < kDynamicsBands; ++d) amplitude += band.amplitude[d] * db_to_gain(band_gains_db[d]);
        before += power;
        after += power * amplitude * amplitude;
    }
    return change_db(before, after);
}

double ShapedSpectrum::width_change_db(double side_to_mid_db, const WidthSettings& width, Weighting weighting) const {
    const double side = power_of_db(side_to_mid_db);
    double before = 0.0;
    double after = 0.0;
    for (const Band& band : bands_) {
        const double power = band.power * band.equaliser * (weighting == Weighting::k ? band.k_weight : 1.0);
        const double low = power_of_db(response_db(width.border.low_pass, band.frequency));
        const double gain = width.width * (1.0 - width.mono_bass * low);
        before += power * (1.0 + side);
        after += power * (1.0 + side * gain * gain);
    }
    return change_db(before, after);
}

double compression_change_db(const LevelHistogram& levels, const CompressorBandSettings& band, double shift_db) {
    double before = 0.0;
    double after = 0.0;
    for (std::size_t bin = 1; bin < kLevelBins; ++bin) {
        if (levels[bin] == 0) continue;
        const double level_db = kLevelFloorDb + (static_cast<double>(bin) + 0.5) * kLevelStepDb + shift_db;
        const double power = levels[bin] * power_of_db(level_db);
        before += power;
        after += power * power_of_db(-static_reduction_db(band, level_db));
    }
    return change_db(before, after);
}

double saturation_change_db(double rms_db, double amount) {
    const double power = power_of_db(rms_db);
    const double cubic = amount * power;
    return change_db(1.0, std::max(1.0 - 6.0 * cubic + 15.0 * cubic * cubic, 0.1));
}

double limiting_change_db(double overshoot_db, double crest_db) {
    constexpr double kPerSquare = 0.075;  // dB of loudness for the square of a dB; measured
    const double share = std::clamp((17.0 - crest_db) / 3.0, 0.15, 1.0);
    const double over_db = std::max(overshoot_db, 0.0);
    return -kPerSquare * share * over_db * over_db;
}

std::vector<double> loudness_by_second(const Profile& profile) {
    const std::size_t count = profile.short_term_lufs.size();
    if (count == 0) return {};
    const std::vector<double> hops = hops_of_seconds(profile);
    const std::vector<double> energies = solved_energies(window_energies(profile.short_term_lufs, hops));
    std::vector<double> loudness_lufs(count);
    for (std::size_t i = 0; i < count; ++i) {
        const double power = std::max(energies[i] / hops[i], 1e-20);
        loudness_lufs[i] = std::max(10.0 * std::log10(power), kLoudnessFloorLufs);
    }
    return loudness_lufs;
}

std::vector<double> block_loudness(const Profile& profile, const ShapedSpectrum& spectrum) {
    std::vector<double> blocks_lufs = loudness_by_second(profile);
    const std::vector<double> hops_lufs = hop_loudness(profile, spectrum, fractions_below(blocks_lufs));
    const double offset_db = gated_lufs(blocks_lufs) - gated_lufs(hops_lufs);
    for (std::size_t i = 0; i < blocks_lufs.size(); ++i) {
        if (blocks_lufs[i] > kLoudnessFloorLufs)
            blocks_lufs[i] += kBlockShare * (hops_lufs[i] + offset_db - blocks_lufs[i]);
    }
    return blocks_lufs;
}

std::vector<double> compression_by_second_db(const Profile& profile, const ShapedSpectrum& spectrum,
                                             const std::array<CompressorBandSettings, kDynamicsBands>& bands,
                                             const std::array<double, kDynamicsBands>& shifts_db) {
    std::vector<double> changes_db;
    for (const double fraction : fractions_below(loudness_by_second(profile))) {
        std::array<double, kDynamicsBands> gains_db{};
        for (std::size_t b = 0; b < kDynamicsBands; ++b) {
            const double level_db = level_percentile_db(profile.band_levels[b], fraction) + shifts_db[b];
            gains_db[b] = -static_reduction_db(bands[b], level_db);
        }
        changes_db.push_back(spectrum.dynamics_change_db(gains_db, Weighting::k));
    }
    return changes_db;
}

double gating_change_db(const std::vector<double>& before, const std::vector<double>& mean_gains_db,
                        const std::vector<double>& further_gains_db) {
    const double gate_lufs = relative_gate_lufs(before);
    std::vector<double> expected;  // of the blocks that pass now
    std::vector<double> after;
    for (std::size_t i = 0; i < before.size(); ++i) {
        const double level_lufs = before[i] + (mean_gains_db.empty() ? 0.0 : mean_gains_db[i]);
        if (before[i] > gate_lufs) expected.push_back(level_lufs);
        after.push_back(level_lufs + (further_gains_db.empty() ? 0.0 : further_gains_db[i]));
    }
    if (expected.empty()) return 0.0;
    return mean_above_lufs(after, relative_gate_lufs(after)) - mean_above_lufs(expected, kLoudnessFloorLufs);
}

}  // namespace lacquer::dsp
