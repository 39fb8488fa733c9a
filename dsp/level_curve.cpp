#include "dsp/level_curve.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "dsp/fast_math.h"

namespace lacquer::dsp {
namespace {

// How far each sample of a group is on the way to the next one.
constexpr std::array<float, 2 * kGroupFrames> kOnTheWay = [] {
    std::array<float, 2 * kGroupFrames> share{};
    for (std::size_t i = 0; i < share.size(); ++i) share[i] = static_cast<float>(i / 2) / kGroupFrames;
    return share;
}();

}  // namespace

LevelCurve::LevelCurve(const LevelCurveSettings& settings, std::uint32_t sample_rate_hz, std::int64_t first_frame)
    : gain_(settings.gain),
      seconds_per_frame_(1.0 / sample_rate_hz),
      next_frame_(first_frame),
      curve_db_(settings.curve_db) {
    if (!std::isfinite(gain_)) throw std::invalid_argument("level.gain");
    for (const double node_db : curve_db_) {
        if (!(node_db >= -100.0 && node_db <= 100.0)) throw std::invalid_argument("level.curve_db");
    }
}

double LevelCurve::gain_at(std::int64_t frame) const LACQUER_REALTIME {
    if (curve_db_.empty()) return gain_;
    const double last = static_cast<double>(curve_db_.size() - 1);
    const double position = std::clamp(static_cast<double>(frame) * seconds_per_frame_ - 0.5, 0.0, last);
    const auto node = static_cast<std::size_t>(position);
    const double fraction = position - static_cast<double>(node);
    const double from_db = curve_db_[node];
    const double to_db = curve_db_[std::min(node + 1, curve_db_.size() - 1)];
    return gain_ * fast_db_to_gain(from_db + (to_db - from_db) * fraction);
}

// Plain loops: a compiler's vectors change no bit of them.
void LevelCurve::process(StereoBlock block) LACQUER_REALTIME {
    float* const end = block.samples + 2 * block.frame_count;
    auto from = static_cast<float>(gain_at(next_frame_));
    for (float* group = block.samples; group != end; group += 2 * kGroupFrames) {
        next_frame_ += static_cast<std::int64_t>(kGroupFrames);
        const auto to = static_cast<float>(gain_at(next_frame_));
        for (std::size_t i = 0; i < kOnTheWay.size(); ++i) group[i] *= from + (to - from) * kOnTheWay[i];
        from = to;
    }
}

}  // namespace lacquer::dsp
