#include "dsp/k_weighting.h"

#include <cmath>
#include <numbers>

namespace lacquer::dsp {
namespace {

double warped(double hz, std::uint32_t sample_rate_hz) {
    return std::tan(std::numbers::pi * hz / sample_rate_hz);
}

BiquadCoefficients head_shelf(std::uint32_t sample_rate_hz) {
    constexpr double kHz = 1681.974450955533;
    constexpr double kGainDb = 3.999843853973347;
    constexpr double kQ = 0.7071752369554196;
    const double k = warped(kHz, sample_rate_hz);
    const double high = std::pow(10.0, kGainDb / 20.0);
    const double band = std::pow(high, 0.4996667741545416);
    const double a0 = 1.0 + k / kQ + k * k;
    return {(high + band * k / kQ + k * k) / a0, 2.0 * (k * k - high) / a0, (high - band * k / kQ + k * k) / a0,
            2.0 * (k * k - 1.0) / a0, (1.0 - k / kQ + k * k) / a0};
}

BiquadCoefficients low_cut(std::uint32_t sample_rate_hz) {
    constexpr double kHz = 38.13547087602444;
    constexpr double kQ = 0.5003270373238773;
    const double k = warped(kHz, sample_rate_hz);
    const double a0 = 1.0 + k / kQ + k * k;
    return {1.0, -2.0, 1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / kQ + k * k) / a0};
}

}  // namespace

std::array<BiquadCoefficients, 2> k_weighting(std::uint32_t sample_rate_hz) {
    return {head_shelf(sample_rate_hz), low_cut(sample_rate_hz)};
}

}  // namespace lacquer::dsp
