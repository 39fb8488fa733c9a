#include "src/player/voice.h"

#include <gtest/gtest.h>

#include "dsp/units.h"
#include "tests/player/playable.h"
#include "tests/support/measures.h"

namespace lacquer::player {
namespace {

constexpr std::uint32_t kRateHz = 44'100;

ListeningChoice choice_of(bool original, bool compared) {
    ListeningChoice choice;
    choice.original = original;
    choice.compared = compared;
    return choice;
}

class VoiceTest : public testing::Test {
protected:
    TrackPtr track(const dsp::AudioBuffer& audio) {
        return test::playable(directory.path() / "track.wav", audio.block(), kRateHz, 0, true);
    }
    // What a run of this voice gives, in the channels' own buffers.
    dsp::AudioBuffer heard(const TrackPtr& track, const Voice& voice) {
        player::Run run(pipeline.chunks, {kRateHz, 2}, *track, voice, 0);
        const std::vector<float> samples = test::read_to_the_end(run, 2);
        dsp::AudioBuffer audio(2, samples.size() / 2);
        for (std::size_t i = 0; i < samples.size(); ++i) audio.block().channels[i % 2][i / 2] = samples[i];
        return audio;
    }

    test::TempDir directory;
    test::Pipeline pipeline;
};

dsp::AudioBuffer music(double rms_dbfs, double peak_dbfs) {
    dsp::AudioBuffer audio = test::pink_noise(3, rms_dbfs, 8.0, {kRateHz, 2});
    const dsp::AudioBuffer crack = test::sine(400.0, peak_dbfs, 0.02, {kRateHz, 2});
    for (const double seconds : {2.0, 5.0, 7.0})
        test::add(audio.block().slice(test::frames_of(seconds, {kRateHz, 2}), crack.frame_count()), crack.block());
    return audio;
}

dsp::AudioBuffer quiet_music() {
    return music(-32.0, -20.0);
}

// Its peaks leave less room than it is to be lifted by.
dsp::AudioBuffer peaky_music() {
    return music(-26.0, -3.0);
}

dsp::AudioBuffer loud_music() {
    dsp::AudioBuffer audio = test::pink_noise(3, -8.0, 8.0, {kRateHz, 2});
    for (std::size_t c = 0; c < 2; ++c)
        for (float& sample : audio.block().channel(c)) sample = std::clamp(sample, -0.99f, 0.99f);
    return audio;
}

TEST_F(VoiceTest, TheOriginalIsAsLoudAsTheEnhancedOneIsPredictedToBe) {
    for (const dsp::AudioBuffer& audio : {quiet_music(), peaky_music(), loud_music()}) {
        const TrackPtr playable = track(audio);
        const Voice enhanced = voice_of(*playable, choice_of(false, true), test::kShortGrid);
        const Voice original = voice_of(*playable, choice_of(true, true), test::kShortGrid);
        EXPECT_EQ(original.predicted_lufs, enhanced.predicted_lufs);
        const dsp::AudioBuffer sound = heard(playable, original);
        const double lufs = test::ebur128_measure(sound.block(), kRateHz).integrated_lufs;
        EXPECT_NEAR(lufs, enhanced.predicted_lufs, 0.1);
        EXPECT_NEAR(test::ebur128_measure(heard(playable, enhanced).block(), kRateHz).integrated_lufs, lufs, 1.0);
        EXPECT_LE(test::true_peak_dbtp(sound.block()), 0.05);
        EXPECT_EQ(original.bound, "");
    }
}

TEST_F(VoiceTest, ABoostThatWouldClipTurnsBothDownByTheSame) {
    const TrackPtr playable = track(peaky_music());
    const Voice alone = voice_of(*playable, choice_of(false, false), test::kShortGrid);
    const Voice enhanced = voice_of(*playable, choice_of(false, true), test::kShortGrid);
    const Voice original = voice_of(*playable, choice_of(true, true), test::kShortGrid);
    EXPECT_EQ(alone.gain_db, 0.0) << "not compared yet: as it was meant to be";
    const double match_db = original.gain_db - enhanced.gain_db;
    EXPECT_NEAR(match_db, alone.predicted_lufs - playable->profile.integrated_lufs, 1e-9);
    ASSERT_GT(match_db + playable->profile.true_peak_dbtp, 0.2) << "or the test tests nothing";
    EXPECT_NEAR(playable->profile.true_peak_dbtp + original.gain_db, 0.0, 1e-9);
    EXPECT_LT(enhanced.gain_db, 0.0);
    EXPECT_EQ(enhanced.plan->fingerprint, alone.plan->fingerprint) << "the chunks are the same";
}

// The next track of a list that is heard as original has not been compared.
TEST_F(VoiceTest, TheOriginalNeverClipsComparedOrNot) {
    const TrackPtr playable = track(peaky_music());
    const Voice original = voice_of(*playable, choice_of(true, false), test::kShortGrid);
    EXPECT_LE(playable->profile.true_peak_dbtp + original.gain_db, 1e-9);
}

TEST_F(VoiceTest, WhereNothingWouldClipOnlyTheOriginalIsTouched) {
    for (const dsp::AudioBuffer& audio : {quiet_music(), loud_music()}) {
        const TrackPtr playable = track(audio);
        const Voice enhanced = voice_of(*playable, choice_of(false, true), test::kShortGrid);
        const Voice original = voice_of(*playable, choice_of(true, true), test::kShortGrid);
        EXPECT_EQ(enhanced.gain_db, 0.0);
        EXPECT_EQ(enhanced.gain(), 1.0f);
        EXPECT_NE(original.gain_db, 0.0);
        EXPECT_TRUE(original.plan->recipe.bypass);
    }
}

TEST_F(VoiceTest, WhatIsEnhancedAlreadyOrNotToBeComesOutBitForBit) {
    const dsp::AudioBuffer audio = quiet_music();
    PlayableTrack playable = *track(audio);
    const Voice untouched = voice_of(playable, test::untouched(), test::kShortGrid);
    playable.already_enhanced = true;
    const Voice enhanced = voice_of(playable, choice_of(true, true), test::kShortGrid);
    for (const Voice& voice : {untouched, enhanced}) {
        EXPECT_EQ(voice.gain_db, 0.0);
        EXPECT_EQ(voice.predicted_lufs, playable.profile.integrated_lufs);
        const auto shared = std::make_shared<const PlayableTrack>(playable);
        EXPECT_TRUE(test::same_bits(heard(shared, voice).block(), audio.block()));
    }
}

TEST_F(VoiceTest, SilenceStaysSilent) {
    const TrackPtr playable = track(test::silence(7.0, {kRateHz, 2}));
    for (const bool original : {false, true}) {
        const Voice voice = voice_of(*playable, choice_of(original, true), test::kShortGrid);
        EXPECT_EQ(voice.gain_db, 0.0);
        EXPECT_LT(test::peak_dbfs(heard(playable, voice).block()), -190.0);
    }
}

}  // namespace
}  // namespace lacquer::player
