#include "dsp/filter_design.h"

#include <cmath>
#include <numbers>

#include "dsp/units.h"

namespace lacquer::dsp {
namespace {

struct Angle {
    double cosine;
    double alpha;
};

Angle angle_of(double frequency, double q) {
    const double w = 2.0 * std::numbers::pi * frequency;
    return {std::cos(w), std::sin(w) / (2.0 * q)};
}

BiquadCoefficients normalised(double b0, double b1, double b2, double a0, double a1, double a2) {
    return {b0 / a0, b1 / a0, b2 / a0, a1 / a0, a2 / a0};
}

// The shelves share their terms; `side` is +1 for the low shelf and -1 for the high one.
BiquadCoefficients shelf(double frequency, double q, double gain_db, double side) {
    const auto [c, alpha] = angle_of(frequency, q);
    const double a = std::sqrt(db_to_gain(gain_db));
    const double k = side * (a - 1.0) * c;
    const double r = 2.0 * std::sqrt(a) * alpha;
    return normalised(a * (a + 1.0 - k + r), side * 2.0 * a * (a - 1.0 - side * (a + 1.0) * c), a * (a + 1.0 - k - r),
                      a + 1.0 + k + r, -side * 2.0 * (a - 1.0 + side * (a + 1.0) * c), a + 1.0 + k - r);
}

}  // namespace

BiquadCoefficients low_pass(double frequency, double q) {
    const auto [c, alpha] = angle_of(frequency, q);
    return normalised((1.0 - c) / 2.0, 1.0 - c, (1.0 - c) / 2.0, 1.0 + alpha, -2.0 * c, 1.0 - alpha);
}

BiquadCoefficients high_pass(double frequency, double q) {
    const auto [c, alpha] = angle_of(frequency, q);
    return normalised((1.0 + c) / 2.0, -1.0 - c, (1.0 + c) / 2.0, 1.0 + alpha, -2.0 * c, 1.0 - alpha);
}

BiquadCoefficients all_pass(double frequency, double q) {
    const auto [c, alpha] = angle_of(frequency, q);
    return normalised(1.0 - alpha, -2.0 * c, 1.0 + alpha, 1.0 + alpha, -2.0 * c, 1.0 - alpha);
}

BiquadCoefficients peak(double frequency, double q, double gain_db) {
    const auto [c, alpha] = angle_of(frequency, q);
    const double a = std::sqrt(db_to_gain(gain_db));
    return normalised(1.0 + alpha * a, -2.0 * c, 1.0 - alpha * a, 1.0 + alpha / a, -2.0 * c, 1.0 - alpha / a);
}

BiquadCoefficients low_shelf(double frequency, double q, double gain_db) {
    return shelf(frequency, q, gain_db, 1.0);
}

BiquadCoefficients high_shelf(double frequency, double q, double gain_db) {
    return shelf(frequency, q, gain_db, -1.0);
}

CrossoverSettings linkwitz_riley(double frequency) {
    return {low_pass(frequency, kButterworthQ), high_pass(frequency, kButterworthQ),
            all_pass(frequency, kButterworthQ)};
}

double response_db(const BiquadCoefficients& s, double frequency) {
    // |b0 + b1 z + b2 z^2|^2 by the half angle, which keeps its precision at low frequencies.
    const double half = std::sin(std::numbers::pi * frequency);
    const double phi = half * half;
    const auto power = [phi](double c0, double c1, double c2) {
        const double sum = c0 + c1 + c2;
        return sum * sum - 4.0 * phi * (c0 * c1 + 4.0 * c0 * c2 + c1 * c2) + 16.0 * phi * phi * c0 * c2;
    };
    return power_to_db(power(s.b0, s.b1, s.b2)) - power_to_db(power(1.0, s.a1, s.a2));
}

double response_db(const EqualiserSettings& equaliser, double frequency) {
    double sum_db = 0.0;
    for (const BiquadCoefficients& section : equaliser.sections) sum_db += response_db(section, frequency);
    return sum_db;
}

double smoothing_step(double time_ms, double sample_rate_hz) {
    return -std::expm1(-1000.0 / (time_ms * sample_rate_hz));
}

}  // namespace lacquer::dsp
