#include "dsp/level_plan.h"

#include <algorithm>

namespace lacquer::dsp {
namespace {

constexpr double kGateLu = 20.0;
constexpr double kAbsoluteGateLufs = -50.0;

}  // namespace

std::vector<double> plan_level_curve(const std::vector<float>& short_term_lufs, double integrated_lufs,
                                     const PresetLevelCurve& settings) {
    if (settings.strength <= 0.0 || short_term_lufs.empty()) return {};
    const double gate_lufs = std::max(integrated_lufs - kGateLu, kAbsoluteGateLufs);
    std::vector<double> curve_db;
    curve_db.reserve(short_term_lufs.size());
    for (const float loudness_lufs : short_term_lufs) {
        const double wanted_db = settings.strength * (integrated_lufs - static_cast<double>(loudness_lufs));
        const double highest_db = static_cast<double>(loudness_lufs) < gate_lufs ? 0.0 : settings.max_db;
        curve_db.push_back(std::clamp(wanted_db, -settings.max_db, highest_db));
    }
    for (std::size_t i = 1; i < curve_db.size(); ++i) {
        curve_db[i] = std::min(curve_db[i], curve_db[i - 1] + kLevelCurveMaxSlopeDb);
    }
    for (std::size_t i = curve_db.size() - 1; i > 0; --i) {
        curve_db[i - 1] = std::min(curve_db[i - 1], curve_db[i] + kLevelCurveMaxSlopeDb);
    }
    return curve_db;
}

}  // namespace lacquer::dsp
