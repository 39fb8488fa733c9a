#include "dsp/peak_taps.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <vector>

#include "dsp/fir.h"

namespace lacquer::dsp {
namespace {

// A filter on the samples by place, in half samples: even places are samples.
using TapsByPlace = std::map<int, double>;

double sum_of_magnitudes(const TapsByPlace& taps) {
    double sum = 0.0;
    for (const auto& [at, tap] : taps) sum += std::abs(tap);
    return sum;
}

void add_half_way(const std::vector<double>& half_way, int at, double factor, TapsByPlace& to) {
    constexpr int kReach = static_cast<int>(kHalfWayTaps) - 1;
    for (int j = 0; j <= kReach; ++j) to[at - kReach + 2 * j] += factor * half_way[static_cast<std::size_t>(j)];
}

TapsByPlace composed(const std::vector<double>& half_way, const std::vector<double>& quarter) {
    TapsByPlace taps;
    for (std::size_t j = 0; j < kQuarterTaps; ++j) {
        const int at = static_cast<int>(j) - static_cast<int>(kQuarterTaps / 2) + 1;
        if (at % 2 == 0) {
            taps[at] += quarter[j];
        } else {
            add_half_way(half_way, at, quarter[j], taps);
        }
    }
    return taps;
}

// How far a filter can be from the straight line between samples 0 and 2, in largest second differences. `at`: where on
// it, in [0, 1].
double largest_bend(TapsByPlace taps, double at) {
    taps[0] -= 1.0 - at;
    taps[2] -= at;
    double first = 0.0;  // what is left is the second difference of `second`
    double second = 0.0;
    double sum = 0.0;
    for (const auto& [place, tap] : taps) {
        first += tap;
        second += first;
        sum += std::abs(second);
    }
    return sum;
}

void spread(double value, PeakTaps::Tap& tap) {
    std::fill(std::begin(tap), std::end(tap), static_cast<float>(value));
}

}  // namespace

PeakDesign design_peak_interpolator() {
    const std::vector<double> half_way = half_band_taps(kHalfWayTaps, 3.4);
    const std::vector<double> quarter{0.02134, -0.12066, 0.59932, 0.59932, -0.12066, 0.02134};  // least largest error
    PeakDesign made{};
    for (std::size_t j = 0; j < kHalfWayTaps / 2; ++j) spread(half_way[j], made.taps.half_way[j]);
    for (std::size_t j = 0; j < kQuarterTaps / 2; ++j) spread(quarter[j], made.taps.quarter[j]);
    TapsByPlace middle;
    add_half_way(half_way, 1, 1.0, middle);
    const TapsByPlace beside = composed(half_way, quarter);
    constexpr double kRounding = 1.00002;
    made.bound = static_cast<float>(std::max(sum_of_magnitudes(middle), sum_of_magnitudes(beside)) * kRounding);
    made.rules[0] = {1.0f / made.bound, 0.0f};
    const double bend = std::max(largest_bend(middle, 0.5), largest_bend(beside, 0.25));
    constexpr double kParts[] = {0.4, 0.15, 0.05};  // of the floor that the second differences may take
    for (std::size_t r = 1; r < kQuietRules; ++r) {
        const double part = kParts[r - 1];
        made.rules[r] = {static_cast<float>((1.0 - part) / kRounding), static_cast<float>(part / bend / kRounding)};
    }
    return made;
}

}  // namespace lacquer::dsp
