// What each preset does to a track with nothing to correct, out of the real chain, as CSV for docs/plot-presets:
//     tone,PRESET,HZ,DB          gain at low level without the constant gain
//     level,PRESET,HZ,IN,OUT     level of a sine, in and settled, dBFS (a sine for each band of the compressor)
//     loudness,PRESET,TARGET,PREDICTED,GAIN
#include "tests/support/preset_response.h"

#include <cstdio>

namespace lacquer {
namespace {

void print_preset(const dsp::Preset& preset) {
    const dsp::RecipeOutcome outcome = dsp::derive_recipe(test::neutral_profile(), {preset.id});
    const int length = static_cast<int>(preset.name.size());
    const char* const name = preset.name.data();
    const test::LowLevelResponse response(outcome.recipe);
    for (int step = 0; step <= 120; ++step) {
        const double hz = 20.0 * std::exp2(step / 12.0);
        if (hz <= 20'000.0) std::printf("tone,%.*s,%.1f,%.3f\n", length, name, hz, response.gain_db(hz));
    }
    for (const double hz : {60.0, 700.0, 6000.0}) {
        for (double in_dbfs = -60.0; in_dbfs <= 0.0; in_dbfs += 3.0) {
            std::printf("level,%.*s,%.0f,%.0f,%.3f\n", length, name, hz, in_dbfs,
                        test::settled_level_dbfs(outcome.recipe, hz, in_dbfs));
        }
    }
    std::printf("loudness,%.*s,%.1f,%.2f,%.2f\n", length, name, preset.loudness_lufs, outcome.predicted_lufs,
                outcome.make_up_gain_db);
}

}  // namespace
}  // namespace lacquer

int main() {
    for (const lacquer::dsp::Preset& preset : lacquer::dsp::presets()) lacquer::print_preset(preset);
}
