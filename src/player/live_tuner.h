// Finds the recipe for what passes through a LiveChain, where there is no profile to read: the one place in Lacquer
// where running state decides what is heard.
//
//     tap --> windows of 3 s --> the last 60 s of them that are not near silence --> profile --> derive_recipe()
//             --> bounded step --> LiveChain::offer()
//
// Speed:   a decision every 3 s, the first one after 3 s of sound. Each moves the loudness of what passes by at most
//          kStepDb and takes 2.8 s to be heard in full, so it never moves by more than 1 dB per second; from the
//          neutral recipe to the most gain a preset has takes 15 s. Tone, width and compression follow what was
//          measured in the same fades, the less per decision the more was measured. After a change of the material the
//          old one weighs in for 60 s.
// Silence: windows below -50 LUFS are left out: the recipe stays as it is.
// Rest:    what would change by less than can be heard (0.1 dB of loudness, 0.25 dB in an octave band) is not changed:
//          on steady material the chain ends up as one fixed Enhancer.
// Errors:  a recipe that cannot be had leaves the last one at work, and reading().bound says why.
// Threads: work() by one, reading() by any.
// Memory:  a profile meter (1.8 MB at 44.1 kHz), 20 sums of a few KiB, two level meters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "dsp/profile_meter.h"
#include "dsp/recipe.h"
#include "src/player/level_meter.h"
#include "src/player/live_chain.h"
#include "thread/mutex.h"

namespace lacquer::player {

struct LiveReading {
    MeterReading input;  // integrated: since the beginning
    MeterReading output;
    double gain_db = 0.0;           // by which the recipe at work makes what passes louder
    std::string bound;              // the rule that keeps the preset's target from being met; empty: none
    double measured_seconds = 0.0;  // that the recipe rests on: up to 60
    std::uint64_t recipes = 0;      // handed over so far
};

class LiveTuner {
public:
    static constexpr std::size_t kWindowHops = 30;
    static constexpr std::size_t kWindows = 20;
    static constexpr double kStepDb = 2.0;

    LiveTuner(LiveChain& chain, const LiveShape& shape, const dsp::RecipeRequest& request);

    // Takes what has passed since the last call; a few times a second.
    void work();
    LiveReading reading() const;
    const dsp::Recipe& recipe() const noexcept { return recipe_; }  // handed over last; by the thread of work()

private:
    void measure(const float* frames, std::size_t count);
    void end_window();
    void begin_window();
    void decide_or_keep();
    void decide();
    bool hardly_differs(const dsp::Recipe& next, double loudness_db) const;

    LiveChain& chain_;
    const LiveShape shape_;
    const dsp::RecipeRequest request_;
    const std::size_t channels_;
    const std::size_t window_frames_;

    std::vector<float> tapped_;
    std::vector<float> side_;  // of the tap: input or output, interleaved
    std::int64_t position_ = 0;
    std::uint64_t lost_frames_ = 0;
    LevelMeter input_;
    LevelMeter output_;

    std::optional<dsp::ProfileMeter> meter_;  // of the window under way
    dsp::AudioBuffer window_;                 // its audio, to warm up the next one
    std::size_t in_window_ = 0;
    std::deque<dsp::ProfileSum> windows_;
    dsp::Recipe recipe_;
    double loudness_db_ = 0.0;  // by which recipe_ makes what passes louder

    mutable thread::Mutex mutex_;
    LiveReading reading_ GUARDED_BY(mutex_);
};

}  // namespace lacquer::player
