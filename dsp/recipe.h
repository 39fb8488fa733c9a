// A recipe: every number the chain needs to render any chunk of one track, final filter coefficients included.
#pragma once

#include <cstdint>
#include <string>

#include "dsp/preset.h"
#include "dsp/profile.h"

namespace lacquer::dsp {

struct Recipe {
    std::uint32_t sample_rate_hz = 0;
    std::uint32_t channel_count = 0;
    bool bypass = false;  // intensity 0: the samples pass untouched
    // The builder of the chain adds the rest.
};

struct RecipeRequest {
    PresetId preset = PresetId::adaptive;
    double intensity = 1.0;      // [0, 1]
    bool loudness_match = true;  // false: keep the track's level
};

// How the loudness came out, for people: which bound held, what is predicted.
struct RecipeOutcome {
    Recipe recipe;
    double predicted_lufs = 0.0;
    double make_up_gain_db = 0.0;
    std::string bound;  // empty, or the name of the rule that kept the target from being met
};

// Derives the recipe. Pure; uses libm and Eigen, which is why the result is stored and read back instead of derived
// again. Throws std::invalid_argument naming the field when the intensity is outside [0, 1] or the profile has no rate
// or channels.
RecipeOutcome derive_recipe(const Profile& profile, const RecipeRequest& request);

}  // namespace lacquer::dsp
