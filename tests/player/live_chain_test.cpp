#include "src/player/live_chain.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/enhancer.h"
#include "dsp/interleave.h"
#include "dsp/loudness.h"
#include "dsp/preset.h"
#include "dsp/units.h"
#include "src/player/live_tuner.h"
#include "tests/dsp/real_music.h"
#include "tests/support/allocation_guard.h"
#include "tests/support/measures.h"
#include "tests/support/signals.h"

namespace lacquer::player {
namespace {

constexpr std::uint32_t kRateHz = 48'000;

std::vector<float> interleaved(dsp::ConstAudioBlock block) {
    std::vector<float> samples(2 * block.frame_count);
    dsp::interleave(block.channels[0], block.channels[block.channel_count - 1], block.frame_count, samples.data());
    return samples;
}

dsp::AudioBuffer planar(std::span<const float> samples) {
    dsp::AudioBuffer audio(2, samples.size() / 2);
    dsp::deinterleave(samples.data(), audio.frame_count(), audio.block().channels[0], audio.block().channels[1]);
    return audio;
}

// A device's time, turned by hand: the callback in odd periods, the tuner now and then.
class Insert {
public:
    explicit Insert(const dsp::RecipeRequest& request, std::uint32_t rate_hz = kRateHz)
        : shape_{rate_hz, 2, 2}, chain_(shape_, request), tuner_(chain_, shape_, request) {}

    dsp::AudioBuffer play(dsp::ConstAudioBlock audio, std::size_t period = 441) {
        const std::vector<float> in = interleaved(audio);
        std::vector<float> out(in.size());
        for (std::size_t at = 0; at < audio.frame_count; at += period) {
            const std::size_t frames = std::min(period, audio.frame_count - at);
            chain_.process(in.data() + 2 * at, out.data() + 2 * at, frames);
            if (at / shape_.sample_rate_hz != (at + frames) / shape_.sample_rate_hz) tuner_.work();
        }
        return planar(out);
    }
    LiveChain& chain() { return chain_; }
    LiveTuner& tuner() { return tuner_; }
    std::size_t latency() const { return chain_.latency_frames(); }

private:
    LiveShape shape_;
    LiveChain chain_;
    LiveTuner tuner_;
};

double lufs(dsp::ConstAudioBlock audio, std::uint32_t rate_hz = kRateHz) {
    dsp::LoudnessMeter meter(rate_hz, audio.channel_count);
    meter.measure(audio);
    return meter.integrated();
}

dsp::AudioBuffer repeated(dsp::ConstAudioBlock audio, std::size_t times) {
    return test::concatenate(std::vector<dsp::ConstAudioBlock>(times, audio));
}

// By how many frames `out` lags behind `in`: the lag of the largest correlation.
std::size_t lag_of(std::span<const float> in, std::span<const float> out, std::size_t longest) {
    std::size_t best = 0;
    double largest = 0.0;
    for (std::size_t lag = 0; lag <= longest; ++lag) {
        double sum = 0.0;
        for (std::size_t i = 0; i + lag < out.size(); ++i) sum += in[i] * out[i + lag];
        if (sum > largest) {
            largest = sum;
            best = lag;
        }
    }
    return best;
}

TEST(LiveChain, DelaysByExactlyItsLatencyWhateverThePreset) {
    const dsp::AudioBuffer noise = test::white_noise(2, -26.0, 0.5);
    for (const dsp::Preset& preset : dsp::presets()) {
        Insert insert({.preset = preset.id});
        const dsp::AudioBuffer out = insert.play(noise.block());
        EXPECT_EQ(lag_of(noise.block().channel(0), out.block().channel(0), 1'000), insert.latency()) << preset.name;
    }
}

TEST(LiveChain, TheDelayStaysWhenASaturatingRecipeTakesOver) {
    const dsp::RecipeRequest warm{.preset = dsp::PresetId::warm};
    Insert insert(warm);
    const dsp::AudioBuffer noise = test::white_noise(3, -26.0, 12.0);
    const dsp::AudioBuffer out = insert.play(noise.block());
    ASSERT_GT(insert.tuner().reading().recipes, 0u);
    ASSERT_GT(insert.tuner().recipe().saturation.amount, 0.0);
    for (const std::size_t from : {std::size_t{kRateHz}, std::size_t{11} * kRateHz}) {
        EXPECT_EQ(
            lag_of(noise.block().channel(0).subspan(from, 12'000), out.block().channel(0).subspan(from, 12'000), 1'000),
            insert.latency())
            << from;
    }
}

TEST(LiveChain, IntensityZeroIsAWire) {
    Insert insert({.intensity = 0.0});
    EXPECT_EQ(insert.latency(), 0u);
    const dsp::AudioBuffer noise = test::white_noise(4, -3.0, 5.0);
    const dsp::AudioBuffer out = insert.play(noise.block());
    EXPECT_TRUE(test::same_bits(out.block(), noise.block()));
    EXPECT_EQ(insert.tuner().reading().recipes, 0u);
}

TEST(LiveChain, BeginsNeutralAndAsLoudAsWhatComesIn) {
    Insert insert({});
    const dsp::AudioBuffer noise = test::pink_noise(5, -24.0, 2.5);
    const dsp::AudioBuffer out = insert.play(noise.block());
    EXPECT_NEAR(lufs(out.block()), lufs(noise.block()), 0.1);
}

TEST(LiveChain, OnceSettledItIsAFixedEnhancer) {
    Insert insert({.preset = dsp::PresetId::punchy});
    const dsp::AudioBuffer passage = test::pink_noise(6, -22.0, 3.0);
    const dsp::AudioBuffer noise = repeated(passage.block(), 40);
    const dsp::AudioBuffer out = insert.play(noise.block());
    ASSERT_GT(insert.tuner().reading().recipes, 1u);

    dsp::AudioBuffer fixed = test::copy(noise.block());
    dsp::Enhancer(insert.tuner().recipe(), 0).process(fixed.block());
    const std::size_t from = 100 * kRateHz;
    const auto late = [&](const dsp::AudioBuffer& audio) { return audio.block().slice(from, 20 * kRateHz); };
    EXPECT_LE(test::residual(late(out), late(fixed), kRateHz).peak_dbfs, -120.0);
}

TEST(LiveChain, ConvergesToThePresetsLoudnessOnRealMusic) {
    for (const char* name : {"Through Space", "Media Threat", "Coherence"}) {
        for (const dsp::PresetId preset : {dsp::PresetId::gentle, dsp::PresetId::adaptive}) {
            const test::MusicPassage music = test::singularity_music(name, 60.0, 20.0);
            ASSERT_GT(music.audio.frame_count(), 0u);
            dsp::AudioBuffer audio = repeated(music.audio.block(), 6);
            test::scale_db(audio.block(), -4.0);
            Insert insert({.preset = preset}, music.sample_rate_hz);
            const dsp::AudioBuffer out = insert.play(audio.block());
            const std::size_t minute = 60 * music.sample_rate_hz;
            EXPECT_EQ(insert.tuner().reading().bound, "") << name;
            EXPECT_NEAR(lufs(out.block().slice(minute, minute), music.sample_rate_hz),
                        dsp::preset(preset).loudness_lufs, 1.0)
                << name;
        }
    }
}

TEST(LiveChain, LoudnessNeverMovesByMoreThanOneDecibelPerSecond) {
    Insert insert({});
    const dsp::AudioBuffer passage = test::pink_noise(7, -36.0, 1.0);
    const dsp::AudioBuffer noise = repeated(passage.block(), 40);
    const dsp::AudioBuffer out = insert.play(noise.block());
    double before = 0.0;
    double most = 0.0;
    for (std::size_t second = 2; second < 40; ++second) {
        const double now = test::rms_dbfs(out.block().slice(second * kRateHz, kRateHz));
        if (second > 2) most = std::max(most, std::abs(now - before));
        before = now;
    }
    EXPECT_LE(most, 1.05);
    EXPECT_GE(most, 0.5);  // it does move
}

TEST(LiveChain, SilenceKeepsTheRecipe) {
    Insert insert({});
    insert.play(test::pink_noise(8, -30.0, 20.0).block());
    const LiveReading before = insert.tuner().reading();
    ASSERT_GT(before.recipes, 0u);
    const dsp::AudioBuffer quiet = insert.play(test::pink_noise(9, -70.0, 20.0).block());
    insert.play(test::silence(20.0).block());
    EXPECT_EQ(insert.tuner().reading().recipes, before.recipes);
    EXPECT_TRUE(test::all_finite(quiet.block()));
}

// A sine through changing recipes: what is not the sine is the click.
TEST(LiveTuner, ARecipeThatTheChainCannotTakeLeavesTheLastOneAtWork) {
    const LiveShape shape{kRateHz, 2, 2};
    LiveChain chain(shape, {});
    LiveTuner tuner(chain, shape, {.preset = dsp::PresetId::warm});  // which needs more look-ahead than this chain has
    const std::vector<float> in = interleaved(test::pink_noise(6, -24.0, 1.0).block());
    std::vector<float> out(in.size());
    for (int seconds = 0; seconds < 7; ++seconds) {
        chain.process(in.data(), out.data(), kRateHz);
        tuner.work();
    }
    EXPECT_EQ(tuner.reading().recipes, 0u);
    EXPECT_EQ(tuner.reading().bound, "no other recipe: latency_frames");
    EXPECT_TRUE(chain.takes_offers());
    EXPECT_NEAR(tuner.reading().output.integrated_lufs, tuner.reading().input.integrated_lufs, 0.2);
}

TEST(LiveChain, ATakeoverDoesNotClick) {
    Insert insert({});
    const dsp::AudioBuffer sine = test::sine(440.0, -20.0, 24.0);
    const dsp::AudioBuffer out = insert.play(sine.block());
    ASSERT_GT(insert.tuner().reading().recipes, 1u);
    for (std::size_t at = kRateHz; at + kRateHz / 10 <= out.frame_count(); at += kRateHz / 10) {
        const auto piece = out.block().channel(0).subspan(at, kRateHz / 10);
        ASSERT_LE(test::thd_n_db(piece, 440.0, kRateHz), -45.0) << static_cast<double>(at) / kRateHz << " s";
    }
}

TEST(LiveChain, TheCallbackAllocatesNothingAndFreesNothing) {
    const LiveShape shape{kRateHz, 2, 2};
    LiveChain chain(shape, {});
    const std::vector<float> in = interleaved(test::pink_noise(10, -20.0, 4.0).block());
    std::vector<float> out(in.size());
    dsp::Recipe recipe = dsp::neutral_recipe(kRateHz, 2);
    recipe.level.gain = 0.5;
    ASSERT_TRUE(chain.offer(recipe));
    const test::AllocationGuard guard;
    for (std::size_t at = 0; at + 441 <= in.size() / 2; at += 441) {
        chain.process(in.data() + 2 * at, out.data() + 2 * at, 441);
    }
    EXPECT_EQ(guard.count(), 0u);
    EXPECT_EQ(guard.freed_count(), 0u);
    EXPECT_TRUE(chain.takes_offers());  // the takeover was within
}

TEST(LiveChain, ATakeoverByTheSameRecipeChangesNoBit) {
    Insert insert({});
    const dsp::Recipe recipe = dsp::neutral_recipe(kRateHz, 2);
    const dsp::AudioBuffer noise = test::pink_noise(11, -65.0, 4.0);  // too quiet for the tuner
    dsp::AudioBuffer fixed = test::copy(noise.block());
    dsp::Enhancer(recipe, 0).process(fixed.block());
    const dsp::AudioBuffer before = insert.play(noise.block().slice(0, kRateHz));
    ASSERT_TRUE(insert.chain().offer(recipe));
    const dsp::AudioBuffer after = insert.play(noise.block().slice(kRateHz, 3 * kRateHz));
    EXPECT_TRUE(insert.chain().takes_offers());
    // What latency the neutral recipe's own chain is short of is made up for.
    const std::size_t late = insert.latency() - dsp::Enhancer(recipe, 0).latency_frames();
    EXPECT_TRUE(test::same_bits(after.block(), fixed.block().slice(kRateHz - late, 3 * kRateHz)));
    EXPECT_TRUE(test::all_finite(before.block()));
}

TEST(LiveChain, OneTakeoverAtATime) {
    LiveChain chain({kRateHz, 2, 2}, {});
    EXPECT_TRUE(chain.offer(dsp::neutral_recipe(kRateHz, 2)));
    EXPECT_FALSE(chain.offer(dsp::neutral_recipe(kRateHz, 2)));
}

TEST(LiveChain, WhatNobodyReadsIsLostAndCounted) {
    LiveChain chain({kRateHz, 2, 2}, {});
    std::vector<float> silence(2 * 480), out(2 * 480);
    for (int i = 0; i < 500; ++i) chain.process(silence.data(), out.data(), 480);
    EXPECT_EQ(chain.lost_frames(), kRateHz);  // 5 s passed, 4 s are kept
}

TEST(LiveChain, MonoIsHeardOnBothSidesAndStereoOnOne) {
    std::vector<float> mono(4'800, 0.1f), stereo(9'600, 0.1f);
    LiveChain to_stereo({kRateHz, 1, 2}, {});
    to_stereo.process(mono.data(), stereo.data(), 4'800);
    EXPECT_NE(stereo[8'000], 0.0f);
    EXPECT_EQ(stereo[8'000], stereo[8'001]);
    std::fill(stereo.begin(), stereo.end(), 0.1f);
    LiveChain to_mono({kRateHz, 2, 1}, {});
    to_mono.process(stereo.data(), mono.data(), 4'800);
    EXPECT_NEAR(mono[4'000], 0.1f, 0.01f);
}

}  // namespace
}  // namespace lacquer::player
