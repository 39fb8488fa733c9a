// The whole chain on real music: what comes out stays under the ceiling by a 16x oracle that shares no code with the
// chain, and lands at the preset's loudness by libebur128 wherever no bound of the recipe holds.
#include "tests/src/real_music.h"

#include <filesystem>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/enhancer.h"
#include "dsp/recipe.h"
#include "tests/support/measures.h"

namespace lacquer {
namespace {

using test::passage;

constexpr double kCeilingDbtp = -1.0;

TEST(RealMusic, EveryPresetStaysUnderTheCeilingAndLandsAtItsLoudness) {
    const std::vector<std::filesystem::path> tracks = test::real_tracks();
    ASSERT_GE(tracks.size(), 10u) << "script/setup installs singularity-music";
    for (std::size_t t : {0u, 9u}) {
        const std::uint32_t rate_hz = media::probe(tracks[t]).sample_rate_hz;
        const dsp::AudioBuffer source = passage(tracks[t], 60.0, 12.0);
        const dsp::Profile profile = test::measure(source.block(), rate_hz);
        for (const dsp::Preset& preset : dsp::presets()) {
            const dsp::RecipeOutcome outcome = dsp::derive_recipe(profile, {preset.id});
            dsp::AudioBuffer audio = passage(tracks[t], 60.0, 12.0);
            dsp::Enhancer(outcome.recipe, 0).process(audio.block());
            const double peak_dbtp = test::true_peak_dbtp(audio.block());
            const double loudness_lufs = test::ebur128_measure(audio.block(), rate_hz).integrated_lufs;
            std::printf("%-28s %-9s %7.2f dBTP %7.2f LUFS, target %6.1f, predicted %6.2f %s\n",
                        tracks[t].stem().c_str(), std::string(preset.name).c_str(), peak_dbtp, loudness_lufs,
                        preset.loudness_lufs, outcome.predicted_lufs, outcome.bound.c_str());
            EXPECT_LE(peak_dbtp, kCeilingDbtp + 0.1) << tracks[t] << " " << preset.name;
            EXPECT_NEAR(loudness_lufs, outcome.predicted_lufs, 1.0) << tracks[t] << " " << preset.name;
        }
    }
}

}  // namespace
}  // namespace lacquer
