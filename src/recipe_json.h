// A recipe as JSON text and back, every number to the bit, and the fingerprint that names it.
#pragma once

#include <string>
#include <string_view>

#include "dsp/recipe.h"

namespace lacquer {

std::string recipe_to_json(const dsp::Recipe& recipe);
// Throws std::invalid_argument naming the first field that is missing or of the wrong type or length.
dsp::Recipe recipe_from_json(std::string_view json);
// XXH3-128 of the text, 32 hex digits.
std::string recipe_id(const std::string& json);

}  // namespace lacquer
