// The one table of presets.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "dsp/profile.h"

namespace lacquer::dsp {

enum class PresetId { adaptive, gentle, warm, bright, punchy, live, speech, night };

inline constexpr std::size_t kToneRegions = 5;  // below 120, 120-500, 500-2k, 2k-6k, above 6k Hz

struct PresetBand {
    double attack_ms;   // [1, 60]
    double release_ms;  // [20, 250]: the limit keeps 5 s of context enough
};

struct PresetCompression {
    double ratio;             // [1, 4]
    double threshold_db;      // over the band's own median level
    double max_reduction_db;  // static, at the band's 95th percentile
    std::array<PresetBand, kDynamicsBands> bands;
};

struct PresetLevelCurve {
    double strength;  // [0, 1] how much of the distance to the mean level is taken away; 0: no curve
    double max_db;    // either way
};

struct Preset {
    PresetId id;
    std::string_view name;     // as in URLs and on the command line
    std::string_view purpose;  // one line for people
    double loudness_lufs;      // target
    double match;              // [0, 1] how much of the correction towards the target spectrum is applied
    std::array<double, kToneRegions> tone_db;
    double high_pass_hz;  // 0: none
    PresetCompression compression;
    double saturation;     // [0, 1] a of y = x - a x^3
    double width;          // [0, 2] gain of the side
    double mono_below_hz;  // the side is taken away below
    PresetLevelCurve level_curve;
    bool adapts;  // ratio and width follow the track's crest, loudness range and correlation
};

std::span<const Preset> presets();
std::optional<PresetId> find_preset(std::string_view name);  // nullopt for an unknown name
const Preset& preset(PresetId id);

}  // namespace lacquer::dsp
