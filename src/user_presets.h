// Presets by name: the built-in ones, and those that users made after a track, as the library keeps them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dsp/recipe.h"
#include "src/library/library.h"

namespace lacquer {

// A preset made after a track, with what there was to say about that track at the time.
struct UserPreset {
    std::string name;
    dsp::ReferenceTarget target;
    std::int64_t track_id = 0;
    std::string title;  // "Artist - Title"
};

std::string to_text(const UserPreset& preset);  // all but the name
// Throws std::invalid_argument when `text` is not what to_text() wrote.
UserPreset user_preset_from_text(const std::string& name, const std::string& text);

// Those that can be read; what another version wrote is left out.
std::vector<UserPreset> user_presets(const library::Library& library);

// What the name stands for, at full intensity; nullopt when it stands for nothing.
std::optional<dsp::RecipeRequest> find_request(const library::Library& library, const std::string& name);
// The same beside a daemon: its database is only read.
std::optional<dsp::RecipeRequest> find_request_in(const std::filesystem::path& database, const std::string& name);

}  // namespace lacquer
