#include "src/recipe_choice.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include <fmt/format.h>

#include "src/recipe_json.h"
#include "src/reference_json.h"

namespace lacquer {

std::string RenderChoice::request_key() const {
    // Not the name of a reference: it may be given to another one later.
    const std::string preset = request.reference
                                   ? "reference:" + lacquer::recipe_id(reference_to_json(*request.reference).dump())
                                   : std::string(dsp::preset(request.preset).name);
    return fmt::format("render={};preset={};intensity={};loudness={}", kRenderVersion, preset, request.intensity,
                       request.loudness_match ? "on" : "off");
}

dsp::SampleFormat default_format(const media::MediaInfo& media) {
    return media.integer_bits > 16 ? dsp::SampleFormat::s24 : dsp::SampleFormat::s16;
}

std::optional<dsp::SampleFormat> parse_depth(std::string_view text) {
    if (text == "16") return dsp::SampleFormat::s16;
    if (text == "24") return dsp::SampleFormat::s24;
    if (text == "float") return dsp::SampleFormat::f32;
    return std::nullopt;
}

const char* depth_name(dsp::SampleFormat format) {
    return format == dsp::SampleFormat::s16 ? "16" : format == dsp::SampleFormat::s24 ? "24" : "float";
}

ChosenRecipe choose_recipe(const dsp::Profile& profile, const dsp::RecipeRequest& request) {
    const dsp::RecipeOutcome outcome = dsp::derive_recipe(profile, request);
    return {outcome.recipe,          recipe_id(recipe_to_json(outcome.recipe)),
            profile.provisional,     outcome.predicted_lufs,
            outcome.make_up_gain_db, outcome.bound};
}

ChosenRecipe bypass_recipe(const media::MediaInfo& media) {
    ChosenRecipe chosen;
    chosen.recipe = dsp::neutral_recipe(media.sample_rate_hz, media.channels);
    chosen.recipe.bypass = true;
    chosen.id = recipe_id(recipe_to_json(chosen.recipe));
    return chosen;
}

std::string to_text(const ChosenRecipe& chosen) {
    return nlohmann::json{{"recipe", nlohmann::json::parse(recipe_to_json(chosen.recipe))},
                          {"provisional", chosen.provisional},
                          {"predictedLufs", chosen.predicted_lufs},
                          {"makeUpGainDb", chosen.make_up_gain_db},
                          {"bound", chosen.bound}}
        .dump();
}

ChosenRecipe chosen_from_text(const std::string& text) {
    try {
        const nlohmann::json json = nlohmann::json::parse(text);
        const std::string recipe = json.at("recipe").dump();
        return {recipe_from_json(recipe),
                recipe_id(recipe),
                json.at("provisional").get<bool>(),
                json.at("predictedLufs").get<double>(),
                json.at("makeUpGainDb").get<double>(),
                json.at("bound").get<std::string>()};
    } catch (const nlohmann::json::exception& error) {
        throw std::invalid_argument(std::string("stored recipe: ") + error.what());
    }
}

PlanPtr make_plan(const PlanSource& source, const ChosenRecipe& chosen, std::optional<dsp::SampleFormat> format,
                  const dsp::ChunkGrid& grid, const std::string& engine_id) {
    return make_plan(RenderPlan{source.track_id, source.file, source.content_id, source.media, chosen.recipe, chosen.id,
                                chosen.provisional, grid, engine_id, format.value_or(default_format(source.media))});
}

}  // namespace lacquer
