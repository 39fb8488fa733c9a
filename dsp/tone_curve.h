// A gain over frequency as one node per octave band, and the two places it comes from: the correction of a track's own
// spectrum, and the tone of a preset.
#pragma once

#include <array>
#include <optional>

#include "dsp/preset.h"
#include "dsp/profile.h"

namespace lacquer::dsp {

using ToneCurve = std::array<double, kOctaveBands>;  // dB at 31.25 x 2^n Hz

inline double octave_centre_hz(std::size_t band) {
    return 31.25 * static_cast<double>(1u << band);
}
double third_octave_centre_hz(std::size_t band);

// Between the nodes a monotone cubic over log frequency, so that it never leaves the range of its neighbours; constant
// past the ends.
double curve_db_at(const ToneCurve& curve, double hz);

// A spectrum to go to: octave bands in dB relative to each other, kSilenceDb where it says nothing.
struct ToneTarget {
    ToneCurve octave_db;
    double max_correction_db;  // either way
};

inline constexpr double kAudibleShareDb =
    40.0;  // a band further below the strongest one says nothing about the balance

// The balance of recorded music, approached by at most 4 dB.
const ToneTarget& recorded_music();

// What takes each octave band of the profile to the target when the mean of those that both have is the same; empty
// where the profile has nothing or lies more than 25 dB below the target, where the target says nothing, and above
// 0.45 x the rate.
using MissingTone = std::array<std::optional<double>, kOctaveBands>;
MissingTone missing_tone(const Profile& profile, const ToneTarget& target);

// `match` times what is missing: within the target's bound, at most 3 dB between neighbours, and no band moves away
// from the target to keep to that. Bands with nothing to say are not boosted; they follow a cut beside them.
ToneCurve match_correction(const Profile& profile, const ToneTarget& target, double match);

ToneCurve preset_tone(const std::array<double, kToneRegions>& tone_db);

}  // namespace lacquer::dsp
