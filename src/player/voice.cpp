#include "src/player/voice.h"

#include <algorithm>
#include <cmath>

#include "dsp/units.h"

namespace lacquer::player {
namespace {

PlanPtr plan_of(const PlayableTrack& track, const ChosenRecipe& chosen, const dsp::GridSettings& grid) {
    const InputFile& input = track.input;
    return make_plan({0, input.file, input.content_id, input.media}, chosen, dsp::SampleFormat::f32,
                     dsp::ChunkGrid(grid, input.media.sample_rate_hz, served_frames(input.media)),
                     engine_id(grid, input.media));
}

bool has_loudness(const dsp::Profile& profile) {
    return profile.integrated_lufs > dsp::kLoudnessFloorLufs;
}

}  // namespace

float Voice::gain() const noexcept {
    return gain_db == 0.0 ? 1.0f : static_cast<float>(std::pow(10.0, gain_db / 20.0));
}

Voice voice_of(const PlayableTrack& track, const ListeningChoice& choice, const dsp::GridSettings& grid) {
    const ChosenRecipe untouched = bypass_recipe(track.input.media);
    if (track.already_enhanced || choice.request.intensity == 0.0) {
        return {plan_of(track, untouched, grid), 0.0, track.profile.integrated_lufs, ""};
    }
    const ChosenRecipe chosen = choose_recipe(track.profile, choice.request);
    const double match_db = has_loudness(track.profile) ? chosen.predicted_lufs - track.profile.integrated_lufs : 0.0;
    const double over_db = std::max(0.0, track.profile.true_peak_dbtp + std::max(0.0, match_db));
    const bool both_are_heard = choice.compared || choice.original;
    const double both_db = both_are_heard && match_db > 0.0 ? 0.0 - over_db : 0.0;
    if (choice.original) {
        return {plan_of(track, untouched, grid), match_db + both_db, chosen.predicted_lufs + both_db, ""};
    }
    return {plan_of(track, chosen, grid), both_db, chosen.predicted_lufs + both_db, chosen.bound};
}

}  // namespace lacquer::player
