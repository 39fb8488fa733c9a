#include "src/user_presets.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "src/reference_json.h"

namespace lacquer {
namespace {

std::optional<UserPreset> readable(const std::string& name, const std::string& text) {
    try {
        return user_preset_from_text(name, text);
    } catch (const std::invalid_argument&) {  // written by another version
        return std::nullopt;
    }
}

template <typename LookUp>
std::optional<dsp::RecipeRequest> request_named(const std::string& name, LookUp look_up) {
    if (const auto built_in = dsp::find_preset(name)) return dsp::RecipeRequest{*built_in};
    const std::optional<std::string> text = look_up();
    const auto preset = text ? readable(name, *text) : std::nullopt;
    if (!preset) return std::nullopt;
    dsp::RecipeRequest request;
    request.reference = preset->target;
    return request;
}

}  // namespace

std::string to_text(const UserPreset& preset) {
    return nlohmann::json{
        {"target", reference_to_json(preset.target)}, {"trackId", preset.track_id}, {"title", preset.title}}
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

UserPreset user_preset_from_text(const std::string& name, const std::string& text) {
    try {
        const nlohmann::json json = nlohmann::json::parse(text);
        return {name, reference_from_json(json.at("target")), json.at("trackId").get<std::int64_t>(),
                json.at("title").get<std::string>()};
    } catch (const nlohmann::json::exception& error) {
        throw std::invalid_argument(std::string("stored preset: ") + error.what());
    }
}

std::vector<UserPreset> user_presets(const library::Library& library) {
    std::vector<UserPreset> found;
    for (const auto& [name, text] : library.presets())
        if (auto preset = readable(name, text)) found.push_back(std::move(*preset));
    return found;
}

std::optional<dsp::RecipeRequest> find_request(const library::Library& library, const std::string& name) {
    return request_named(name, [&] { return library.preset(name); });
}

std::optional<dsp::RecipeRequest> find_request_in(const std::filesystem::path& database, const std::string& name) {
    return request_named(name, [&] { return library::preset_in(database, name); });
}

}  // namespace lacquer
