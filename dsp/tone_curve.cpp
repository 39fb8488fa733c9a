#include "dsp/tone_curve.h"

#include <algorithm>
#include <cmath>

#include "dsp/units.h"

namespace lacquer::dsp {
namespace {

// Octave bands of recorded music relative to 1 kHz, dB: after the mean spectra of P. D. Pestana et al. (AES 135, 2013)
// and A. Elowsson and A. Friberg (AES 142, 2017), eased at both ends.
constexpr ToneTarget kRecordedMusic{{-6.0, 3.0, 4.0, 3.0, 2.0, 0.0, -2.5, -5.0, -9.0, -16.0}, 4.0};

constexpr double kMaxStepDb = 3.0;
constexpr double kEmptyBandDb = 25.0;

double slope_at(const ToneCurve& curve, std::size_t node) {
    if (node == 0 || node + 1 == curve.size()) return 0.0;
    const double before = curve[node] - curve[node - 1];
    const double after = curve[node + 1] - curve[node];
    if (before * after <= 0.0) return 0.0;
    return 2.0 * before * after / (before + after);  // harmonic mean: monotone (Fritsch and Butland)
}

// The distance between track and target that is left when their loudness is the same.
std::optional<double> offset_db(const Profile& profile, const ToneTarget& target) {
    const double strongest = *std::max_element(profile.octave_dbfs.begin(), profile.octave_dbfs.end());
    double sum = 0.0;
    int count = 0;
    for (std::size_t b = 1; b + 1 < kOctaveBands; ++b) {
        const bool absent = profile.octave_dbfs[b] <= kSilenceDb + 1.0 || target.octave_db[b] <= kSilenceDb + 1.0;
        if (absent || profile.octave_dbfs[b] < strongest - kAudibleShareDb) continue;
        sum += target.octave_db[b] - profile.octave_dbfs[b];
        ++count;
    }
    if (count == 0) return std::nullopt;
    return sum / count;
}

// Draws two neighbours together by taking from them, never past zero: so none of them changes its direction.
bool draw_together(double& a, double& b) {
    const double apart_db = std::abs(a - b);
    if (apart_db <= kMaxStepDb * (1.0 + 1e-9)) return false;
    if (a * b < 0.0) {
        a *= kMaxStepDb / apart_db;
        b *= kMaxStepDb / apart_db;
    } else {
        double& larger = std::abs(a) > std::abs(b) ? a : b;
        larger -= std::copysign(apart_db - kMaxStepDb, larger);
    }
    return true;
}

// Towards 0 only, so it comes to an end.
void limit_steps(ToneCurve& curve) {
    for (bool changed = true; changed;) {
        changed = false;
        for (std::size_t b = 1; b < kOctaveBands; ++b) changed = draw_together(curve[b - 1], curve[b]) || changed;
    }
}

// A band with nothing in it has nothing to lose: it takes part in a cut beside it instead of limiting that.
void follow_cuts(ToneCurve& curve, const MissingTone& missing) {
    for (std::size_t b = 1; b < kOctaveBands; ++b)
        if (!missing[b]) curve[b] = std::min(curve[b], curve[b - 1]);
    for (std::size_t b = kOctaveBands - 1; b > 0; --b)
        if (!missing[b - 1]) curve[b - 1] = std::min(curve[b - 1], curve[b]);
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

const ToneTarget& recorded_music() {
    return kRecordedMusic;
}

MissingTone missing_tone(const Profile& profile, const ToneTarget& target) {
    MissingTone missing;
    const std::optional<double> offset = offset_db(profile, target);
    if (!offset) return missing;
    for (std::size_t b = 0; b < kOctaveBands; ++b) {
        const bool absent = profile.octave_dbfs[b] <= kSilenceDb + 1.0 || target.octave_db[b] <= kSilenceDb + 1.0;
        if (absent || octave_centre_hz(b) > 0.45 * profile.sample_rate_hz) continue;
        const double missing_db = target.octave_db[b] - profile.octave_dbfs[b] - *offset;
        if (missing_db <= kEmptyBandDb) missing[b] = missing_db;
    }
    return missing;
}

ToneCurve match_correction(const Profile& profile, const ToneTarget& target, double match) {
    const MissingTone missing = missing_tone(profile, target);
    ToneCurve curve{};
    for (std::size_t b = 0; b < kOctaveBands; ++b) {
        const double wanted_db = match * missing[b].value_or(0.0);
        curve[b] = std::clamp(wanted_db, -target.max_correction_db, target.max_correction_db);
    }
    follow_cuts(curve, missing);
    limit_steps(curve);
    return curve;
}

ToneCurve preset_tone(const std::array<double, kToneRegions>& tone_db) {
    const auto between = [&](std::size_t a) { return 0.5 * (tone_db[a] + tone_db[a + 1]); };
    return {tone_db[0], tone_db[0], between(0), tone_db[1], between(1),
            tone_db[2], between(2), tone_db[3], tone_db[4], tone_db[4]};
}

}  // namespace lacquer::dsp
