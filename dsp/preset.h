// The one table of presets.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace lacquer::dsp {

enum class PresetId { adaptive, gentle, warm, bright, punchy, live, speech, night };

struct Preset {
    PresetId id;
    std::string_view name;     // as in URLs and on the command line
    std::string_view purpose;  // one line for people
    double loudness_lufs;      // target
    double match;              // [0, 1] how much of the correction towards the target spectrum is applied
    // The builder of the chain adds what the table of DESIGN.md section 3 names: tone, compression, width, ...
};

std::span<const Preset> presets();
std::optional<PresetId> find_preset(std::string_view name);  // nullopt for an unknown name
const Preset& preset(PresetId id);

}  // namespace lacquer::dsp
