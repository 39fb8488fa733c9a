// The presets as a resource: the built-in ones to look at, those made after a track to make and remove too.
#pragma once

#include "server/sources.h"
#include "src/library/library.h"
#include "src/recipe_book.h"

namespace lacquer {

class PresetApi : public server::PresetSource {
public:
    PresetApi(library::Library& library, RecipeBook& recipes) : library_(library), recipes_(recipes) {}
    server::Json presets() override;
    // Measures the track first when it has no full profile.
    server::Json create(const server::PresetOrder& order) override;
    void remove(const std::string& name) override;

private:
    dsp::ReferenceTarget target_of(const library::Track& track, const server::PresetOrder& order);

    library::Library& library_;
    RecipeBook& recipes_;
};

}  // namespace lacquer
