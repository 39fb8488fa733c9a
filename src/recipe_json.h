// A recipe as JSON text and back, every number to the bit, so that what was derived once is rendered the same by every
// worker. The text is canonical: equal recipes give equal bytes.
#pragma once

#include <string>
#include <string_view>

#include "dsp/recipe.h"

namespace lacquer {

std::string recipe_to_json(const dsp::Recipe& recipe);

// Throws std::invalid_argument naming the field that is missing or of the wrong type or length, or saying that the
// text is no JSON. Fields it does not know are ignored.
dsp::Recipe recipe_from_json(std::string_view json);

// XXH3-128 of the text, 32 hexadecimal digits.
std::string recipe_id(const std::string& json);

}  // namespace lacquer
