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
        bands_.push_back({power_of_db(profile.third_octave_dbfs[b]), power_of_db(response_db(equaliser, frequency)),
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

double width_change_db(double side_to_mid_db, double width) {
    const double side = power_of_db(side_to_mid_db);
    return change_db(1.0 + side, 1.0 + width * width * side);
}

double saturation_change_db(double rms_db, double amount) {
    const double power = power_of_db(rms_db);
    const double cubic = amount * power;
    return change_db(1.0, std::max(1.0 - 6.0 * cubic + 15.0 * cubic * cubic, 0.1));
}

double gated_loudness_lufs(const std::vector<float>& short_term_lufs, const std::vector<double>& gains_db) {
    constexpr double kRelativeGateLu = 10.0;
    const auto mean_above = [&](double gate_lufs) {
        double sum = 0.0;
        std::size_t count = 0;
        for (std::size_t i = 0; i < short_term_lufs.size(); ++i) {
            const double level = static_cast<double>(short_term_lufs[i]) + (gains_db.empty() ? 0.0 : gains_db[i]);
            if (level <= gate_lufs) continue;
            sum += power_of_db(level);
            ++count;
        }
        return count == 0 ? kLoudnessFloorLufs : 10.0 * std::log10(sum / static_cast<double>(count));
    };
    return mean_above(std::max(mean_above(kLoudnessFloorLufs) - kRelativeGateLu, kLoudnessFloorLufs));
}

}  // namespace lacquer::dsp
