#include "src/player/run.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/player/playable.h"
#include "tests/src/faulty_decoder.h"

namespace lacquer::player {
namespace {

using dsp::Resampler;
using test::operator+;
using test::same_samples;

class RunTest : public testing::Test {
protected:
    struct Made {
        TrackPtr track;
        std::vector<float> samples;
    };
    Made make(double seconds, const test::Format& format, bool measured = false) {
        const dsp::AudioBuffer audio = test::restless_noise(seconds, format, ++made_);
        const test::fs::path file = directory.path() / (std::to_string(made_) + ".wav");
        return {test::playable(file, audio.block(), format.sample_rate_hz, made_ - 1, measured),
                test::interleaved(audio.block())};
    }
    Voice plain(const TrackPtr& track) { return voice_of(*track, test::untouched(), test::kShortGrid); }
    player::Run run_of(const RunFormat& format, const TrackPtr& track, std::int64_t first_frame = 0) {
        return {pipeline.chunks, format, *track, plain(track), first_frame};
    }

    test::TempDir directory;
    std::shared_ptr<test::DecoderFaults> faults = std::make_shared<test::DecoderFaults>();
    test::Pipeline pipeline{test::Pipeline::kRoomy, 2, {false, test::DecoderFaults::opener(faults)}};
    std::size_t made_ = 0;
};

struct Way {
    std::uint32_t from_hz;
    std::uint32_t to_hz;
    std::size_t from_channels;
    std::size_t to_channels;
    Resampler::Quality quality = Resampler::Quality::fastest;
};

std::ostream& operator<<(std::ostream& out, const Way& way) {
    return out << way.from_hz << "/" << way.from_channels << " to " << way.to_hz << "/" << way.to_channels;
}

class RunWays : public RunTest, public testing::WithParamInterface<Way> {
protected:
    RunFormat format() const { return {GetParam().to_hz, GetParam().to_channels, GetParam().quality}; }
    test::Format source() const { return {GetParam().from_hz, GetParam().from_channels}; }
};
INSTANTIATE_TEST_SUITE_P(Of, RunWays,
                         testing::Values(Way{22'050, 22'050, 2, 2}, Way{22'050, 22'050, 1, 2},
                                         Way{22'050, 22'050, 2, 1}, Way{44'100, 48'000, 2, 2},
                                         Way{48'000, 44'100, 2, 2}, Way{22'050, 48'000, 1, 2},
                                         Way{22'050, 48'000, 2, 1},
                                         Way{44'100, 48'000, 1, 1, Resampler::Quality::best}));

// Enhanced, over chunk borders and fades: where a run begins does not show.
TEST_P(RunWays, FromAnyFrameIsTheRunFromTheBeginning) {
    const auto [track, samples] = make(7.3, source(), true);
    const Voice voice = voice_of(*track, {}, test::kShortGrid);
    const std::int64_t length = length_in(format(), *track);
    player::Run from_zero(pipeline.chunks, format(), *track, voice, 0);
    const std::vector<float> whole = test::read_to_the_end(from_zero, format().channels);
    ASSERT_EQ(whole.size(), static_cast<std::size_t>(length) * format().channels);
    const std::int64_t border = 5 * static_cast<std::int64_t>(format().sample_rate_hz);
    for (const std::int64_t first :
         {std::int64_t{1}, std::int64_t{2}, std::int64_t{159}, std::int64_t{20'000}, border - 100, border - 1, border,
          border + 1, border + 3'000, length - 700, length - 2, length - 1, length}) {
        player::Run run(pipeline.chunks, format(), *track, voice, first);
        const auto rest = std::span(whole).subspan(static_cast<std::size_t>(first) * format().channels);
        const std::size_t frames = std::min<std::size_t>(10'000, rest.size() / format().channels);
        if (frames == rest.size() / format().channels) {
            EXPECT_TRUE(same_samples(test::read_to_the_end(run, format().channels), rest)) << "from " << first;
        } else {
            EXPECT_TRUE(
                same_samples(test::read_on(run, format().channels, frames), rest.first(frames * format().channels)))
                << "from " << first;
        }
    }
}

TEST_P(RunWays, TracksFollowEachOtherAsIfTheyWereOne) {
    std::vector<float> joined;
    std::vector<TrackPtr> tracks;
    for (const double seconds : {1.2345, 0.0001, 0.02, 2.0}) {
        Made made = make(seconds, {source().sample_rate_hz, format().channels});
        joined = joined + made.samples;
        tracks.push_back(made.track);
    }
    player::Run run = run_of(format(), tracks[0]);
    std::vector<float> heard;
    std::int64_t before = 0;  // frames at the source's rate
    for (std::size_t i = 1; i < tracks.size(); ++i) {
        heard = heard + test::read_on(run, format().channels);
        ASSERT_TRUE(run.ends_here());
        before += tracks[i - 1]->input.media.frame_count;
        const std::size_t to_come = run.go_on_with(*tracks[i], plain(tracks[i]));
        const Resampler::Rates rates{source().sample_rate_hz, format().sample_rate_hz};
        EXPECT_EQ(static_cast<std::int64_t>(heard.size() / format().channels + to_come),
                  Resampler::out_frames(before, rates));
    }
    heard = heard + test::read_to_the_end(run, format().channels);
    EXPECT_TRUE(same_samples(heard, test::converted(joined, format(), source().sample_rate_hz)));
}

TEST_F(RunTest, TracksOfOtherRatesFollowWithNothingMissingAndNothingBetween) {
    const RunFormat format{48'000, 2, Resampler::Quality::fastest};
    std::vector<Made> tracks;
    for (const std::uint32_t rate_hz : {44'100u, 48'000u, 22'050u, 44'100u, 32'000u, 48'000u})
        tracks.push_back(make(0.1 + 0.003 * static_cast<double>(tracks.size()), {rate_hz, 2}));
    for (const std::int64_t left : {1'000, 130, 20, 1, 0}) {
        const std::int64_t first = length_in(format, *tracks[0].track) - left;
        player::Run run = run_of(format, tracks[0].track, first);
        std::vector<float> heard;
        std::vector<float> expected;
        for (std::size_t i = 0; i < tracks.size(); ++i) {
            if (i > 0) {
                heard = heard + test::read_on(run, 2);
                ASSERT_TRUE(run.ends_here());
                const std::size_t to_come = run.go_on_with(*tracks[i].track, plain(tracks[i].track));
                EXPECT_EQ(heard.size() / 2 + to_come, expected.size() / 2) << "track " << i << " of " << left;
            }
            const std::uint32_t rate_hz = tracks[i].track->input.media.sample_rate_hz;
            const std::vector<float> all = test::converted(tracks[i].samples, format, rate_hz);
            expected.insert(expected.end(), all.begin() + (i == 0 ? 2 * first : 0), all.end());
        }
        heard = heard + test::read_to_the_end(run, 2);
        EXPECT_TRUE(same_samples(heard, expected)) << left << " frames of the first";
    }
}

// The tail of one conversion is still to come when the next track is at its end already.
TEST_F(RunTest, ATrackShorterThanTheConvertersTailIsNotLost) {
    const RunFormat format{48'000, 2, Resampler::Quality::best};
    const Made first = make(0.5, {44'100, 2});
    const Made tiny = make(2.0 / 48'000.0, {48'000, 2});
    const Made last = make(0.5, {32'000, 2});
    player::Run run = run_of(format, first.track);
    std::vector<float> heard = test::read_on(run, 2);
    run.go_on_with(*tiny.track, plain(tiny.track));
    EXPECT_FALSE(run.ends_here());
    heard = heard + test::read_on(run, 2);
    run.go_on_with(*last.track, plain(last.track));
    heard = heard + test::read_to_the_end(run, 2);
    EXPECT_TRUE(same_samples(heard, test::converted(first.samples, format, 44'100) + tiny.samples +
                                        test::converted(last.samples, format, 32'000)));
}

TEST_F(RunTest, OneChannelGoesToBothAndTwoBecomeTheirMean) {
    const Made mono = make(0.5, {22'050, 1});
    const Made stereo = make(0.5, {22'050, 2});
    player::Run to_both = run_of({22'050, 2}, mono.track);
    const std::vector<float> both = test::read_to_the_end(to_both, 2);
    for (std::size_t i = 0; i < both.size(); ++i) ASSERT_EQ(both[i], mono.samples[i / 2]);
    player::Run to_one = run_of({22'050, 1}, stereo.track);
    const std::vector<float> mean = test::read_to_the_end(to_one, 1);
    ASSERT_EQ(2 * mean.size(), stereo.samples.size());
    for (std::size_t i = 0; i < mean.size(); ++i)
        ASSERT_EQ(mean[i], 0.5f * (stereo.samples[2 * i] + stereo.samples[2 * i + 1]));
}

TEST_F(RunTest, TheGainIsOnEverySample) {
    const Made made = make(0.5, {22'050, 2});
    Voice voice = plain(made.track);
    voice.gain_db = -6.5;
    player::Run run(pipeline.chunks, {22'050, 2}, *made.track, voice, 0);
    std::vector<float> expected = made.samples;
    for (float& sample : expected) sample *= voice.gain();
    EXPECT_TRUE(same_samples(test::read_to_the_end(run, 2), expected));
    EXPECT_NEAR(voice.gain(), 0.473151, 1e-6);
}

// Asked to come back while it waits, at any moment, it goes on afterwards as if nothing had been.
TEST_F(RunTest, WhoDoesNotWantToWaitGetsItLater) {
    const RunFormat format{48'000, 2, Resampler::Quality::fastest};
    const Made made = make(6.5, {22'050, 2});
    faults->set({.from_frame = 100'000, .blocks = true});
    player::Run run = run_of(format, made.track);
    std::vector<float> heard;
    std::vector<float> piece(2 * 4'096);
    int refused = 0;
    while (!run.ends_here()) {
        bool wants = refused % 2 == 0;
        const std::size_t got = run.read(piece, [&] { return std::exchange(wants, false); });
        heard.insert(heard.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(2 * got));
        if (got == 0) ++refused;
        if (refused == 3) faults->release();
    }
    EXPECT_GE(refused, 3);
    run.finish();
    heard = heard + test::read_on(run, 2);
    EXPECT_TRUE(same_samples(heard, test::converted(made.samples, format, 22'050)));
}

class RunErrors : public RunTest, public testing::WithParamInterface<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(At, RunErrors, testing::Values(22'050u, 48'000u));

// The last of `frames` stereo frames at 22.05 kHz are the one before them, dying away in 5 ms.
std::vector<float> broken_off(std::vector<float> samples, std::size_t frames) {
    constexpr std::size_t kFade = 110;
    samples.resize(2 * frames);
    for (std::size_t i = 0; i < 2 * kFade; ++i) {
        const float level = static_cast<float>(kFade - 1 - i / 2) / kFade;
        samples[2 * (frames - kFade) + i] = level * samples[2 * (frames - kFade - 1) + i % 2];
    }
    return samples;
}

TEST_P(RunErrors, WhatCannotBeReadThrowsAndTheNextTrackFollowsWhereItEnded) {
    const RunFormat format{GetParam(), 2, Resampler::Quality::fastest};
    const Made broken = make(7.0, {22'050, 2});
    const Made next = make(1.0, {22'050, 2});
    player::Run ahead = run_of(format, next.track);  // while everything works: it is in the cache from now on
    test::read_to_the_end(ahead, 2);
    faults->set({.from_frame = 135'000});  // the second chunk is broken, the first is whole
    player::Run run = run_of(format, broken.track);
    std::vector<float> heard;
    std::vector<float> piece(2 * 4'096);
    EXPECT_THROW(
        while (true) {
            const std::size_t got = run.read(piece, test::always);
            ASSERT_GT(got, 0u);
            heard.insert(heard.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(2 * got));
        },
        ChunkError);
    EXPECT_GT(heard.size(), 2u * 4 * GetParam());
    EXPECT_FALSE(run.ends_here());
    run.skip_rest();
    heard = heard + test::read_on(run, 2);
    ASSERT_TRUE(run.ends_here());
    const std::size_t to_come = run.go_on_with(*next.track, plain(next.track));
    const std::size_t begin = heard.size() / 2 + to_come;
    heard = heard + test::read_to_the_end(run, 2);
    const auto source = static_cast<std::size_t>(static_cast<std::uint64_t>(begin) * 22'050 / GetParam());
    const std::vector<float> expected =
        test::converted(broken_off(broken.samples, source) + next.samples, format, 22'050);
    EXPECT_TRUE(same_samples(heard, expected)) << "from " << begin;
}

}  // namespace
}  // namespace lacquer::player
