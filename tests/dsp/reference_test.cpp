// One track made to sound like another: judged on what comes out of the real chain, by the profile of that.
#include "dsp/reference.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>

#include <gtest/gtest.h>

#include "dsp/eq_fit.h"
#include "dsp/filter_design.h"
#include "dsp/units.h"
#include "tests/dsp/chain_fixture.h"
#include "tests/support/measures.h"

namespace lacquer::dsp {
namespace {

using test::enhanced;
using test::profile_of;

constexpr std::uint32_t kRateHz = 48'000;
constexpr double kReferenceBoundDb = 6.0;

// Pink noise with `tilt_db` per octave from 1 kHz on both ways, and the side `side_db` against the middle.
AudioBuffer noise(std::uint64_t seed, double rms_dbfs, double tilt_db, double side_db, double seconds = 8.0) {
    ToneCurve curve{};
    for (std::size_t b = 0; b < kOctaveBands; ++b) curve[b] = tilt_db * (static_cast<double>(b) - 5.0);
    Recipe tilt = neutral_recipe(kRateHz, 2);
    const auto sections = fit_sections(curve, kEqualiserSections, kRateHz);
    std::copy(sections.begin(), sections.end(), tilt.equaliser.sections.begin());
    tilt.width.width = db_to_gain(side_db);  // the side of independent channels is as strong as their middle
    AudioBuffer audio = enhanced(tilt, test::pink_noise(seed, -30.0, seconds).block());
    test::scale_db(audio.block(), rms_dbfs - test::rms_dbfs(audio.block()));
    return audio;
}

Profile matched(const AudioBuffer& audio, const ReferenceTarget& reference, double intensity = 1.0) {
    const RecipeRequest request{PresetId::adaptive, intensity, true, reference};
    return profile_of(enhanced(derive_recipe(profile_of(audio.block()), request).recipe, audio.block()).block());
}

TEST(Reference, MovesEveryWellFilledOctaveTowardsIt) {
    for (const double tilt_db : {-1.5, 1.5}) {
        const ReferenceTarget reference = reference_of(profile_of(noise(1, -16.0, tilt_db, -6.0).block()));
        const AudioBuffer track = noise(2, -22.0, 0.0, 0.0);
        const Profile before = profile_of(track.block());
        const Profile after = matched(track, reference);
        const ToneTarget target{reference.octave_db, kReferenceBoundDb};
        const MissingTone missing = missing_tone(before, target);
        const MissingTone left = missing_tone(after, target);
        for (std::size_t b = 0; b < kOctaveBands; ++b) {
            ASSERT_TRUE(missing[b] && left[b]) << b;
            std::printf("tilt %+.1f: %5.0f Hz missing %+5.1f dB, afterwards %+5.1f\n", tilt_db, octave_centre_hz(b),
                        *missing[b], *left[b]);
            if (std::abs(*missing[b]) > 1.0) {
                EXPECT_LT(std::abs(*left[b]), std::abs(*missing[b]) - 0.5) << b;
            } else {
                EXPECT_LT(std::abs(*left[b]), 1.0) << b;
            }
        }
        EXPECT_NEAR(after.integrated_lufs, reference.integrated_lufs, 0.5);
        EXPECT_NEAR(after.side_to_mid_db - before.side_to_mid_db, -3.0, 0.3);
    }
}

TEST(Reference, ItselfIsNearlyLeftAlone) {
    const AudioBuffer tracks[] = {
        noise(1, -18.0, -1.0, -6.0),
        test::concatenate({noise(3, -26.0, 0.0, -10.0, 4.0).block(), noise(4, -16.0, -1.0, -3.0, 4.0).block()}),
        test::pink_noise(5, -14.0, 6.0)};
    for (const AudioBuffer& track : tracks) {
        const Profile before = profile_of(track.block());
        const Profile after = matched(track, reference_of(before));
        double change_db = 0.0;
        for (std::size_t b = 0; b < kOctaveBands; ++b)
            change_db = std::max(change_db, std::abs(after.octave_dbfs[b] - before.octave_dbfs[b]));
        std::printf("matched to itself: %.2f dB in an octave at most, %+.2f LU, side %+.2f dB\n", change_db,
                    after.integrated_lufs - before.integrated_lufs, after.side_to_mid_db - before.side_to_mid_db);
        EXPECT_LT(change_db, 1.0);
        EXPECT_NEAR(after.integrated_lufs, before.integrated_lufs, 0.5);
        EXPECT_NEAR(after.side_to_mid_db, before.side_to_mid_db, 0.5);
    }
}

TEST(Reference, HalfTheIntensityGoesHalfTheWay) {
    const ReferenceTarget reference = reference_of(profile_of(noise(1, -16.0, 1.0, 0.0).block()));
    const AudioBuffer track = noise(2, -22.0, 0.0, 0.0);
    const double before_lufs = profile_of(track.block()).integrated_lufs;
    const double half_lufs = matched(track, reference, 0.5).integrated_lufs;
    EXPECT_NEAR(half_lufs, 0.5 * (before_lufs + reference.integrated_lufs), 0.5);
}

TEST(Reference, WhatItDoesNotHaveIsLeftAlone) {
    // Octaves from 8 kHz up are missing, as in a telephone recording: a track that has them keeps them.
    Profile profile = profile_of(noise(1, -18.0, 0.0, 0.0).block());
    ReferenceTarget reference = reference_of(profile);
    for (const std::size_t b : {0u, 8u, 9u}) reference.octave_db[b] = kSilenceDb;
    const auto& equaliser = derive_recipe(profile, {PresetId::adaptive, 1.0, true, reference}).recipe.equaliser;
    for (const double hz : {31.25, 8000.0, 16'000.0}) EXPECT_NEAR(response_db(equaliser, hz / kRateHz), 0.0, 0.1) << hz;
}

TEST(Reference, FaintBandsSayNothingAndSilenceIsRefused) {
    Profile profile = profile_of(test::pink_noise(1, -20.0, 4.0).block());
    profile.octave_dbfs[9] = profile.octave_dbfs[4] - 60.0;
    const ReferenceTarget reference = reference_of(profile);
    EXPECT_EQ(reference.octave_db[9], kSilenceDb);
    EXPECT_LE(*std::max_element(reference.octave_db.begin(), reference.octave_db.end()), 0.0);
    EXPECT_THROW(reference_of(profile_of(test::silence(3.0).block())), std::invalid_argument);
}

TEST(ToneCurve, NoBandIsMovedAwayFromItsTarget) {
    for (std::uint64_t seed = 1; seed <= 500; ++seed) {
        test::Random random(seed);
        Profile profile;
        profile.sample_rate_hz = 44'100;
        for (double& level : profile.octave_dbfs) level = -20.0 - 40.0 * random.uniform();
        ToneTarget target = recorded_music();
        if (seed % 2 == 0) {
            for (double& level : target.octave_db) level = -20.0 * random.uniform();
            target.max_correction_db = kReferenceBoundDb;
        }
        const MissingTone missing = missing_tone(profile, target);
        const ToneCurve curve = match_correction(profile, target, 0.7);
        for (std::size_t b = 0; b < kOctaveBands; ++b) {
            EXPECT_LE(std::abs(curve[b]), target.max_correction_db);
            if (b > 0) {
                EXPECT_LE(std::abs(curve[b] - curve[b - 1]), 3.0 + 1e-6) << seed;
            }
            if (!missing[b]) {
                EXPECT_LE(curve[b], 0.0) << seed;
                continue;
            }
            EXPECT_GE(curve[b] * *missing[b], 0.0) << seed << " band " << b;
            EXPECT_LE(std::abs(curve[b]), std::abs(*missing[b]) + 1e-9) << seed << " band " << b;
        }
    }
}

}  // namespace
}  // namespace lacquer::dsp
