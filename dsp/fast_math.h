// log2 and exp2 by +, -, x and / alone: the same bits wherever IEEE doubles are, where libm differs from version to
// version. No branches, so loops over them vectorise.
//
// Method:  log2 splits off the exponent at sqrt(1/2) and sums the series of 2 atanh(s), s = (m-1)/(m+1); exp2 rounds
//          to the nearest integer and sums the Taylor series of the rest. Error: log2 < 1e-10 absolute, exp2 < 1e-11
//          relative.
#pragma once

#include <bit>
#include <cstdint>

namespace lacquer::dsp {

// Of a positive, normal, finite number.
inline double fast_log2(double x) noexcept {
    constexpr std::uint64_t kOne = 0x3FF0'0000'0000'0000u;
    constexpr std::uint64_t kRootHalf = 0x3FE6'A09E'667F'3BCDu;
    constexpr std::uint64_t kExponent = 0xFFF0'0000'0000'0000u;
    constexpr double kTwo52 = 4503599627370496.0;

    const std::uint64_t bits = std::bit_cast<std::uint64_t>(x);
    const std::uint64_t shifted = bits + (kOne - kRootHalf);
    const double exponent = std::bit_cast<double>((shifted >> 52) | 0x4330'0000'0000'0000u) - (kTwo52 + 1023.0);
    const double m = std::bit_cast<double>(bits - (shifted & kExponent) + kOne);  // [sqrt(1/2), sqrt(2))

    const double s = (m - 1.0) / (m + 1.0);
    const double s2 = s * s;
    double sum = 1.0 / 13.0;
    sum = sum * s2 + 1.0 / 11.0;
    sum = sum * s2 + 1.0 / 9.0;
    sum = sum * s2 + 1.0 / 7.0;
    sum = sum * s2 + 1.0 / 5.0;
    sum = sum * s2 + 1.0 / 3.0;
    sum = sum * s2 + 1.0;
    constexpr double kTwoOverLn2 = 2.8853900817779268147;
    return exponent + kTwoOverLn2 * s * sum;
}

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
