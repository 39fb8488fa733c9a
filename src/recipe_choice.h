// What a listener asked for, and the recipe it leads to, as it is stored and read back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dsp/quantiser.h"
#include "dsp/recipe.h"
#include "src/render_plan.h"

namespace lacquer {

struct RenderChoice {
    dsp::RecipeRequest request;
    std::optional<dsp::SampleFormat> format;  // nullopt: default_format()
    std::string recipe_id;                    // pinned with v=; empty: not

    // Canonical: choices that lead to the same recipe for the same profile have the same key.
    std::string request_key() const;
};

// 24 bit for integer sources above 16 bit, else 16.
dsp::SampleFormat default_format(const media::MediaInfo& media);

// "16", "24", "float"; nullopt for anything else.
std::optional<dsp::SampleFormat> parse_depth(std::string_view text);
const char* depth_name(dsp::SampleFormat format);

struct ChosenRecipe {
    dsp::Recipe recipe;
    std::string id;            // fingerprint of the recipe's JSON
    bool provisional = false;  // derived from a provisional profile
    double predicted_lufs = 0.0;
    double make_up_gain_db = 0.0;
    std::string bound;  // the rule that kept the target from being met; empty: none
};

// Throws std::invalid_argument as derive_recipe() does.
ChosenRecipe choose_recipe(const dsp::Profile& profile, const dsp::RecipeRequest& request);
// Intensity 0 needs no profile: nothing is changed.
ChosenRecipe bypass_recipe(const media::MediaInfo& media);

std::string to_text(const ChosenRecipe& chosen);
// Throws std::invalid_argument when `text` is not what to_text() wrote.
ChosenRecipe chosen_from_text(const std::string& text);

struct PlanSource {
    std::int64_t track_id = 0;
    SourceFile file;
    std::string content_id;
    media::MediaInfo media;
};
PlanPtr make_plan(const PlanSource& source, const ChosenRecipe& chosen, std::optional<dsp::SampleFormat> format,
                  const dsp::ChunkGrid& grid, const std::string& engine_id);

}  // namespace lacquer
