#include "dsp/fir.h"

#include <cmath>
#include <cstdlib>
#include <numbers>

namespace lacquer::dsp {
namespace {

double bessel_i0(double x) {
    double term = 1.0;
    double sum = 1.0;
    for (int k = 1; k < 100; ++k) {
        term *= (x / (2.0 * k)) * (x / (2.0 * k));
        sum += term;
    }
    return sum;
}

// Kaiser window at `x` in [-1, 1].
double kaiser(double x, double beta) {
    return bessel_i0(beta * std::sqrt(1.0 - x * x)) / bessel_i0(beta);  // sqrt is exact in IEEE arithmetic
}

}  // namespace

std::vector<double> half_band_taps(std::size_t count, double beta) {
    std::vector<double> taps(count);
    const int centre = static_cast<int>(count) - 1;
    double sum = 0.0;
    for (int j = 0; j <= centre; ++j) {
        const double distance = std::abs(2 * j - centre);  // odd
        const double sign = (std::abs(2 * j - centre) % 4 == 1) ? 1.0 : -1.0;
        const double tap = sign * 2.0 / (std::numbers::pi * distance) * kaiser(distance / (centre + 1.0), beta);
        taps[static_cast<std::size_t>(j)] = tap;
        sum += tap;
    }
    for (double& tap : taps) tap /= sum;
    return taps;
}

}  // namespace lacquer::dsp
