// A track as the target for others: what is taken over from it, as plain numbers that stay valid without the track.
#pragma once

#include "dsp/profile.h"
#include "dsp/tone_curve.h"

namespace lacquer::dsp {

struct ReferenceTarget {
    ToneCurve octave_db{};  // mean power relative to the strongest octave band; kSilenceDb where it says nothing
    double integrated_lufs = 0.0;
    double side_to_mid_db = 0.0;     // as in Profile
    double loudness_range_lu = 0.0;  // with the crest factor: how much of the dynamics is left alone
    double crest_db = 0.0;
};

// Bands more than 40 dB below the strongest one say nothing: what lies there is noise, or the filter of a codec.
// Throws std::invalid_argument when the profile is of near silence (no loudness, or below -50 LUFS).
ReferenceTarget reference_of(const Profile& profile);

}  // namespace lacquer::dsp
