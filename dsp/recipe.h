// A recipe: every number the chain needs to render any chunk of one track, final filter coefficients included.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dsp/preset.h"
#include "dsp/profile.h"
#include "dsp/reference.h"
#include "dsp/settings.h"

namespace lacquer::dsp {

struct Recipe {
    std::uint32_t sample_rate_hz = 0;
    std::uint32_t channel_count = 0;
    bool bypass = false;  // intensity 0: the samples pass untouched, without latency

    double trim = 1.0;  // linear; takes the track to -18 LUFS, so that levels inside the chain mean something
    EqualiserSettings equaliser;
    CompressorSettings compressor;
    SaturationSettings saturation;
    WidthSettings width;  // two channels only
    LevelCurveSettings level;
    LimiterSettings limiter;
};

struct RecipeRequest {
    PresetId preset = PresetId::adaptive;
    double intensity = 1.0;      // [0, 1]
    bool loudness_match = true;  // false: keep the track's level
    // Set: this instead of the preset. Its spectrum is approached by at most 6 dB for each octave band and 3 dB between
    // neighbours, its width by at most 3 dB of the side's gain, its loudness within the bounds of the make-up gain; the
    // compressor works only as far as the track is livelier.
    std::optional<ReferenceTarget> reference{};
};

// How the loudness came out, for people: which bound held, what is predicted.
struct RecipeOutcome {
    Recipe recipe;
    double predicted_lufs = 0.0;
    double make_up_gain_db = 0.0;  // constant gain over the source, trim included
    std::string bound;             // the rule that kept the target from being met: "max-gain", "peak-headroom",
                                   // "min-gain", "near-silence"; empty when none did
};

// Derives the recipe. Pure; uses libm and Eigen, which is why the result is stored and read back instead of derived
// again. Throws std::invalid_argument naming the field when the intensity is outside [0, 1] or the profile has no rate
// or channels.
RecipeOutcome derive_recipe(const Profile& profile, const RecipeRequest& request);

// Flat, ratio 1, width 1, gain 1; the crossovers and the limiter of every other recipe, so that a fade between the two
// does not comb. Throws std::invalid_argument as derive_recipe does.
Recipe neutral_recipe(std::uint32_t sample_rate_hz, std::uint32_t channel_count);

}  // namespace lacquer::dsp
