// Finds the second-order sections whose response follows a wanted curve.
//
// Method:  a low shelf, peaks an octave apart and a high shelf; gains, frequencies and Qs by damped least squares
//          (Levenberg-Marquardt) over a grid of a sixth of an octave, held near where they started. Error for curves
//          with nodes an octave apart and up to 3 dB between them: <= 0.25 dB rms between 20 Hz and 0.45 x the rate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dsp/biquad.h"
#include "dsp/tone_curve.h"

namespace lacquer::dsp {

// At most `section_count` sections (>= 3), none above 0.45 x the rate; fewer when the curve is flat.
std::vector<BiquadCoefficients> fit_sections(const ToneCurve& wanted, std::size_t section_count,
                                             std::uint32_t sample_rate_hz);

}  // namespace lacquer::dsp
