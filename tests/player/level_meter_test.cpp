#include "src/player/level_meter.h"

#include <cmath>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/interleave.h"
#include "tests/dsp/real_music.h"
#include "tests/support/signals.h"

namespace lacquer::player {
namespace {

constexpr std::uint32_t kRateHz = 48'000;
constexpr std::int64_t kHop = kRateHz / 10;

std::vector<float> interleaved(dsp::ConstAudioBlock block) {
    std::vector<float> samples(block.frame_count * block.channel_count);
    if (block.channel_count == 1) {
        std::copy_n(block.channels[0], block.frame_count, samples.begin());
    } else {
        dsp::interleave(block.channels[0], block.channels[1], block.frame_count, samples.data());
    }
    return samples;
}

// Fed in uneven pieces, as chunks and rings cut it.
void feed(LevelMeter& meter, std::int64_t first_frame, const dsp::AudioBuffer& audio) {
    const std::vector<float> samples = interleaved(audio.block());
    const std::size_t channels = audio.channel_count();
    std::size_t done = 0;
    for (const std::size_t frames : test::uneven_cuts(audio.frame_count(), 3'000, 1)) {
        meter.feed(first_frame + static_cast<std::int64_t>(done),
                   std::span(samples).subspan(done * channels, frames * channels));
        done += frames;
    }
}

dsp::AudioBuffer sine(double dbfs, double seconds) {
    return test::sine(997.0, dbfs, seconds);
}

double integrated_by_dsp(dsp::ConstAudioBlock block, std::uint32_t rate_hz) {
    dsp::LoudnessMeter meter(rate_hz, block.channel_count);
    meter.measure(block);
    return meter.integrated();
}

// A stereo sine of 0 dBFS reads 0 LUFS (-3.01 + 3.01 for the second channel).
TEST(LevelMeter, ReadsWhatIsHeardAndNotWhatIsFed) {
    LevelMeter meter(kRateHz, 2);
    feed(meter, 0, test::sine_sections(997.0, {{-20.0, 2.0}, {-40.0, 2.0}}));
    const MeterReading before = meter.at(0);
    EXPECT_EQ(before.momentary_lufs, -70.0);
    EXPECT_EQ(before.peak_dbfs[0], -200.0);
    const MeterReading loud = meter.at(kRateHz * 3 / 2);
    EXPECT_NEAR(loud.momentary_lufs, -20.0, 0.05);
    EXPECT_NEAR(loud.integrated_lufs, -20.0, 0.05);
    EXPECT_NEAR(loud.peak_dbfs[0], -20.0, 0.01);
    const MeterReading quiet = meter.at(kRateHz * 3);
    EXPECT_NEAR(quiet.momentary_lufs, -40.0, 0.05);
    EXPECT_NEAR(quiet.peak_dbfs[1], -40.0, 0.01);
}

TEST(LevelMeter, MonoReadsTheSamePeakTwice) {
    LevelMeter meter(kRateHz, 1);
    feed(meter, 0, test::sine(997.0, -6.0, 1.0, {kRateHz, 1}));
    const MeterReading reading = meter.at(kRateHz);
    EXPECT_NEAR(reading.peak_dbfs[0], -6.0, 0.01);
    EXPECT_EQ(reading.peak_dbfs[0], reading.peak_dbfs[1]);
    EXPECT_NEAR(reading.momentary_lufs, -9.0, 0.05);
}

TEST(LevelMeter, IntegratesRealMusicAsTheWholeTrackMeterDoes) {
    const test::MusicPassage music = test::singularity_music("Through Space", 0.0, 180.0);
    ASSERT_GT(music.audio.frame_count(), 0u);
    LevelMeter meter(music.sample_rate_hz, music.audio.channel_count());
    feed(meter, 0, music.audio);
    for (const std::size_t seconds : {10u, 60u, 180u}) {
        const std::size_t frames = std::min(music.audio.frame_count(), seconds * music.sample_rate_hz);
        const double expected = integrated_by_dsp(music.audio.block().slice(0, frames), music.sample_rate_hz);
        EXPECT_NEAR(meter.at(static_cast<std::int64_t>(frames)).integrated_lufs, expected, 0.02) << seconds << " s";
    }
}

TEST(LevelMeter, TheGateLeavesOutWhatIsTenLoudnessUnitsBelow) {
    LevelMeter meter(kRateHz, 2);
    const dsp::AudioBuffer audio = test::sine_sections(997.0, {{-36.0, 10.0}, {-23.0, 60.0}, {-36.0, 10.0}});
    feed(meter, 0, audio);
    EXPECT_NEAR(meter.at(kRateHz * 80).integrated_lufs, -23.0, 0.1);  // EBU Tech 3341, case 3
    EXPECT_NEAR(meter.at(kRateHz * 80).integrated_lufs, integrated_by_dsp(audio.block(), kRateHz), 0.001);
}

TEST(LevelMeter, ATrackBeginsAnewWhenItIsHeard) {
    LevelMeter meter(kRateHz, 2);
    const std::int64_t border = 2 * kRateHz + 1'234;  // in the middle of a hop
    feed(meter, 0, sine(-10.0, static_cast<double>(border) / kRateHz));
    meter.begin_track(border);
    feed(meter, border, sine(-30.0, 3.0));
    EXPECT_NEAR(meter.at(2 * kRateHz).integrated_lufs, -10.0, 0.05);
    EXPECT_EQ(meter.at(border).integrated_lufs, -70.0);
    EXPECT_NEAR(meter.at(border + 3 * kRateHz).integrated_lufs, -30.0, 0.05);
}

// A converter still holds the end of the track before: the border lies ahead of what was fed.
TEST(LevelMeter, ATrackMayBeginLaterThanWhatIsFedNext) {
    LevelMeter meter(kRateHz, 2);
    const std::int64_t border = 2 * kRateHz + 1'234;
    feed(meter, 0, sine(-10.0, 2.0));
    meter.begin_track(border);
    feed(meter, 2 * kRateHz, sine(-10.0, 1'234.0 / kRateHz));
    feed(meter, border, sine(-30.0, 3.0));
    EXPECT_NEAR(meter.at(2 * kRateHz).integrated_lufs, -10.0, 0.05);
    EXPECT_EQ(meter.at(border).integrated_lufs, -70.0);
    EXPECT_NEAR(meter.at(border + 3 * kRateHz).integrated_lufs, -30.0, 0.05);
}

TEST(LevelMeter, ARunThatTakesOverDropsWhatWasAheadOfIt) {
    LevelMeter meter(kRateHz, 2);
    feed(meter, 0, sine(-10.0, 5.0));
    meter.begin_track(5 * kRateHz);
    EXPECT_NEAR(meter.at(kRateHz).momentary_lufs, -10.0, 0.05);
    const std::int64_t takes_over = kRateHz + 777;
    feed(meter, takes_over, sine(-16.0, 2.0));
    const MeterReading reading = meter.at(takes_over + kRateHz);
    EXPECT_NEAR(reading.momentary_lufs, -16.0, 0.05);
    // Both were heard, and the track that was to begin was not.
    EXPECT_GT(reading.integrated_lufs, -15.5);
    EXPECT_LT(reading.integrated_lufs, -10.5);
    EXPECT_NEAR(meter.at(10 * kRateHz).momentary_lufs, -16.0, 0.05);
}

TEST(LevelMeter, AStretchThatIsNamedAsDroppedIsNotHeard) {
    LevelMeter meter(kRateHz, 2);
    feed(meter, 0, sine(-30.0, 2.0));
    feed(meter, 2 * kRateHz, sine(-6.0, 2.0));
    feed(meter, 4 * kRateHz, sine(-30.0, 2.0));
    meter.drop(2 * kRateHz, 4 * kRateHz);
    EXPECT_NEAR(meter.at(6 * kRateHz).integrated_lufs, -30.0, 0.05);
}

TEST(LevelMeter, DamageCountsAsSilence) {
    LevelMeter meter(kRateHz, 2);
    const std::vector<float> damage(2 * kHop, std::nanf(""));
    meter.feed(0, damage);
    feed(meter, kHop, sine(-20.0, 2.0));
    const MeterReading reading = meter.at(2 * kRateHz);
    EXPECT_NEAR(reading.momentary_lufs, -20.0, 0.05);
    EXPECT_TRUE(std::isfinite(reading.integrated_lufs));
}

TEST(GatedLoudness, KeepsAnHourInTheMemoryOfASecond) {
    GatedLoudness loudness;
    test::Random random(5);
    std::vector<double> hops;
    for (int i = 0; i < 36'000; ++i) hops.push_back(std::pow(10.0, -5.0 + 3.0 * random.uniform()));
    for (std::size_t i = 3; i < hops.size(); ++i) {
        loudness.add((hops[i] + hops[i - 1] + hops[i - 2] + hops[i - 3]) / 4.0);
    }
    const std::span<const double> run = hops;
    EXPECT_NEAR(loudness.integrated_lufs(), dsp::integrated_lufs({&run, 1}), 0.01);
    loudness.clear();
    EXPECT_EQ(loudness.integrated_lufs(), -70.0);
}

TEST(LevelMeter, IsReadByOneThreadWhileAnotherFeeds) {
    LevelMeter meter(kRateHz, 2);
    const dsp::AudioBuffer audio = sine(-20.0, 20.0);
    std::jthread feeder([&] { feed(meter, 0, audio); });
    MeterReading reading;
    for (std::int64_t frame = 0; frame < 10 * kRateHz; frame += 480) reading = meter.at(frame);
    feeder.join();
    EXPECT_NEAR(meter.at(20 * kRateHz).integrated_lufs, -20.0, 0.05);
}

}  // namespace
}  // namespace lacquer::player
