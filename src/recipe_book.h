// Which recipe a track is served with. Measured tracks get one from their profile; a track of at most 10 minutes that
// was not yet measured is measured first, a longer one starts from a provisional profile. What was served once stays:
// it is replaced only by a request for byte 0 that comes 12 hours or more after the last byte was served. Where a part
// of the track could not be read for a reason that may pass, the recipe is a makeshift: this play goes on with it, the
// next one begins by measuring again.
//
// Threads: every member may be called from any thread but a worker. Measuring the same track twice at once is avoided.
// Memory: up to 32 recipes as they were read from the library; reading one takes longer than the rest of a cached
// answer. Up to 256 makeshift ones.
#pragma once

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>

#include "src/library/library.h"
#include "src/recipe_choice.h"
#include "src/track_measurer.h"
#include "thread/mutex.h"

namespace lacquer {

// The listener left while the track was being measured for it.
class NotWanted : public std::runtime_error {
public:
    NotWanted() : std::runtime_error("not wanted any more") {}
};

class RecipeBook {
public:
    RecipeBook(library::Library& library, TrackMeasurer& measurer, const dsp::GridSettings& grid)
        : library_(library), measurer_(measurer), grid_(grid) {}

    // Throws media::DecodeError when the track cannot be measured, std::out_of_range when a pinned recipe is not known,
    // NotWanted.
    PlanPtr plan(const library::Track& track, const RenderChoice& choice, bool from_first_byte,
                 const std::function<bool()>& wanted);
    // Notes that bytes of this choice were served just now.
    void served(const library::Track& track, const RenderChoice& choice, const std::string& recipe_id);
    // The recipe that plan() would use without measuring anything; empty when there is none yet.
    std::string known_recipe_id(const library::Track& track, const RenderChoice& choice) const;

    // The full profile, measured if need be and stored. Throws media::DecodeError when the track cannot be measured, or
    // a part of it not for now; NotWanted.
    dsp::Profile full_profile(const library::Track& track, TaskClass task_class, const std::function<bool()>& wanted);
    std::optional<dsp::Profile> stored_profile(const library::Track& track) const;

private:
    using SharedMeasured = std::shared_future<std::optional<Measured>>;

    ChosenRecipe choose(const library::Track& track, const RenderChoice& choice, bool from_first_byte,
                        const std::function<bool()>& wanted);
    std::optional<ChosenRecipe> stored_recipe(const std::string& recipe_id) const;
    void keep(const library::Track& track, const RenderChoice& choice, const ChosenRecipe& chosen, bool makeshift);
    std::optional<ChosenRecipe> makeshift_recipe(const library::Track& track, const RenderChoice& choice) const;
    Measured measured_to_start_with(const library::Track& track, const std::function<bool()>& wanted);
    Measured measured_whole(const library::Track& track, TaskClass task_class, const std::function<bool()>& wanted);
    std::optional<Measured> measure_and_store(const library::Track& track, TaskClass task_class,
                                              const std::function<bool()>& wanted);
    std::optional<Measured> measure_once(const library::Track& track, TaskClass task_class,
                                         const std::function<bool()>& wanted);

    library::Library& library_;
    TrackMeasurer& measurer_;
    const dsp::GridSettings grid_;
    mutable thread::Mutex mutex_;
    mutable std::map<std::string, ChosenRecipe> read_ GUARDED_BY(mutex_);  // by id, which is their fingerprint
    std::map<std::pair<std::string, std::string>, ChosenRecipe> makeshift_ GUARDED_BY(mutex_);  // by content, request
    std::map<std::string, SharedMeasured> measuring_ GUARDED_BY(mutex_);  // by urgency and content id
};

}  // namespace lacquer
