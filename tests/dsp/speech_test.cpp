#include "dsp/speech.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "dsp/profile.h"
#include "tests/dsp/hop_fixture.h"
#include "tests/support/signals.h"

namespace lacquer::dsp {
namespace {

using test::Format;
using test::Random;

double turn(double turns) {
    return std::sin(2.0 * std::numbers::pi * turns);
}

// Syllables of 150-250 ms (a glottal pulse train through two formants, with a pitch that falls), every third one opened
// by a hiss, with a pause after every few.
AudioBuffer babble(double seconds, const Format& format, std::uint64_t seed) {
    AudioBuffer audio = test::silence(seconds, format);
    Random random(seed);
    const double rate = format.sample_rate_hz;
    std::size_t at = 0;
    double previous = 0.0;
    for (int syllable = 0; at < audio.frame_count(); ++syllable) {
        const auto length = static_cast<std::size_t>(rate * (0.15 + 0.1 * random.uniform()));
        const double pitch = 100.0 + 60.0 * random.uniform();
        const double first = 350.0 + 450.0 * random.uniform();
        const double second = 1000.0 + 1200.0 * random.uniform();
        const auto hiss = static_cast<std::size_t>(syllable % 3 == 0 ? 0.1 * rate : 0.0);
        for (std::size_t i = 0; i < hiss + length && at + i < audio.frame_count(); ++i) {
            double x = 0.0;
            if (i < hiss) {
                const double white = random.normal();
                x = 0.04 * (white - previous) * turn(0.5 * static_cast<double>(i) / static_cast<double>(hiss));
                previous = white;
            } else {
                const double t = static_cast<double>(i - hiss) / rate;
                const double shape = turn(0.5 * static_cast<double>(i - hiss) / static_cast<double>(length));
                const double since_pulse = std::fmod(t, 1.0 / pitch);
                x = 0.3 * shape * shape *
                    (std::exp(-since_pulse * 300.0) * turn(first * since_pulse) +
                     0.2 * std::exp(-since_pulse * 500.0) * turn(second * since_pulse));
            }
            for (std::size_t c = 0; c < audio.channel_count(); ++c)
                audio.block().channels[c][at + i] = static_cast<float>(x);
        }
        const double pause = syllable % 6 == 5 ? 0.25 + 0.2 * random.uniform() : 0.02;
        at += hiss + length + static_cast<std::size_t>(pause * rate);
    }
    return audio;
}

AudioBuffer chords(double seconds, const Format& format) {
    AudioBuffer audio = test::silence(seconds, format);
    for (double hz : {110.0, 220.0, 277.2, 329.6, 440.0})
        test::add(audio.block(), test::sine(hz, -26.0, seconds, format).block());
    for (std::size_t i = 0; i < audio.frame_count(); ++i) {
        const double beat = std::fmod(static_cast<double>(i) / format.sample_rate_hz, 0.5);
        for (std::size_t c = 0; c < audio.channel_count(); ++c)
            audio.block().channels[c][i] *= static_cast<float>(0.3 + 0.7 * std::exp(-beat * 4.0));
    }
    return audio;
}

// Kick, snare and hi-hat at 120 beats per minute.
AudioBuffer drums(double seconds, const Format& format) {
    AudioBuffer audio = test::silence(seconds, format);
    Random random(1);
    for (std::size_t i = 0; i < audio.frame_count(); ++i) {
        const double t = static_cast<double>(i) / format.sample_rate_hz;
        const double kick = std::fmod(t, 1.0), snare = std::fmod(t + 0.5, 1.0), hat = std::fmod(t, 0.25);
        const double x = 0.6 * std::exp(-kick * 10.0) * turn(60.0 * kick) +
                         0.05 * std::exp(-hat * 30.0) * random.normal() +
                         0.15 * std::exp(-snare * 15.0) * random.normal();
        for (std::size_t c = 0; c < audio.channel_count(); ++c) audio.block().channels[c][i] = static_cast<float>(x);
    }
    return audio;
}

Profile judged(ConstAudioBlock audio, std::uint32_t sample_rate_hz) {
    Profile profile;
    for (const SpeechFeatures& window : speech_windows(test::measure_hops(audio, sample_rate_hz).speech))
        profile.speech_confidence.push_back(static_cast<float>(speech_confidence(window)));
    return profile;
}

double surest(const Profile& profile) {
    return *std::max_element(profile.speech_confidence.begin(), profile.speech_confidence.end());
}

TEST(Speech, BabbleIsSpeechAtEveryRate) {
    for (std::uint32_t rate : {8000u, 22'050u, 44'100u, 96'000u})
        for (std::uint64_t seed = 1; seed <= 3; ++seed)
            EXPECT_TRUE(is_speech(judged(babble(30.0, {rate, 2}, seed).block(), rate))) << rate << " seed " << seed;
}

TEST(Speech, ChordsDrumsTonesAndNoiseAreNot) {
    for (std::uint32_t rate : {8000u, 44'100u}) {
        const Format format{rate, 2};
        EXPECT_LT(surest(judged(chords(12.0, format).block(), rate)), 0.5);
        EXPECT_LT(surest(judged(drums(12.0, format).block(), rate)), 0.95);
        EXPECT_LT(surest(judged(test::sine(1000.0, -20.0, 12.0, format).block(), rate)), 0.5);
        EXPECT_LT(surest(judged(test::pink_noise(1, -20.0, 12.0, format).block(), rate)), 0.1);
        EXPECT_LT(surest(judged(test::chirp(50.0, 3900.0, -20.0, 12.0, format).block(), rate)), 0.5);
    }
}

TEST(Speech, SilenceIsNotSpeechAndHasNoNan) {
    const Profile silent = judged(test::silence(9.0).block(), 48'000);
    ASSERT_EQ(silent.speech_confidence.size(), 3u);
    EXPECT_EQ(surest(silent), 0.0);
    EXPECT_FALSE(is_speech(Profile{}));
}

TEST(Speech, OneSidedSoundHasASide) {
    AudioBuffer audio = babble(6.0, {48'000, 2}, 1);
    for (float& x : audio.block().channel(1)) x = 0.0f;
    const auto windows = speech_windows(test::measure_hops(audio.block(), 48'000).speech);
    EXPECT_NEAR(windows.at(0).side_share, 0.5, 1e-9);
}

TEST(Speech, ModulationIsTheShareOfSyllables) {
    const auto share = [](double hz) {
        std::array<SpeechFrame, kSpeechWindowFrames> frames{};
        for (std::size_t i = 0; i < frames.size(); ++i)
            frames[i].energy = std::pow(10.0, -3.0 + 0.5 * turn(hz * static_cast<double>(i) / 50.0));
        return speech_features(frames).modulation;
    };
    EXPECT_NEAR(share(4.0), 1.0, 1e-9);
    EXPECT_NEAR(share(1.0), 0.0, 1e-9);
    EXPECT_NEAR(share(12.0), 0.0, 1e-9);
}

TEST(Speech, IsSpeechTakesEightyPercentOfSureWindows) {
    Profile profile;
    profile.speech_confidence = {0.96f, 0.99f, 0.95f, 0.97f, 0.1f};
    EXPECT_TRUE(is_speech(profile));
    profile.speech_confidence[0] = 0.94f;
    EXPECT_FALSE(is_speech(profile));
}

}  // namespace
}  // namespace lacquer::dsp
