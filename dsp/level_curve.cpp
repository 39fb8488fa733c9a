#include "dsp/level_curve.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "dsp/fast_math.h"

namespace lacquer::dsp {

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

void LevelCurve::process(WorkBlock block) LACQUER_REALTIME {
    for (std::size_t i = 0; i < block.frame_count; ++i) {
        const double gain = gain_at(next_frame_ + static_cast<std::int64_t>(i));
        for (std::size_t c = 0; c < block.channel_count; ++c) block.channels[c][i] *= gain;
    }
    next_frame_ += static_cast<std::int64_t>(block.frame_count);
}

}  // namespace lacquer::dsp
