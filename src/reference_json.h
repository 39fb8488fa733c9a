// A reference target as JSON and back, to the bit, so that a preset made after a track stays what it was.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "dsp/reference.h"

namespace lacquer {

nlohmann::json reference_to_json(const dsp::ReferenceTarget& target);

// Throws std::invalid_argument saying what is missing or of the wrong type. Fields it does not know are ignored.
dsp::ReferenceTarget reference_from_json(const nlohmann::json& json);

}  // namespace lacquer
