#include "dsp/prediction.h"

#include <algorithm>
#include <cmath>

#include "dsp/compressor.h"
#include "dsp/filter_design.h"
#include "dsp/tone_curve.h"
#include "dsp/units.h"

namespace lacquer::dsp {
namespace {

// The two sections of the K filter at 48 kHz, ITU-R BS.1770-4, tables 1 and 2.
constexpr double kKWeightingRateHz = 48'000.0;
constexpr BiquadCoefficients kKShelf{1.53512485958697, -2.69169618940638, 1.19839281085285, -1.69065929318241,
                                     0.73248077421585};
constexpr BiquadCoefficients kKHighPass{1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621};

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

std::size_t count_below(const std::vector<double>& loudness_lufs, double gate_lufs) {
    const auto below = [gate_lufs](double level_lufs) { return level_lufs <= gate_lufs; };
    return static_cast<std::size_t>(std::count_if(loudness_lufs.begin(), loudness_lufs.end(), below));
}

double change_db(double before, double after) {
    return before > 0.0 && after > 0.0 ? 10.0 * std::log10(after / before) : 0.0;
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
    constexpr double kHeldShare = 0.15;  // of the reduction's deviation: release is slower than attack; measured
    double before = 0.0;
    double after = 0.0;
    double sum_db = 0.0;
    double square_sum = 0.0;
    for (std::size_t bin = 1; bin < kLevelBins; ++bin) {
        if (levels[bin] == 0) continue;
        const double level_db = kLevelFloorDb + (static_cast<double>(bin) + 0.5) * kLevelStepDb + shift_db;
        const double power = levels[bin] * power_of_db(level_db);
        const double reduction_db = static_reduction_db(band, level_db);
        before += power;
        after += power * power_of_db(-reduction_db);
        sum_db += power * reduction_db;
        square_sum += power * reduction_db * reduction_db;
    }
    if (before == 0.0) return 0.0;
    const double mean_db = sum_db / before;
    const double deviation_db = std::sqrt(std::max(square_sum / before - mean_db * mean_db, 0.0));
    return change_db(before, after) - kHeldShare * deviation_db;
}

double saturation_change_db(double rms_db, double amount) {
    const double power = power_of_db(rms_db);
    const double cubic = amount * power;
    return change_db(1.0, std::max(1.0 - 6.0 * cubic + 15.0 * cubic * cubic, 0.1));
}

std::vector<double> compression_by_second_db(const Profile& profile, const ShapedSpectrum& spectrum,
                                             const std::array<CompressorBandSettings, kDynamicsBands>& bands,
                                             const std::array<double, kDynamicsBands>& shifts_db) {
    constexpr std::size_t kSteps = 40;
    std::array<double, kSteps + 1> change_at{};
    for (std::size_t step = 0; step <= kSteps; ++step) {
        std::array<double, kDynamicsBands> gains_db{};
        for (std::size_t b = 0; b < kDynamicsBands; ++b) {
            const double fraction = static_cast<double>(step) / kSteps;
            const double level_db = level_percentile_db(profile.band_levels[b], fraction) + shifts_db[b];
            gains_db[b] = -static_reduction_db(bands[b], level_db);
        }
        change_at[step] = spectrum.dynamics_change_db(gains_db, Weighting::k);
    }
    std::vector<float> sorted = profile.short_term_lufs;
    std::sort(sorted.begin(), sorted.end());
    std::vector<double> changes_db;
    changes_db.reserve(sorted.size());
    for (const float loudness_lufs : profile.short_term_lufs) {
        const auto [from, to] = std::equal_range(sorted.begin(), sorted.end(), loudness_lufs);
        const double rank = 0.5 * static_cast<double>((from - sorted.begin()) + (to - sorted.begin()));
        const double fraction = rank / static_cast<double>(sorted.size());
        changes_db.push_back(change_at[static_cast<std::size_t>(std::lround(fraction * kSteps))]);
    }
    return changes_db;
}

double gating_change_db(const Profile& profile, const std::vector<double>& mean_gains_db,
                        const std::vector<double>& further_gains_db) {
    const std::vector<double> before(profile.short_term_lufs.begin(), profile.short_term_lufs.end());
    const double gate_lufs = relative_gate_lufs(before);
    std::vector<double> expected;  // of the seconds that pass now
    std::vector<double> after;
    for (std::size_t i = 0; i < before.size(); ++i) {
        const double level_lufs = before[i] + (mean_gains_db.empty() ? 0.0 : mean_gains_db[i]);
        if (before[i] > gate_lufs) expected.push_back(level_lufs);
        after.push_back(level_lufs + (further_gains_db.empty() ? 0.0 : further_gains_db[i]));
    }
    if (expected.empty()) return 0.0;
    const double change_db =
        mean_above_lufs(after, relative_gate_lufs(after)) - mean_above_lufs(expected, kLoudnessFloorLufs);

    // Windows of 3 s blur the border between what passes and what does not, which a gate reads as a lower loudness;
    // the more seconds pass afterwards, the less of that is left.
    const std::size_t out_before = before.size() - expected.size();
    const std::size_t out_after = count_below(after, relative_gate_lufs(after));
    if (out_before <= out_after) return change_db;
    const double blur_db = std::min(mean_above_lufs(before, gate_lufs) - profile.integrated_lufs, 0.0);
    return change_db + blur_db * static_cast<double>(out_before - out_after) / static_cast<double>(out_before);
}

}  // namespace lacquer::dsp
