// What of a track is heard: the track enhanced as chosen, or its original as loud as that.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "dsp/chunk_grid.h"
#include "dsp/profile.h"
#include "src/offline.h"
#include "src/recipe_choice.h"

namespace lacquer::player {

// A track that was looked at and measured: all that playing it needs.
struct PlayableTrack {
    std::size_t index = 0;  // in the list of what is played
    std::string name;       // as given: path or URL
    std::string title;
    InputFile input;
    dsp::Profile profile;
    bool already_enhanced = false;     // it comes out of a Lacquer daemon: played as it is
    std::shared_ptr<const void> file;  // what goes with the last who needs it: the file of something fetched
};
// Shared by the loader, which is ahead, the runs that play it, and what tells about it.
using TrackPtr = std::shared_ptr<const PlayableTrack>;

struct ListeningChoice {
    std::string preset = "adaptive";
    dsp::RecipeRequest request;
    bool original = false;
    bool compared = false;  // A and B were asked for on this track: both stay where neither would clip. The original
                            // does in any case
};

// Comparing: both sides are brought to the same integrated loudness, the original's measured and the enhanced one's
// predicted, by a constant gain on the original. Where that would lift the original's true peak over full scale, both
// are turned down by as much, from the first comparison on to the end of the track.
struct Voice {
    PlanPtr plan;
    double gain_db = 0.0;  // on what the plan gives
    double predicted_lufs = 0.0;
    std::string bound;  // the rule that kept the preset's target from being met; empty: none

    float gain() const noexcept;
};

// Throws std::invalid_argument as derive_recipe() does.
Voice voice_of(const PlayableTrack& track, const ListeningChoice& choice, const dsp::GridSettings& grid);

}  // namespace lacquer::player
