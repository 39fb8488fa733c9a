// Conversions between the units that numbers are written in and those that arithmetic wants. They use libm, so nothing
// on the render path calls them: a recipe already holds linear numbers (see dsp/fast_math.h for what the render path
// uses).
#pragma once

#include <cmath>
#include <limits>

namespace lacquer::dsp {

inline constexpr double kSilenceDb = -200.0;  // what a level of zero reads as

inline double db_to_gain(double level_db) {
    return std::pow(10.0, level_db / 20.0);
}
inline double gain_to_db(double gain) {
    return gain > 1e-10 ? 20.0 * std::log10(gain) : kSilenceDb;
}
inline double power_to_db(double power) {
    return power > 1e-20 ? 10.0 * std::log10(power) : kSilenceDb;
}

}  // namespace lacquer::dsp
