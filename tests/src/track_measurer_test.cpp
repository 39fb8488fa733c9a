#include "src/track_measurer.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "src/profile_json.h"
#include "tests/src/fixture.h"

namespace lacquer {
namespace {

using test::eventually;
using test::present;
using test::Roadblock;

std::optional<dsp::Profile> profile_of(const std::optional<Measured>& measured) {
    if (!measured) return std::nullopt;
    return measured->profile;
}

class TrackMeasurerTest : public testing::Test {
protected:
    std::filesystem::path source(const dsp::AudioBuffer& audio, std::uint32_t sample_rate_hz) const {
        test::write_wav(folder / "a.wav", audio.block(), sample_rate_hz);
        return folder / "a.wav";
    }
    static std::optional<dsp::Profile> measure(const std::filesystem::path& file, int workers = 2) {
        Scheduler scheduler(workers);
        return profile_of(TrackMeasurer(scheduler).measure(file, media::probe(file), TaskClass::listener, present));
    }
    test::TempDir folder;
};

TEST_F(TrackMeasurerTest, OneAndFourWorkersGiveTheSameProfileToTheBit) {
    const auto file = source(test::restless_noise(130, {16'000, 2}), 16'000);
    const std::string one = profile_to_json(*measure(file, 1)).dump();
    EXPECT_EQ(profile_to_json(*measure(file, 4)).dump(), one);
    EXPECT_EQ(profile_to_json(*measure(file, 4)).dump(), one);
}

TEST_F(TrackMeasurerTest, TheSegmentsGiveWhatOneStraightPassGives) {
    for (const double seconds : {95.37, 30.0, 12.0, 0.05}) {
        const auto file = source(test::restless_noise(seconds, {16'000, 2}), 16'000);
        const dsp::Profile parts = *measure(file);
        const dsp::Profile straight = test::straight_profile(file);
        EXPECT_NEAR(parts.integrated_lufs, straight.integrated_lufs, 1e-9) << seconds;
        EXPECT_NEAR(parts.loudness_range_lu, straight.loudness_range_lu, 1e-9);
        EXPECT_NEAR(parts.true_peak_dbtp, straight.true_peak_dbtp, 1e-9);
        EXPECT_EQ(parts.sample_peak_dbfs, straight.sample_peak_dbfs);
        EXPECT_NEAR(parts.rms_dbfs, straight.rms_dbfs, 1e-9);
        EXPECT_NEAR(parts.stereo_correlation, straight.stereo_correlation, 1e-9);
        EXPECT_EQ(parts.frame_count, straight.frame_count);
        EXPECT_FALSE(parts.provisional);
        ASSERT_EQ(parts.short_term_lufs.size(), straight.short_term_lufs.size());
        for (std::size_t i = 0; i < parts.short_term_lufs.size(); ++i) {
            EXPECT_NEAR(parts.short_term_lufs[i], straight.short_term_lufs[i], 1e-4) << "second " << i;
        }
    }
}

TEST_F(TrackMeasurerTest, ASketchOfASteadySignalIsCloseToTheFullMeasurement) {
    const auto file = source(test::pink_noise(3, -20, 100, {16'000, 2}), 16'000);
    Scheduler scheduler(2);
    TrackMeasurer measurer(scheduler);
    const auto sketch = profile_of(measurer.sketch(file, media::probe(file), TaskClass::listener, present));
    const auto full = profile_of(measurer.measure(file, media::probe(file), TaskClass::listener, present));
    ASSERT_TRUE(sketch && full);
    EXPECT_TRUE(sketch->provisional);
    EXPECT_TRUE(sketch->short_term_lufs.empty());
    EXPECT_EQ(sketch->frame_count, full->frame_count);
    EXPECT_NEAR(sketch->integrated_lufs, full->integrated_lufs, 0.2);
    EXPECT_NEAR(sketch->rms_dbfs, full->rms_dbfs, 0.2);
    EXPECT_NEAR(sketch->stereo_correlation, full->stereo_correlation, 0.05);
    for (std::size_t band = 0; band < 8; ++band) {
        EXPECT_NEAR(sketch->octave_dbfs[band], full->octave_dbfs[band], 1.0) << "band " << band;
    }
}

TEST_F(TrackMeasurerTest, ASketchOfATrackShorterThanItsWindowsWorksToo) {
    for (const double seconds : {0.0, 0.01, 1.0, 5.0}) {
        const auto file = source(test::pink_noise(3, -20, seconds, {8000, 2}), 8000);
        Scheduler scheduler(2);
        const auto sketch =
            profile_of(TrackMeasurer(scheduler).sketch(file, media::probe(file), TaskClass::listener, present));
        ASSERT_TRUE(sketch) << seconds;
        EXPECT_TRUE(sketch->provisional);
    }
}

TEST_F(TrackMeasurerTest, AnEmptyTrackHasAProfileOfNothing) {
    const auto profile = measure(source(test::silence(0, {8000, 1}), 8000));
    ASSERT_TRUE(profile);
    EXPECT_EQ(profile->sample_rate_hz, 8000u);
    EXPECT_EQ(profile->channel_count, 1u);
    EXPECT_EQ(profile->integrated_lufs, dsp::kLoudnessFloorLufs);
}

TEST_F(TrackMeasurerTest, WhatIsNotWantedAnyMoreIsGivenUpAndLeavesNoTaskBehind) {
    const auto file = source(test::restless_noise(65, {8000, 1}), 8000);
    Scheduler scheduler(1);
    const Roadblock road(scheduler);
    TrackMeasurer measurer(scheduler);
    EXPECT_EQ(measurer.measure(file, media::probe(file), TaskClass::listener, [] { return false; }).has_value(), false);
    EXPECT_EQ(measurer.sketch(file, media::probe(file), TaskClass::listener, [] { return false; }).has_value(), false);
    EXPECT_EQ(scheduler.waiting(), 0u);
}

TEST_F(TrackMeasurerTest, AStoppedSchedulerNeverMakesAProfileOfHalfATrack) {
    const auto file = source(test::restless_noise(95, {8000, 1}), 8000);
    for (int i = 0; i < 12; ++i) {
        Scheduler scheduler(2);
        const media::MediaInfo info = media::probe(file);
        auto measured = std::async(std::launch::async, [&]() -> std::optional<dsp::Profile> {
            int asked = 0;
            try {
                return profile_of(
                    TrackMeasurer(scheduler).measure(file, info, TaskClass::listener, [&] { return ++asked < 3; }));
            } catch (const WorkRefused&) {
                return std::nullopt;  // stopped before it began
            }
        });
        std::this_thread::sleep_for(std::chrono::microseconds(1700 * i));
        scheduler.stop();
        const auto profile = measured.get();
        if (profile) {
            EXPECT_EQ(profile->short_term_lufs.size(), 95u);
        }
    }
}

TEST_F(TrackMeasurerTest, AFileThatCannotBeDecodedIsAnError) {
    const auto file = source(test::restless_noise(5, {8000, 1}), 8000);
    const media::MediaInfo info = media::probe(file);
    std::filesystem::remove(file);
    Scheduler scheduler(1);
    EXPECT_THROW(TrackMeasurer(scheduler).measure(file, info, TaskClass::listener, present), media::DecodeError);
    std::ofstream(file) << "this is no audio";
    EXPECT_THROW(TrackMeasurer(scheduler).sketch(file, info, TaskClass::listener, present), media::DecodeError);
}

// A file that lost its end since it was probed: the rest counts as absent, and nothing moves.
TEST_F(TrackMeasurerTest, WhatCanBeDecodedIsMeasuredWhereItStands) {
    const auto file = source(test::restless_noise(95, {8000, 1}), 8000);
    const media::MediaInfo info = media::probe(file);
    const dsp::Profile whole = *measure(file);
    std::filesystem::resize_file(file, 44 + 8000 * 2 * 50);
    Scheduler scheduler(2);
    const auto cut = profile_of(TrackMeasurer(scheduler).measure(file, info, TaskClass::listener, present));
    ASSERT_TRUE(cut);
    ASSERT_GE(cut->short_term_lufs.size(), 48u);
    for (std::size_t i = 0; i < 48; ++i) EXPECT_NEAR(cut->short_term_lufs[i], whole.short_term_lufs[i], 1e-4);
}

// Damage in the middle of a file: what follows still stands at its own time.
TEST_F(TrackMeasurerTest, AHoleInTheMiddleMovesNothingBehindIt) {
    auto audio = test::restless_noise(125, {8000, 1});
    test::scale_db(audio.block(), -12.0);  // FLAC does not clip
    const auto file = folder / "a.flac";
    {
        SndfileHandle out(file.c_str(), SFM_WRITE, SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 1, 8000);
        ASSERT_EQ(out.writef(audio.block().channels[0], 8000 * 125), 8000 * 125);
    }
    const media::MediaInfo info = media::probe(file);
    const dsp::Profile whole = *measure(file);
    {
        std::fstream damaged(file, std::ios::binary | std::ios::in | std::ios::out);
        damaged.seekp(static_cast<std::streamoff>(std::filesystem::file_size(file) * 2 / 5));
        damaged << std::string(20'000, 'x');
    }
    Scheduler scheduler(2);
    const auto holed = profile_of(TrackMeasurer(scheduler).measure(file, info, TaskClass::listener, present));
    ASSERT_TRUE(holed);
    ASSERT_EQ(holed->short_term_lufs.size(), whole.short_term_lufs.size());
    // The decoder finds its way again in the last segment, from second 120 on.
    for (std::size_t i = 122; i < 125; ++i) EXPECT_NEAR(holed->short_term_lufs[i], whole.short_term_lufs[i], 1e-4) << i;
}

}  // namespace
}  // namespace lacquer
