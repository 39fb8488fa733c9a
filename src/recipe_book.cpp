#include "src/recipe_book.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include <spdlog/spdlog.h>

#include "src/profile_json.h"
#include "src/retry_policy.h"

namespace lacquer {
namespace {

constexpr std::int64_t kKeepServedSeconds = 12 * 3600;
constexpr std::size_t kReadRecipes = 32;
constexpr std::size_t kMakeshiftRecipes = 256;

std::int64_t unix_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

// A state directory that cannot be written must not keep anyone from listening.
template <typename Store>
void try_to_store(Store&& store) {
    try {
        store();
    } catch (const std::exception& error) {
        spdlog::error("the library cannot be written: {}", error.what());
    }
}

}  // namespace

PlanPtr RecipeBook::plan(const library::Track& track, const RenderChoice& choice, bool from_first_byte,
                         const std::function<bool()>& wanted) {
    const ChosenRecipe chosen = choose(track, choice, from_first_byte, wanted);
    // As it was when its content id was taken, not as it is now: a file changed since then is refused when it is read.
    const SourceFile file{track.path, static_cast<std::uint64_t>(track.size_bytes), track.mtime_ns};
    const dsp::ChunkGrid grid(grid_, track.media.sample_rate_hz, served_frames(track.media));
    return make_plan({track.id, file, track.content_id, track.media}, chosen, choice.format, grid,
                     engine_id(grid_, track.media));
}

void RecipeBook::served(const library::Track& track, const RenderChoice& choice, const std::string& recipe_id) {
    if (choice.request.intensity == 0.0 || !choice.recipe_id.empty()) return;
    library_.note_served(track.content_id, choice.request_key(), {recipe_id, unix_seconds()});
}

std::string RecipeBook::known_recipe_id(const library::Track& track, const RenderChoice& choice) const {
    if (choice.request.intensity == 0.0) return {};
    const auto served = library_.served_recipe(track.content_id, choice.request_key());
    if (served) return served->recipe_id;
    return {};
}

ChosenRecipe RecipeBook::choose(const library::Track& track, const RenderChoice& choice, bool from_first_byte,
                                const std::function<bool()>& wanted) {
    if (!choice.recipe_id.empty()) {
        auto pinned = stored_recipe(choice.recipe_id);
        const bool fits = pinned && pinned->recipe.sample_rate_hz == track.media.sample_rate_hz &&
                          pinned->recipe.channel_count == track.media.channels;
        if (!fits) throw std::out_of_range("recipe " + choice.recipe_id + " is not known for this track");
        return *pinned;
    }
    if (choice.request.intensity == 0.0) {
        const ChosenRecipe bypass = bypass_recipe(track.media);
        try_to_store([&] { library_.store_recipe(bypass.id, to_text(bypass)); });  // so that it can be pinned
        return bypass;
    }
    const auto served = library_.served_recipe(track.content_id, choice.request_key());
    const bool replaceable =
        from_first_byte && served && unix_seconds() - served->last_served_unix_s >= kKeepServedSeconds;
    if (served && !replaceable) {
        if (auto stored = stored_recipe(served->recipe_id)) return *stored;
    }
    if (!from_first_byte) {
        if (auto makeshift = makeshift_recipe(track, choice)) return *makeshift;
    }
    const Measured measured = measured_to_start_with(track, wanted);
    if (measured.passing_failure && served) {
        if (auto stored = stored_recipe(served->recipe_id)) return *stored;  // old, but of the whole track
    }
    const ChosenRecipe chosen = choose_recipe(measured.profile, choice.request);
    // While this track was measured somebody else may have begun to listen: then theirs stays.
    const auto meanwhile = library_.served_recipe(track.content_id, choice.request_key());
    if (meanwhile && (!served || meanwhile->recipe_id != served->recipe_id)) {
        if (auto stored = stored_recipe(meanwhile->recipe_id)) return *stored;
    }
    keep(track, choice, chosen, measured.passing_failure != nullptr);
    return chosen;
}

void RecipeBook::keep(const library::Track& track, const RenderChoice& choice, const ChosenRecipe& chosen,
                      bool makeshift) {
    try_to_store([&] { library_.store_recipe(chosen.id, to_text(chosen)); });
    const auto place = std::pair(track.content_id, choice.request_key());
    {
        const thread::MutexLock lock(mutex_);
        if (makeshift_.size() >= kMakeshiftRecipes) makeshift_.clear();
        makeshift_.erase(place);
        if (makeshift) makeshift_.emplace(place, chosen);
    }
    if (makeshift) return;
    try_to_store([&] {
        library_.set_served_recipe(track.content_id, choice.request_key(), {chosen.id, unix_seconds()});
    });
}

std::optional<ChosenRecipe> RecipeBook::makeshift_recipe(const library::Track& track,
                                                         const RenderChoice& choice) const {
    const thread::MutexLock lock(mutex_);
    const auto known = makeshift_.find({track.content_id, choice.request_key()});
    if (known == makeshift_.end()) return std::nullopt;
    return known->second;
}

std::optional<ChosenRecipe> RecipeBook::stored_recipe(const std::string& recipe_id) const {
    {
        const thread::MutexLock lock(mutex_);
        const auto known = read_.find(recipe_id);
        if (known != read_.end()) return known->second;
    }
    const auto text = library_.recipe(recipe_id);
    if (!text) return std::nullopt;
    try {
        const ChosenRecipe chosen = chosen_from_text(*text);
        if (chosen.id != recipe_id) return std::nullopt;  // a damaged row
        const thread::MutexLock lock(mutex_);
        if (read_.size() >= kReadRecipes) read_.clear();
        read_.emplace(recipe_id, chosen);
        return chosen;
    } catch (const std::invalid_argument&) {
        return std::nullopt;  // written by another version: derived anew
    }
}

Measured RecipeBook::measured_to_start_with(const library::Track& track, const std::function<bool()>& wanted) {
    if (auto stored = stored_profile(track)) return {std::move(*stored)};
    if (track.duration_seconds() <= kMeasureFirstSeconds) return measured_whole(track, TaskClass::listener, wanted);
    auto sketch = measurer_.sketch(track.path, track.media, TaskClass::listener, wanted);
    if (!sketch) throw NotWanted();
    return *sketch;
}

std::optional<dsp::Profile> RecipeBook::stored_profile(const library::Track& track) const {
    const auto text = library_.profile_text(track);
    if (!text) return std::nullopt;
    try {
        return profile_from_json(nlohmann::json::parse(*text));
    } catch (const std::exception&) {
        return std::nullopt;  // written by another version, or damaged: measured anew
    }
}

dsp::Profile RecipeBook::full_profile(const library::Track& track, TaskClass task_class,
                                      const std::function<bool()>& wanted) {
    Measured measured = measured_whole(track, task_class, wanted);
    if (measured.passing_failure) std::rethrow_exception(measured.passing_failure);
    return std::move(measured.profile);
}

Measured RecipeBook::measured_whole(const library::Track& track, TaskClass task_class,
                                    const std::function<bool()>& wanted) {
    if (auto stored = stored_profile(track)) return {std::move(*stored)};
    while (true) {
        if (auto measured = measure_once(track, task_class, wanted)) return *measured;
        if (!wanted()) throw NotWanted();
    }
}

std::optional<Measured> RecipeBook::measure_and_store(const library::Track& track, TaskClass task_class,
                                                      const std::function<bool()>& wanted) {
    auto measured = measurer_.measure(track.path, track.media, task_class, wanted);
    if (!measured) return std::nullopt;
    if (measured->retries > 0) {
        spdlog::warn("track {}: measured with {} of {} retries{}", track.id, measured->retries, kRetries,
                     measured->passing_failure ? ", and parts still cannot be read" : "");
    }
    const SourceFile now = look_at(track.path);
    const bool unchanged =
        static_cast<std::int64_t>(now.size_bytes) == track.size_bytes && now.mtime_ns == track.mtime_ns;
    if (measured->complete && unchanged) {
        try_to_store([&] { library_.store_profile_text(track, profile_to_json(measured->profile).dump()); });
    }
    return measured;
}

// nullopt when the caller, or whoever was measuring for all, gave up.
std::optional<Measured> RecipeBook::measure_once(const library::Track& track, TaskClass task_class,
                                                 const std::function<bool()>& wanted) {
    // Background measuring is slow by design: a listener never waits for it but measures on every core at once.
    const std::string who = (task_class == TaskClass::listener ? "listener:" : "background:") + track.content_id;
    std::promise<std::optional<Measured>> promise;
    SharedMeasured shared;
    bool mine = false;
    {
        const thread::MutexLock lock(mutex_);
        const auto [entry, inserted] = measuring_.try_emplace(who);
        if (inserted) entry->second = promise.get_future().share();
        shared = entry->second;
        mine = inserted;
    }
    if (!mine) {
        while (shared.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready) {
            if (!wanted()) return std::nullopt;
        }
        return shared.get();
    }
    try {
        if (auto stored = stored_profile(track)) {  // by whoever measured until just now
            promise.set_value(Measured{std::move(*stored)});
        } else {
            promise.set_value(measure_and_store(track, task_class, wanted));
        }
    } catch (const std::exception&) {
        promise.set_exception(std::current_exception());
    }
    const thread::MutexLock lock(mutex_);
    measuring_.erase(who);
    return shared.get();
}

}  // namespace lacquer
