// A profile as JSON (camelCase, units at the end of the name: sampleRateHz, integratedLufs, ...) and back, to the bit.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "dsp/profile.h"

namespace lacquer {

nlohmann::json profile_to_json(const dsp::Profile& profile);

// Throws std::invalid_argument naming the first field that is missing, of the wrong type or length, or out of range.
// Fields it does not know are ignored.
dsp::Profile profile_from_json(const nlohmann::json& json);

}  // namespace lacquer
