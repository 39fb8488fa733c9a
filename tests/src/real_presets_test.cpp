// What the presets do to real music, measured on what comes out of the chain: that they land at their loudness, differ
// from each other, grow with the intensity, and move a track towards the target and never away.
#include <cmath>
#include <cstdio>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "dsp/tone_curve.h"
#include "dsp/units.h"
#include "tests/src/real_music.h"

namespace lacquer {
namespace {

using dsp::kOctaveBands;
using test::Passage;

constexpr double kFromSeconds = 30.0;
constexpr double kSeconds = 15.0;
constexpr double kAtTheTargetDb = 0.2;  // mean distance of the octaves

// How a sound differs from another one: in the balance of its well-filled octaves, loudness, loudness range and width.
struct Difference {
    double octave_db = 0.0;  // the largest
    double loudness_lu = 0.0;
    double range_lu = 0.0;
    double width_db = 0.0;

    double largest() const { return std::max(std::max(octave_db, loudness_lu), std::max(range_lu, width_db)); }
};

bool is_filled(const dsp::Profile& profile, std::size_t band) {
    constexpr double kFilledDb = 60.0;
    const double strongest = *std::max_element(profile.octave_dbfs.begin(), profile.octave_dbfs.end());
    return profile.octave_dbfs[band] > strongest - kFilledDb;
}

Difference difference(const dsp::Profile& a, const dsp::Profile& b) {
    Difference result;
    result.loudness_lu = std::abs(a.integrated_lufs - b.integrated_lufs);
    result.range_lu = std::abs(a.loudness_range_lu - b.loudness_range_lu);
    result.width_db = std::abs(a.side_to_mid_db - b.side_to_mid_db);
    for (std::size_t band = 0; band < kOctaveBands; ++band) {
        if (!is_filled(a, band) || !is_filled(b, band)) continue;
        const double balance_db = (a.octave_dbfs[band] - a.integrated_lufs) - (b.octave_dbfs[band] - b.integrated_lufs);
        result.octave_db = std::max(result.octave_db, std::abs(balance_db));
    }
    return result;
}

// Rms over the octaves that have something to say about the balance; in `bands` those are chosen.
double distance_db(const dsp::MissingTone& missing, const dsp::MissingTone& bands) {
    double sum = 0.0;
    int count = 0;
    for (std::size_t b = 0; b < kOctaveBands; ++b) {
        if (!missing[b] || !bands[b]) continue;
        sum += *missing[b] * *missing[b];
        ++count;
    }
    return count == 0 ? 0.0 : std::sqrt(sum / count);
}

// The two presets that are hardest to tell apart.
std::pair<Difference, std::string> closest(const std::vector<dsp::Profile>& sounds) {
    Difference least{100.0, 0.0, 0.0, 0.0};
    std::string names;
    for (std::size_t a = 0; a < sounds.size(); ++a) {
        for (std::size_t b = a + 1; b < sounds.size(); ++b) {
            const Difference between = difference(sounds[a], sounds[b]);
            if (between.largest() >= least.largest()) continue;
            least = between;
            names = std::string(dsp::presets()[a].name) + " and " + std::string(dsp::presets()[b].name);
        }
    }
    return {least, names};
}

// Prints and checks how far from the preset's loudness a rendering came out; nullopt when a bound held.
std::optional<double> check_loudness(const Passage& source, const dsp::Preset& preset,
                                     const dsp::RecipeOutcome& outcome, double lufs) {
    static const std::set<std::string> kBounds{"max-gain", "peak-headroom", "min-gain", "near-silence"};
    const double error_lu = lufs - preset.loudness_lufs;
    std::printf(" %s %+.2f%s", std::string(preset.name.substr(0, 3)).c_str(), error_lu,
                outcome.bound.empty() ? "" : ("(" + outcome.bound + ")").c_str());
    if (!outcome.bound.empty()) {
        EXPECT_TRUE(kBounds.contains(outcome.bound)) << outcome.bound;
        return std::nullopt;
    }
    EXPECT_NEAR(outcome.predicted_lufs, preset.loudness_lufs, 0.01) << source.name << " " << preset.name;
    return std::abs(error_lu);
}

TEST(RealPresets, LandAtTheirLoudnessOrNameTheBoundAndDifferFromEachOther) {
    constexpr double kLeastDifference = 0.5;  // dB in an octave, LU of loudness or of its range, or dB of width
    int unbound = 0;
    int missed = 0;  // by more than 0.5 LU
    double worst_lu = 0.0;
    double least = 100.0;
    for (const auto& file : test::real_tracks()) {
        const Passage source(file, kFromSeconds, kSeconds);
        std::printf("%-20s", source.name.c_str());
        std::vector<dsp::Profile> sounds;
        for (const dsp::Preset& preset : dsp::presets()) {
            const dsp::RecipeOutcome outcome = dsp::derive_recipe(source.profile, {preset.id});
            sounds.push_back(test::measure(source.rendered(outcome.recipe).block(), source.rate_hz));
            const auto error_lu = check_loudness(source, preset, outcome, sounds.back().integrated_lufs);
            unbound += error_lu ? 1 : 0;
            missed += error_lu.value_or(0.0) > 0.5 ? 1 : 0;
            worst_lu = std::max(worst_lu, error_lu.value_or(0.0));
        }
        const auto [apart, names] = closest(sounds);
        std::printf("\n%20s closest: %s: octave %.2f dB, loudness %.2f LU, range %.2f LU, width %.2f dB\n", "",
                    names.c_str(), apart.octave_db, apart.loudness_lu, apart.range_lu, apart.width_db);
        EXPECT_GE(apart.largest(), kLeastDifference) << source.name << ": " << names;
        least = std::min(least, apart.largest());
    }
    std::printf("%d without a bound: %d miss their target by more than 0.5 LU, the worst by %.2f\n", unbound, missed,
                worst_lu);
    std::printf("every two presets differ by at least %.2f dB or LU in one of the four on every track\n", least);
    EXPECT_GE(unbound, 50);
    // The target is 0 and 0.5: what transients and the limiter do is predicted from a profile that does not hold them.
    EXPECT_LE(missed, 3);
    EXPECT_LE(worst_lu, 0.8);
}

TEST(RealPresets, AdaptiveMovesEveryTrackTowardsTheTargetAndNeverAway) {
    for (const auto& file : test::real_tracks()) {
        const Passage source(file, kFromSeconds, kSeconds);
        const dsp::MissingTone before = dsp::missing_tone(source.profile, dsp::recorded_music());
        const dsp::MissingTone after =
            dsp::missing_tone(source.after({dsp::PresetId::adaptive}), dsp::recorded_music());
        const double before_db = distance_db(before, before);
        const double after_db = distance_db(after, before);
        std::printf("%-20s %5.2f dB from the target, afterwards %5.2f\n", source.name.c_str(), before_db, after_db);
        EXPECT_LE(after_db, before_db) << source.name;
        if (before_db > 1.0) {
            EXPECT_LT(after_db, before_db - 0.1) << source.name;
        }
    }
}

TEST(RealPresets, AMasterThatSitsAtTheTargetIsLeftAlmostAsItIs) {
    dsp::ReferenceTarget target;
    const auto& music = dsp::recorded_music().octave_db;
    const double strongest = *std::max_element(music.begin(), music.end());
    for (std::size_t b = 0; b < kOctaveBands; ++b) target.octave_db[b] = music[b] - strongest;
    target.integrated_lufs = -14.0;
    target.loudness_range_lu = target.crest_db = 100.0;  // no compression
    ASSERT_GE(test::real_tracks().size(), 12u);
    int at_the_target = 0;
    for (const std::size_t t : {0u, 3u, 9u, 11u}) {
        Passage master(test::real_tracks()[t], kFromSeconds, kSeconds);
        target.side_to_mid_db = master.profile.side_to_mid_db;
        dsp::MissingTone missing = dsp::missing_tone(master.profile, dsp::recorded_music());
        for (int pass = 0; pass < 6 && distance_db(missing, missing) > kAtTheTargetDb; ++pass) {
            master.audio = master.rendered(dsp::derive_recipe(master.profile, {.reference = target}).recipe);
            master.profile = test::measure(master.audio.block(), master.rate_hz);
            missing = dsp::missing_tone(master.profile, dsp::recorded_music());
        }
        if (distance_db(missing, missing) > kAtTheTargetDb) continue;  // too far for the equaliser's bounds
        ++at_the_target;
        const dsp::Profile after = master.after({dsp::PresetId::adaptive});
        double change_db = 0.0;
        for (std::size_t b = 0; b < kOctaveBands; ++b) {
            if (!missing[b] || std::abs(*missing[b]) > 1.0) continue;
            const double gain_db = after.integrated_lufs - master.profile.integrated_lufs;
            change_db = std::max(change_db, std::abs(after.octave_dbfs[b] - master.profile.octave_dbfs[b] - gain_db));
        }
        std::printf("%-20s is %.2f dB from the target; no octave there changes by more than %.2f dB\n",
                    master.name.c_str(), distance_db(missing, missing), change_db);
        // The target is 1: what compression takes from a lively band more than from others is not given back.
        EXPECT_LT(change_db, 1.5) << master.name;
    }
    EXPECT_GE(at_the_target, 2);
}

TEST(RealPresets, EffectGrowsWithTheIntensity) {
    for (const std::size_t t : {1u, 6u}) {
        const Passage source(test::real_tracks()[t], kFromSeconds, 6.0);
        for (const dsp::Preset& preset : dsp::presets()) {
            std::printf("%-20s %-9s", source.name.c_str(), std::string(preset.name).c_str());
            double before = -1e-9;
            for (const double intensity : {0.0, 0.25, 0.5, 0.75, 1.0}) {
                const dsp::Profile sound = source.after({preset.id, intensity});
                double sum = 0.0;
                for (std::size_t b = 0; b < kOctaveBands; ++b) {
                    const double change_db = sound.octave_dbfs[b] - source.profile.octave_dbfs[b];
                    if (is_filled(source.profile, b)) sum += change_db * change_db;
                }
                const double effect_db = std::sqrt(sum);
                std::printf(" %6.3f", effect_db);
                EXPECT_GT(effect_db, before) << source.name << " " << preset.name << " at " << intensity;
                before = effect_db;
            }
            std::printf("\n");
            EXPECT_GT(before, 1.0) << preset.name;
        }
    }
}

}  // namespace
}  // namespace lacquer
