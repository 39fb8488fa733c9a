#include "dsp/fir.h"

#include <cassert>
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

// sin(pi n / 4) without a sine.
double sine_of_eighth_turns(int n) {
    constexpr double kHalf = 0.5 * std::numbers::sqrt2;
    constexpr double kTable[8] = {0.0, kHalf, 1.0, kHalf, 0.0, -kHalf, -1.0, -kHalf};
    return kTable[((n % 8) + 8) % 8];
}

}  // namespace

double kaiser(double x, double beta) {
    return bessel_i0(beta * std::sqrt(1.0 - x * x)) / bessel_i0(beta);  // sqrt is exact in IEEE arithmetic
}

std::vector<double> quarter_sample_taps(int quarter, std::size_t tap_count, double beta) {
    assert(quarter >= 1 && quarter <= 3);
    const int half = static_cast<int>(tap_count / 2);
    std::vector<double> taps(tap_count);
    double sum = 0.0;
    for (int j = 0; j < 2 * half; ++j) {
        const int quarters = 4 * (j - half) + quarter;
        const double distance = quarters / 4.0;
        const double sinc = sine_of_eighth_turns(quarters) / (std::numbers::pi * distance);
        taps[static_cast<std::size_t>(j)] = sinc * kaiser(distance / half, beta);
        sum += taps[static_cast<std::size_t>(j)];
    }
    for (double& tap : taps) tap /= sum;
    return taps;
}

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

void convolve(const double* x, std::size_t count, std::span<const double> taps, double* out) LACQUER_REALTIME {
    assert(taps.size() % 8 == 0);
    for (std::size_t i = 0; i < count; ++i) out[i] = 0.0;
    for (std::size_t j = 0; j < taps.size(); j += 8) {
        const double* const h = taps.data() + j;
        const double* const from = x - j;
        for (std::size_t i = 0; i < count; ++i) {
            const double* const p = from + i;
            out[i] += h[0] * p[0] + h[1] * p[-1] + h[2] * p[-2] + h[3] * p[-3] + h[4] * p[-4] + h[5] * p[-5] +
                      h[6] * p[-6] + h[7] * p[-7];
        }
    }
}

}  // namespace lacquer::dsp
