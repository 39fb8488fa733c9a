// Coefficients of second-order sections, and what they do to a sine. Uses libm: for deriving recipes, not for
// rendering.
//
// Method:  R. Bristow-Johnson, Audio EQ Cookbook (bilinear transform).
#pragma once

#include "dsp/biquad.h"
#include "dsp/settings.h"

namespace lacquer::dsp {

inline constexpr double kButterworthQ = 0.70710678118654752440;

// All frequencies in (0, 0.5) of the sample rate.
BiquadCoefficients low_pass(double frequency, double q);
BiquadCoefficients high_pass(double frequency, double q);
BiquadCoefficients all_pass(double frequency, double q);
BiquadCoefficients peak(double frequency, double q, double gain_db);
BiquadCoefficients low_shelf(double frequency, double q, double gain_db);
BiquadCoefficients high_shelf(double frequency, double q, double gain_db);

// Linkwitz-Riley, 4th order: each side is two of the sections.
CrossoverSettings linkwitz_riley(double frequency);

double response_db(const BiquadCoefficients& section, double frequency);
double response_db(const EqualiserSettings& equaliser, double frequency);

// One-pole smoothing step per frame for a time constant: 1 - exp(-1 / (tau x rate)).
double smoothing_step(double time_ms, double sample_rate_hz);

}  // namespace lacquer::dsp
