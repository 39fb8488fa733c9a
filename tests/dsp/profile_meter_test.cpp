#include "dsp/profile_meter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/units.h"
#include "tests/dsp/real_music.h"
#include "tests/support/every_simd.h"
#include "tests/support/measures.h"
#include "tests/support/signals.h"

namespace lacquer::dsp {
namespace {

ProfileSum segment_sum(ConstAudioBlock audio, std::uint32_t rate, std::size_t first, std::size_t count) {
    ProfileMeter meter(rate, audio.channel_count);
    const std::size_t before = std::min(first, static_cast<std::size_t>(ProfileMeter::warm_up_frames(rate)));
    meter.warm_up(audio.slice(first - before, before));
    meter.measure(audio.slice(first, count));
    return meter.take();
}

std::vector<ProfileSum> segment_sums(ConstAudioBlock audio, std::uint32_t rate, std::size_t segment) {
    std::vector<ProfileSum> sums;
    for (std::size_t first = 0; first < audio.frame_count; first += segment)
        sums.push_back(segment_sum(audio, rate, first, std::min(segment, audio.frame_count - first)));
    return sums;
}

Profile finish(const std::vector<ProfileSum>& sums, ConstAudioBlock audio, bool provisional = false) {
    ProfileSum total;
    for (const ProfileSum& sum : sums) total.append(sum);
    return finish_profile(total, static_cast<std::int64_t>(audio.frame_count), provisional);
}

Profile profile_of(ConstAudioBlock audio, std::uint32_t rate = 48'000) {
    return finish(segment_sums(audio, rate, static_cast<std::size_t>(ProfileMeter::segment_frames(rate))), audio);
}

void expect_same_bits(const Profile& a, const Profile& b) {
    EXPECT_EQ(a.integrated_lufs, b.integrated_lufs);
    EXPECT_EQ(a.loudness_range_lu, b.loudness_range_lu);
    EXPECT_EQ(a.true_peak_dbtp, b.true_peak_dbtp);
    EXPECT_EQ(a.sample_peak_dbfs, b.sample_peak_dbfs);
    EXPECT_EQ(a.rms_dbfs, b.rms_dbfs);
    EXPECT_EQ(a.crest_db, b.crest_db);
    EXPECT_EQ(a.stereo_correlation, b.stereo_correlation);
    EXPECT_EQ(a.side_to_mid_db, b.side_to_mid_db);
    EXPECT_EQ(a.octave_dbfs, b.octave_dbfs);
    EXPECT_EQ(a.third_octave_dbfs, b.third_octave_dbfs);
    EXPECT_EQ(a.band_levels, b.band_levels);
    EXPECT_EQ(a.short_term_lufs, b.short_term_lufs);
    EXPECT_EQ(a.speech_confidence, b.speech_confidence);
}

AudioBuffer changing_noise(double seconds, std::uint32_t rate) {
    AudioBuffer audio = test::pink_noise(rate, -20.0, seconds, {rate, 2});
    for (std::size_t i = 0; i < audio.frame_count(); ++i) {
        const auto gain = static_cast<float>(0.6 + 0.5 * std::sin(static_cast<double>(i) / rate * 0.9));
        for (std::size_t c = 0; c < 2; ++c) audio.block().channels[c][i] *= gain;
    }
    return audio;
}

TEST(ProfileMeter, AnyGroupingOfTheSameSegmentsGivesTheSameBits) {
    const AudioBuffer audio = changing_noise(35.0, 22'050);
    const std::vector<ProfileSum> sums = segment_sums(audio.block(), 22'050, 5 * 22'050);
    const Profile in_order = finish(sums, audio.block());
    ProfileSum left = sums[0];
    left.append(sums[1]);
    ProfileSum middle = sums[2];
    middle.append(sums[3]);
    ProfileSum right = sums[4];
    for (std::size_t i = 5; i < sums.size(); ++i) right.append(sums[i]);
    middle.append(right);
    left.append(middle);
    ProfileSum from_nothing;
    from_nothing.append(left);
    from_nothing.append(ProfileSum());
    expect_same_bits(finish_profile(from_nothing, in_order.frame_count, false), in_order);
}

TEST(ProfileMeter, SegmentsReadWhatAStraightPassReads) {
    for (std::uint32_t rate : {22'050u, 44'100u}) {
        AudioBuffer audio = changing_noise(35.0, rate);
        test::scale_db(audio.block().slice(4 * rate, rate), 12.0);  // loud before a border
        test::scale_db(audio.block().slice(5 * rate, 4 * rate), -50.0);
        const Profile straight = finish(segment_sums(audio.block(), rate, audio.frame_count()), audio.block());
        const Profile parts = finish(segment_sums(audio.block(), rate, 5 * rate), audio.block());
        EXPECT_NEAR(parts.integrated_lufs, straight.integrated_lufs, 1e-9);
        EXPECT_NEAR(parts.loudness_range_lu, straight.loudness_range_lu, 1e-9);
        ASSERT_EQ(parts.short_term_lufs.size(), straight.short_term_lufs.size());
        for (std::size_t i = 0; i < parts.short_term_lufs.size(); ++i)
            EXPECT_NEAR(parts.short_term_lufs[i], straight.short_term_lufs[i], 1e-5);
        EXPECT_EQ(parts.true_peak_dbtp, straight.true_peak_dbtp);
        EXPECT_EQ(parts.sample_peak_dbfs, straight.sample_peak_dbfs);
        EXPECT_EQ(parts.band_levels, straight.band_levels);
        EXPECT_NEAR(parts.rms_dbfs, straight.rms_dbfs, 1e-9);
    }
}

TEST(ProfileMeter, HighestPointAcrossABorderIsSeen) {
    // Two equal samples either side of the border: the crest lies between them.
    AudioBuffer audio = test::silence(2.0, {48'000, 1});
    audio.block().channels[0][47'999] = 0.5f;
    audio.block().channels[0][48'000] = 0.5f;
    const Profile straight = finish(segment_sums(audio.block(), 48'000, 96'000), audio.block());
    EXPECT_GT(straight.true_peak_dbtp, straight.sample_peak_dbfs + 1.0);
    EXPECT_EQ(finish(segment_sums(audio.block(), 48'000, 48'000), audio.block()).true_peak_dbtp,
              straight.true_peak_dbtp);
}

TEST(ProfileMeter, DoesNotDependOnHowTheStreamIsCut) {
    const AudioBuffer audio = changing_noise(7.0, 44'100);
    ProfileMeter cut(44'100, 2);
    std::size_t first = 0;
    for (std::size_t size : test::uneven_cuts(audio.frame_count(), 5000, 8)) {
        cut.measure(audio.block().slice(first, size));
        first += size;
    }
    expect_same_bits(finish_profile(cut.take(), 1, false), profile_of(audio.block(), 44'100));
}

TEST(ProfileMeter, EveryInstructionSetGivesTheSameBits) {
    const AudioBuffer audio = changing_noise(9.0, 44'100);
    const Profile fastest = profile_of(audio.block(), 44'100);
    test::on_every_simd([&](const std::string&) { expect_same_bits(profile_of(audio.block(), 44'100), fastest); });
}

TEST(ProfileMeter, MeetsTheLoudnessCasesOfTech3341) {
    // Cases 1 to 5, as in loudness_test.cpp, from the meter that measures tracks.
    using test::Section;
    const std::vector<std::vector<Section>> cases = {
        {{-23.0, 20.0}},
        {{-33.0, 20.0}},
        {{-36.0, 10.0}, {-23.0, 60.0}, {-36.0, 10.0}},
        {{-72.0, 10.0}, {-36.0, 10.0}, {-23.0, 60.0}, {-36.0, 10.0}, {-72.0, 10.0}},
        {{-26.0, 20.0}, {-20.0, 20.1}, {-26.0, 20.0}}};
    const double recorded[] = {-22.9933, -32.9933, -23.0139, -23.0139, -22.9787};
    for (std::size_t i = 0; i < cases.size(); ++i) {
        const double value = profile_of(test::sine_sections(1000.0, cases[i]).block()).integrated_lufs;
        EXPECT_NEAR(value, i == 1 ? -33.0 : -23.0, 0.1) << "case " << i + 1;
        EXPECT_NEAR(value, recorded[i], 0.0005) << "case " << i + 1;
    }
}

TEST(ProfileMeter, AgreesWithLibebur128AtEveryRate) {
    for (std::uint32_t rate : {8000u, 22'050u, 44'100u, 48'000u, 96'000u, 192'000u}) {
        const AudioBuffer audio = changing_noise(rate > 90'000 ? 8.0 : 33.0, rate);
        const Profile ours = profile_of(audio.block(), rate);
        const test::Ebur128Result theirs = test::ebur128_measure(audio.block(), rate);
        EXPECT_NEAR(ours.integrated_lufs, theirs.integrated_lufs, 0.02) << rate;
        EXPECT_NEAR(ours.loudness_range_lu, theirs.range_lu, 0.1) << rate;
        // From 96 kHz on the library oversamples less than we do, and reads lower.
        EXPECT_GE(ours.true_peak_dbtp, theirs.true_peak_dbtp - 0.1) << rate;
        EXPECT_LE(ours.true_peak_dbtp, theirs.true_peak_dbtp + (rate < 96'000 ? 0.1 : 0.5)) << rate;
        EXPECT_NEAR(ours.sample_peak_dbfs, theirs.sample_peak_dbfs, 1e-6) << rate;
    }
}

TEST(ProfileMeter, AgreesWithLibebur128OnRealMusicAndHearsNoSpeechInIt) {
    for (const char* name : {"Awakening", "Coherence", "lose/March Thee to Dis", "win/Apex Aleph"}) {
        const auto [audio, rate] = test::singularity_music(name, 0.0, 75.0);
        ASSERT_GT(rate, 0u) << name << ": script/setup installs singularity-music";
        const Profile ours = profile_of(audio.block(), rate);
        const test::Ebur128Result theirs = test::ebur128_measure(audio.block(), rate);
        EXPECT_NEAR(ours.integrated_lufs, theirs.integrated_lufs, 0.02) << name;
        EXPECT_NEAR(ours.loudness_range_lu, theirs.range_lu, 0.1) << name;
        EXPECT_NEAR(ours.true_peak_dbtp, theirs.true_peak_dbtp, 0.1) << name;
        EXPECT_FALSE(is_speech(ours)) << name;
        EXPECT_LT(*std::max_element(ours.speech_confidence.begin(), ours.speech_confidence.end()), 0.95) << name;
    }
}

TEST(ProfileMeter, SilenceReadsTheFloors) {
    const AudioBuffer audio = test::silence(5.0);
    const Profile profile = profile_of(audio.block());
    EXPECT_EQ(profile.integrated_lufs, kLoudnessFloorLufs);
    EXPECT_EQ(profile.loudness_range_lu, 0.0);
    EXPECT_EQ(profile.true_peak_dbtp, kSilenceDb);
    EXPECT_EQ(profile.sample_peak_dbfs, kSilenceDb);
    EXPECT_EQ(profile.rms_dbfs, kSilenceDb);
    EXPECT_EQ(profile.crest_db, 0.0);
    EXPECT_EQ(profile.stereo_correlation, 1.0);
    EXPECT_EQ(profile.side_to_mid_db, kSilenceDb);
    for (double level : profile.octave_dbfs) EXPECT_EQ(level, kSilenceDb);
    for (const LevelHistogram& band : profile.band_levels) EXPECT_EQ(band[0], 50u);
    EXPECT_EQ(profile.short_term_lufs, std::vector<float>(5, -70.0f));
}

TEST(ProfileMeter, OneSampleAndNothingAreFine) {
    AudioBuffer audio = test::impulse(0, -6.0, 1.0 / 48'000);
    ASSERT_EQ(audio.frame_count(), 1u);
    const Profile one = profile_of(audio.block());
    EXPECT_NEAR(one.sample_peak_dbfs, -6.0, 1e-4);
    EXPECT_NEAR(one.true_peak_dbtp, -6.0, 1e-4);
    EXPECT_NEAR(one.rms_dbfs, -6.0, 1e-4);
    EXPECT_NEAR(one.crest_db, 0.0, 1e-6);  // squares are floats until they are summed
    EXPECT_EQ(one.integrated_lufs, kLoudnessFloorLufs);
    EXPECT_TRUE(one.short_term_lufs.empty());
    const Profile nothing = finish_profile(ProfileSum(), 0, false);
    EXPECT_EQ(nothing.integrated_lufs, kLoudnessFloorLufs);
    EXPECT_EQ(nothing.octave_dbfs[3], kSilenceDb);
}

TEST(ProfileMeter, DamagedSamplesCountAsSilence) {
    AudioBuffer damaged = changing_noise(3.0, 48'000);
    AudioBuffer silenced = changing_noise(3.0, 48'000);
    const float bad[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                         -std::numeric_limits<float>::infinity(), 3e38f};
    for (std::size_t i = 0; i < damaged.frame_count(); i += 1000) {
        damaged.block().channels[i % 2][i] = bad[i / 1000 % 4];
        silenced.block().channels[i % 2][i] = 0.0f;
    }
    expect_same_bits(profile_of(damaged.block()), profile_of(silenced.block()));
}

TEST(ProfileMeter, StereoImageIsInCorrelationAndSide) {
    AudioBuffer same = test::sine(1000.0, -10.0, 1.0);
    EXPECT_NEAR(profile_of(same.block()).stereo_correlation, 1.0, 1e-12);
    EXPECT_EQ(profile_of(same.block()).side_to_mid_db, kSilenceDb);
    for (float& x : same.block().channel(1)) x = -x;
    EXPECT_NEAR(profile_of(same.block()).stereo_correlation, -1.0, 1e-12);
    EXPECT_EQ(profile_of(same.block()).side_to_mid_db, 200.0);
    for (float& x : same.block().channel(1)) x = 0.0f;
    EXPECT_EQ(profile_of(same.block()).stereo_correlation, 0.0);
    EXPECT_NEAR(profile_of(same.block()).side_to_mid_db, 0.0, 1e-9);
    const AudioBuffer apart = test::white_noise(5, -20.0, 4.0);
    EXPECT_NEAR(profile_of(apart.block()).stereo_correlation, 0.0, 0.02);
    EXPECT_NEAR(profile_of(apart.block()).side_to_mid_db, 0.0, 0.2);
}

TEST(ProfileMeter, LevelsOfASine) {
    const AudioBuffer audio = test::sine(1000.0, -10.0, 4.0, {48'000, 1});
    const Profile profile = profile_of(audio.block());
    EXPECT_NEAR(profile.rms_dbfs, -13.0103, 0.001);
    EXPECT_NEAR(profile.crest_db, 3.0103, 0.001);
    EXPECT_NEAR(profile.octave_dbfs[5], -13.01, 0.02);
    EXPECT_EQ(profile.channel_count, 1u);
    EXPECT_EQ(profile.frame_count, 192'000);
    EXPECT_EQ(profile.short_term_lufs.size(), 4u);
}

TEST(ProfileMeter, ProvisionalWindowsDoNotTouchEachOther) {
    // 0.3 s each: no gating block fits into any of them, though together they last 3 s.
    const AudioBuffer audio = test::sine(1000.0, -20.0, 10.0);
    ProfileSum spread;
    for (std::size_t k = 0; k < 10; ++k) spread.append(segment_sum(audio.block(), 48'000, k * 48'000, 14'400));
    EXPECT_EQ(finish_profile(spread, 480'000, true).integrated_lufs, kLoudnessFloorLufs);
    EXPECT_GT(finish_profile(spread, 480'000, false).integrated_lufs, -25.0);
}

TEST(ProfileMeter, ProvisionalProfileIsCloseAndHasNoCurve) {
    const AudioBuffer audio = changing_noise(60.0, 44'100);
    ProfileSum spread;
    for (std::size_t k = 0; k < 12; ++k) spread.append(segment_sum(audio.block(), 44'100, k * 5 * 44'100, 3 * 44'100));
    const Profile windows = finish_profile(spread, 60 * 44'100, true);
    EXPECT_TRUE(windows.provisional);
    EXPECT_TRUE(windows.short_term_lufs.empty());
    EXPECT_NEAR(windows.integrated_lufs, profile_of(audio.block(), 44'100).integrated_lufs, 1.0);
    EXPECT_EQ(windows.frame_count, 60 * 44'100);
}

TEST(ProfileMeter, SegmentsAreWholeHops) {
    EXPECT_EQ(ProfileMeter::segment_frames(44'100), 1'058'400);
    EXPECT_EQ(ProfileMeter::segment_frames(11'025), 240 * 1103);
    EXPECT_EQ(ProfileMeter::warm_up_frames(48'000), 4800);
}

TEST(ProfileMeter, RefusesRatesAndChannelsItCannotMeasure) {
    EXPECT_THROW(ProfileMeter(7999, 2), std::invalid_argument);
    EXPECT_THROW(ProfileMeter(192'001, 2), std::invalid_argument);
    EXPECT_THROW(ProfileMeter(48'000, 0), std::invalid_argument);
    EXPECT_THROW(ProfileMeter(48'000, 3), std::invalid_argument);
}

}  // namespace
}  // namespace lacquer::dsp
