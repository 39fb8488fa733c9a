// Plans the level curve: one gain per second that draws the short-term loudness towards its mean.
#pragma once

#include <vector>

#include "dsp/preset.h"

namespace lacquer::dsp {

inline constexpr double kLevelCurveMaxSlopeDb = 2.0;  // between one second and the next

// Gains within +-settings.max_db, at most kLevelCurveMaxSlopeDb apart, never a boost where the loudness lies more than
// 20 LU below `integrated_lufs` or below -50 LUFS. Slopes give way downwards: a quiet passage next to a loud one is
// boosted less, the loud one is turned down in time. Empty when there is no short-term loudness or no strength.
std::vector<double> plan_level_curve(const std::vector<float>& short_term_lufs, double integrated_lufs,
                                     const PresetLevelCurve& settings);

}  // namespace lacquer::dsp
