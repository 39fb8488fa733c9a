// A gain over frequency as one node per octave band, and the two places it comes from: the correction of a track's own
// spectrum, and the tone of a preset.
#pragma once

#include <array>

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

// `match` times what takes the octave bands to the target balance of recorded music: within +-4 dB, at most 3 dB
// between neighbours, no boost where a band lies more than 25 dB below the target. Zero for silence and for bands
// above 0.45 x the rate.
ToneCurve match_correction(const Profile& profile, double match);

ToneCurve preset_tone(const std::array<double, kToneRegions>& tone_db);

}  // namespace lacquer::dsp
