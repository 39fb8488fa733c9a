// exp2 by +, -, x and / alone: the same bits wherever IEEE doubles are, where libm differs from version to version.
//
// Method:  rounds to the nearest integer and sums the Taylor series of the rest. Error: < 1e-11 relative.
#pragma once

#include <bit>
#include <cstdint>

namespace lacquer::dsp {

// Of a number in [-1000, 1000].
inline double fast_exp2(double x) noexcept {
    constexpr double kRound = 6755399441055744.0;  // 1.5 x 2^52: adding it rounds to an integer
    const double biased = x + kRound;
    const double t = (x - (biased - kRound)) * 0.69314718055994530942;
    double sum = 1.0 / 3628800.0;
    sum = sum * t + 1.0 / 362880.0;
    sum = sum * t + 1.0 / 40320.0;
    sum = sum * t + 1.0 / 5040.0;
    sum = sum * t + 1.0 / 720.0;
    sum = sum * t + 1.0 / 120.0;
    sum = sum * t + 1.0 / 24.0;
    sum = sum * t + 1.0 / 6.0;
    sum = sum * t + 0.5;
    sum = sum * t + 1.0;
    sum = sum * t + 1.0;
    const std::uint64_t scale = (std::bit_cast<std::uint64_t>(biased) + 1023u) << 52;
    return sum * std::bit_cast<double>(scale);
}

inline double fast_db_to_gain(double level_db) noexcept {
    return fast_exp2(level_db * 0.16609640474436811739);
}

}  // namespace lacquer::dsp
