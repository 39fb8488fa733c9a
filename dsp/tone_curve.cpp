#include "dsp/tone_curve.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "dsp/units.h"

namespace lacquer::dsp {
namespace {

// Octave bands of recorded music relative to 1 kHz, dB: after the mean spectra of P. D. Pestana et al. (AES 135, 2013)
// and A. Elowsson and A. Friberg (AES 142, 2017), eased at both ends.
constexpr ToneCurve kTargetDb{-6.0, 3.0, 4.0, 3.0, 2.0, 0.0, -2.5, -5.0, -9.0, -16.0};

constexpr double kMaxCorrectionDb = 4.0;
constexpr double kMaxStepDb = 3.0;
constexpr double kEmptyBandDb = 25.0;
constexpr double kAudibleShareDb = 40.0;  // a band further below the strongest one says nothing about the balance

double slope_at(const ToneCurve& curve, std::size_t node) {
    if (node == 0 || node + 1 == curve.size()) return 0.0;
    const double before = curve[node] - curve[node - 1];
    const double after = curve[node + 1] - curve[node];
    if (before * after <= 0.0) return 0.0;
    return 2.0 * before * after / (before + after);  // harmonic mean: monotone (Fritsch and Butland)
}

// The distance between track and target that is left when their loudness is the same.
std::optional<double> offset_db(const Profile& profile) {
    const double strongest = *std::max_element(profile.octave_dbfs.begin(), profile.octave_dbfs.end());
    double sum = 0.0;
    int count = 0;
    for (std::size_t b = 1; b + 1 < kOctaveBands; ++b) {
        if (profile.octave_dbfs[b] <= kSilenceDb + 1.0 || profile.octave_dbfs[b] < strongest - kAudibleShareDb)
            continue;
        sum += kTargetDb[b] - profile.octave_dbfs[b];
        ++count;
    }
    if (count == 0) return std::nullopt;
    return sum / count;
}

}  // namespace

double third_octave_centre_hz(std::size_t band) {
    return 25.0 * std::exp2(static_cast<double>(band) / 3.0);
}

double curve_db_at(const ToneCurve& curve, double hz) {
    const double position = std::clamp(std::log2(hz / octave_centre_hz(0)), 0.0, static_cast<double>(kOctaveBands - 1));
    const auto node = std::min(static_cast<std::size_t>(position), kOctaveBands - 2);
    const double t = position - static_cast<double>(node);
    const double u = 1.0 - t;
    return curve[node] * u * u * (1.0 + 2.0 * t) + slope_at(curve, node) * t * u * u +
           curve[node + 1] * t * t * (1.0 + 2.0 * u) - slope_at(curve, node + 1) * t * t * u;
}

ToneCurve match_correction(const Profile& profile, double match) {
    ToneCurve curve{};
    const std::optional<double> offset = offset_db(profile);
    if (!offset) return curve;
    for (std::size_t b = 0; b < kOctaveBands; ++b) {
        const bool absent = profile.octave_dbfs[b] <= kSilenceDb + 1.0;
        if (absent || octave_centre_hz(b) > 0.45 * profile.sample_rate_hz) continue;
        const double missing_db = kTargetDb[b] - profile.octave_dbfs[b] - *offset;
        if (missing_db > kEmptyBandDb) continue;
        curve[b] = std::clamp(match * missing_db, -kMaxCorrectionDb, kMaxCorrectionDb);
    }
    for (std::size_t b = 1; b < kOctaveBands; ++b) curve[b] = std::min(curve[b], curve[b - 1] + kMaxStepDb);
    for (std::size_t b = kOctaveBands - 1; b > 0; --b) curve[b - 1] = std::min(curve[b - 1], curve[b] + kMaxStepDb);
    return curve;
}

ToneCurve preset_tone(const std::array<double, kToneRegions>& tone_db) {
    const auto between = [&](std::size_t a) { return 0.5 * (tone_db[a] + tone_db[a + 1]); };
    return {tone_db[0], tone_db[0], between(0), tone_db[1], between(1),
            tone_db[2], between(2), tone_db[3], tone_db[4], tone_db[4]};
}

}  // namespace lacquer::dsp
