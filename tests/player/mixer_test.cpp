#include "src/player/mixer.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/player/ear.h"
#include "tests/player/told_frames.h"
#include "tests/support/signals.h"

namespace lacquer::player {
namespace {

using test::Ear;
using test::expect_consecutive;
using test::read_told;
using test::steepest;
using test::told_frames;

constexpr std::uint32_t kRateHz = 48'000;
constexpr std::size_t kFade = 1'440;
constexpr std::size_t kPlenty = 48'000;

std::vector<float> noise(std::size_t frames, std::uint64_t seed) {
    test::Random random(seed);
    std::vector<float> samples(frames * 2);
    for (float& sample : samples) sample = static_cast<float>(random.uniform() - 0.5);
    return samples;
}

class MixerTest : public testing::Test {
protected:
    // Frames from `first` on, each at the place that `aligned_with` gives it.
    void prepare(std::int64_t first, std::size_t frames) {
        FrameRing* lane = mixer.spare();
        ASSERT_NE(lane, nullptr);
        write(*lane, told_frames(first, frames));
    }
    void write(FrameRing& lane, const std::vector<float>& samples) {
        ASSERT_EQ(lane.write(samples), samples.size() / 2);
    }
    void start(std::int64_t first, std::size_t frames, bool fades_in = false) {
        prepare(first, frames);
        mixer.switch_to_spare({1, std::nullopt, fades_in});
    }

    Mixer mixer{2, kRateHz, 4.0};
    Ear ear{mixer, 2};
};

class MixerAtPeriods : public MixerTest, public testing::WithParamInterface<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(OfFrames, MixerAtPeriods, testing::Values(1, 7, 240, 441, 480, 511, 512, 513, 1'024, 4'096));

TEST_F(MixerTest, IsSilentBeforeAnythingIsWanted) {
    EXPECT_EQ(mixer.heard(), nullptr);
    EXPECT_EQ(ear.take(1'000), std::vector<float>(2'000, 0.0f));
    EXPECT_TRUE(mixer.silent());
    EXPECT_FALSE(mixer.position());
    EXPECT_EQ(mixer.underruns(), 0u);
}

TEST_P(MixerAtPeriods, CopiesBitForBit) {
    const std::vector<float> samples = noise(kPlenty, 1);
    write(*mixer.spare(), samples);
    mixer.switch_to_spare({1, std::nullopt, false});
    const std::vector<float> heard = ear.take(40'000, GetParam());
    EXPECT_TRUE(std::equal(heard.begin(), heard.end(), samples.begin()));
    EXPECT_EQ(mixer.position()->frame, 40'000u);
    EXPECT_EQ(mixer.position()->run, 1u);
}

TEST_P(MixerAtPeriods, FadesInOutOfSilenceWhereItIsToldTo) {
    start(0, kPlenty, true);
    const std::vector<float> heard = ear.take(8'000, GetParam());
    for (std::size_t i = 0; i < 4'000; ++i) {
        const double level = std::min(1.0, static_cast<double>(i + 1) / kFade);
        ASSERT_NEAR(heard[2 * i], level, 1e-7) << i;
    }
    expect_consecutive(read_told(heard), 0);
}

TEST_P(MixerAtPeriods, FadesLinearlyAndSumsToOne) {
    const std::vector<float> from = noise(kPlenty, 1);
    const std::vector<float> to = noise(kPlenty, 2);
    write(*mixer.spare(), from);
    mixer.switch_to_spare({1, std::nullopt, false});
    const std::size_t before = GetParam();
    ear.take(before, GetParam());
    write(*mixer.spare(), to);
    mixer.switch_to_spare({2});
    const std::vector<float> heard = ear.take(3 * kFade, GetParam());
    for (std::size_t i = 0; i < heard.size(); ++i) {
        const double weight = std::min(1.0, static_cast<double>(i / 2 + 1) / kFade);
        const double expected =
            (1.0 - weight) * static_cast<double>(from[2 * before + i]) + weight * static_cast<double>(to[i]);
        ASSERT_NEAR(heard[i], expected, 1e-7) << i;
        if (i >= 2 * kFade) {
            ASSERT_EQ(heard[i], to[i]) << i;
        }
    }
}

// Whatever happens between the moment the new lane is begun and the moment it can be heard.
TEST_P(MixerAtPeriods, AnAlignedSwitchGoesOnAtTheVeryFrame) {
    const std::size_t period = GetParam();
    start(0, 3 * kPlenty);
    std::vector<float> heard = ear.take(5 * period, period);
    const auto listen = [&](std::size_t frames) {
        const std::vector<float> more = ear.take(frames, period);
        heard.insert(heard.end(), more.begin(), more.end());
    };
    for (const std::size_t drift : {std::size_t{0}, std::size_t{1}, period, 3 * period, std::size_t{5'000}}) {
        const std::uint64_t aligned_with = mixer.position()->frame;
        const auto place = static_cast<std::int64_t>(heard.size() / 2);
        prepare(place, kFade);
        listen(drift);
        mixer.switch_to_spare({2, aligned_with});
        listen(drift + 1);
        write(*mixer.heard(), told_frames(place + static_cast<std::int64_t>(kFade), 2 * kPlenty));
        listen(kFade + 2 * period);
        ASSERT_NE(mixer.spare(), nullptr) << "after a drift of " << drift;
    }
    const auto told = read_told(heard);
    ASSERT_EQ(told.size(), heard.size() / 2);
    expect_consecutive(told, 0);
    EXPECT_LT(steepest(heard, 1.0), 1e-6);
    EXPECT_EQ(mixer.underruns(), 0u);
}

TEST_P(MixerAtPeriods, ASwitchWaitsUntilItsFadeCanBeRead) {
    start(0, kPlenty);
    ear.take(1'000, GetParam());
    prepare(500'000, kFade - 1);
    mixer.switch_to_spare({2});
    expect_consecutive(read_told(ear.take(10'000, GetParam())), 1'000);
    EXPECT_EQ(mixer.position()->run, 1u);
    EXPECT_EQ(mixer.spare(), nullptr) << "while a switch is under way";
    write(*mixer.heard(), told_frames(500'000 + static_cast<std::int64_t>(kFade) - 1, kPlenty));
    const std::vector<float> heard = ear.take(kFade + 100, GetParam());
    EXPECT_EQ(mixer.position()->run, 2u);
    EXPECT_EQ(heard.back(), 500'000.0f + static_cast<float>(kFade) + 99.0f);
    EXPECT_EQ(mixer.underruns(), 0u);
}

TEST_P(MixerAtPeriods, ALanesEndIsHeardToItsLastFrameAndIsNoUnderrun) {
    start(1, 5'000);
    mixer.end_lane();
    EXPECT_FALSE(mixer.finished(1));
    const auto told = read_told(ear.take(9'000, GetParam()));
    ASSERT_EQ(told.size(), 5'000u);
    expect_consecutive(told, 1);
    EXPECT_EQ(told.back().level, 1.0);
    EXPECT_EQ(mixer.underruns(), 0u);
    EXPECT_TRUE(mixer.finished(1));
    EXPECT_FALSE(mixer.finished(2));
    EXPECT_EQ(mixer.position()->frame, 5'000u);
}

TEST_P(MixerAtPeriods, ALaneShorterThanTheFadeTakesOverOnceItIsAtItsEnd) {
    start(1, kPlenty);
    ear.take(1'000, GetParam());
    prepare(700'000, 100);
    mixer.switch_to_spare({2});
    mixer.end_lane();
    ear.take(99, GetParam());
    EXPECT_FALSE(mixer.finished(2)) << "what it fades out of is still heard";
    const std::vector<float> heard = ear.take(kFade + GetParam(), GetParam());
    EXPECT_EQ(heard.back(), 0.0f);
    EXPECT_TRUE(mixer.finished(2));
    EXPECT_EQ(mixer.underruns(), 0u);
}

TEST_P(MixerAtPeriods, RunningDryIsOneUnderrunFadedOutAndInWithNothingLost) {
    start(1, 9'600);
    std::vector<float> heard = ear.take(20'000, GetParam());
    std::int64_t written = 9'601;
    for (const std::uint64_t gap : {1u, 2u, 3u}) {
        EXPECT_EQ(mixer.underruns(), gap);
        EXPECT_TRUE(mixer.silent());
        write(*mixer.heard(), told_frames(written, 100));  // not enough to be worth it
        const std::vector<float> still = ear.take(3'000, GetParam());
        EXPECT_EQ(*std::max_element(still.begin(), still.end()), 0.0f);
        write(*mixer.heard(), told_frames(written + 100, 14'300));
        const std::vector<float> more = ear.take(20'000, GetParam());
        heard.insert(heard.end(), more.begin(), more.end());
        written += 14'400;
    }
    EXPECT_EQ(mixer.underruns(), 4u);
    expect_consecutive(read_told(heard), 1);
    // 5 ms at the least: 240 frames.
    EXPECT_LE(steepest(heard, 1.0), 1.01 / 240.0);
    EXPECT_GE(read_told(heard).size() + GetParam() + kFade, static_cast<std::size_t>(written));
}

TEST_P(MixerAtPeriods, PauseAndResumeRampAndLoseNothing) {
    start(1, 4 * kPlenty - 1'000);
    std::vector<float> heard = ear.take(5'000, GetParam());
    const auto listen = [&](std::size_t frames) {
        const std::vector<float> more = ear.take(frames, GetParam());
        heard.insert(heard.end(), more.begin(), more.end());
    };
    for (const std::size_t heard_frames : {std::size_t{10'000}, std::size_t{2'000}, std::size_t{700}, std::size_t{1}}) {
        mixer.pause(true);
        listen(heard_frames);  // the short ones turn the ramp round half-way
        mixer.pause(false);
        listen(4'000);
    }
    mixer.pause(true);
    listen(5'000);
    EXPECT_TRUE(mixer.silent());
    const std::uint64_t at = mixer.position()->frame;
    listen(5'000);
    EXPECT_EQ(mixer.position()->frame, at) << "a pause takes nothing";
    expect_consecutive(read_told(heard), 1);
    EXPECT_LE(steepest(heard, 1.0), 1.001 / kFade);
    EXPECT_EQ(read_told(heard).size(), at);
    EXPECT_EQ(mixer.underruns(), 0u);
}

TEST_F(MixerTest, WhatBeginsPausedIsSilentUntilItIsResumed) {
    mixer.pause(true);
    start(1, kPlenty);
    const std::vector<float> paused = ear.take(3'000);
    EXPECT_EQ(paused, std::vector<float>(6'000, 0.0f));
    EXPECT_TRUE(mixer.silent());
    mixer.pause(false);
    expect_consecutive(read_told(ear.take(3'000)), 1);
}

TEST_F(MixerTest, ASwitchWhilePausedIsHeardFromItsBeginningWhenResumed) {
    start(1, kPlenty);
    ear.take(4'800);
    mixer.pause(true);
    ear.take(4'800);
    prepare(300'000, kPlenty);
    mixer.switch_to_spare({2});
    EXPECT_EQ(ear.take(480), std::vector<float>(960, 0.0f));
    EXPECT_EQ(mixer.position()->run, 2u);
    EXPECT_EQ(mixer.position()->frame, 0u);
    mixer.pause(false);
    const std::vector<float> heard = ear.take(4'800);
    expect_consecutive(read_told(heard), 300'000);
    EXPECT_LE(steepest(heard), 1.001 / kFade);
}

TEST_F(MixerTest, AnAlignedSwitchWhilePausedGoesOnWhereItBecameSilent) {
    start(1, kPlenty);
    std::vector<float> heard = ear.take(4'800);
    mixer.pause(true);
    const std::vector<float> ramp = ear.take(4'800);
    heard.insert(heard.end(), ramp.begin(), ramp.end());
    const std::uint64_t at = mixer.position()->frame;
    prepare(static_cast<std::int64_t>(at) + 1, kPlenty);
    mixer.switch_to_spare({2, at});
    ear.take(4'800);
    mixer.pause(false);
    const std::vector<float> more = ear.take(4'800);
    heard.insert(heard.end(), more.begin(), more.end());
    expect_consecutive(read_told(heard), 1);
}

TEST_F(MixerTest, APauseInTheMiddleOfAFadeLeavesTheNewLane) {
    start(1, kPlenty);
    ear.take(4'800);
    prepare(300'000, kPlenty);
    mixer.switch_to_spare({2});
    ear.take(480);
    mixer.pause(true);
    ear.take(4'800);
    ASSERT_NE(mixer.spare(), nullptr);
    mixer.pause(false);
    const std::uint64_t at = mixer.position()->frame;
    expect_consecutive(read_told(ear.take(4'800)), 300'000 + static_cast<std::int64_t>(at));
}

// A lane that has run dry, or is about to, while the next one comes: shut first, then opened on the new one.
TEST_P(MixerAtPeriods, ASwitchOutOfAStarvingLaneDoesNotClick) {
    for (const std::size_t left : {0u, 100u, 250u, 700u, 1'300u, 1'500u}) {
        Mixer starving(2, kRateHz, 4.0);
        Ear listener(starving, 2);
        const std::size_t begin = (9'000 / GetParam() + 1) * GetParam();
        write(*starving.spare(), std::vector<float>(2 * (begin + left), 1.0f));
        starving.switch_to_spare({1, std::nullopt, false});
        std::vector<float> heard = listener.take(begin, GetParam());
        write(*starving.spare(), std::vector<float>(2 * kPlenty, 1.0f));
        starving.switch_to_spare({2});
        const std::vector<float> more = listener.take(9'000, GetParam());
        heard.insert(heard.end(), more.begin(), more.end());
        EXPECT_LE(steepest(heard, 1.0), 1.01 / 240.0) << left << " frames left";
        EXPECT_EQ(starving.position()->run, 2u);
        EXPECT_EQ(heard.back(), 1.0f);
    }
}

TEST_F(MixerTest, TheLastOfManyRapidSwitchesIsHeard) {
    start(0, kPlenty);
    test::Random random(3);
    std::uint16_t run = 1;
    while (run < 200) {
        if (mixer.spare() != nullptr) {
            prepare(static_cast<std::int64_t>(++run) * 10'000, kPlenty / 2);
            mixer.switch_to_spare({run});
        }
        ear.take(1 + random.below(700));
    }
    const std::vector<float> heard = ear.take(4'800);
    EXPECT_EQ(mixer.position()->run, run);
    EXPECT_EQ(heard.back(), static_cast<float>(run * 10'000 + static_cast<int>(mixer.position()->frame) - 1));
    EXPECT_EQ(mixer.underruns(), 0u);
}

// Every state of the callback, under the guards of the ear.
TEST_F(MixerTest, NothingIsLockedAllocatedOrCalledInAnyState) {
    if (!test::kRealtimeGuardWorks) GTEST_SKIP() << "a sanitizer replaces the same functions";
    ear.take(480);  // nothing yet
    start(0, kPlenty / 2);
    ear.take(4'800);  // steady
    prepare(0, kPlenty / 2);
    mixer.switch_to_spare({2});
    ear.take(480);  // fading
    ASSERT_EQ(mixer.spare(), nullptr);
    mixer.pause(true);
    ear.take(4'800);
    ASSERT_TRUE(mixer.silent());
    mixer.pause(false);
    ear.take(kPlenty);
    ASSERT_EQ(mixer.underruns(), 1u);  // starved
    mixer.end_lane();
    ear.take(4'800);
    ASSERT_TRUE(mixer.finished(2));
}

// A feeder's thread and a device's, as fast as they can: lanes that are aligned with each other sound as one.
TEST_F(MixerTest, TwoThreadsAndManySwitchesGiveOneUnbrokenRamp) {
    constexpr std::int64_t kEnd = 1'500'000;
    std::atomic<bool> stop = false;
    std::vector<float> heard;
    std::jthread device([&] {
        std::vector<float> period(2 * 256);
        while (!stop) {
            mixer.process(nullptr, period.data(), 256);
            heard.insert(heard.end(), period.begin(), period.end());
            std::this_thread::yield();
        }
    });
    std::int64_t base = 0;     // of the lane that is heard
    std::int64_t written = 0;  // of the same
    std::uint16_t run = 0;
    const auto fill = [&](FrameRing& lane, std::size_t frames) {
        written += static_cast<std::int64_t>(lane.write(told_frames(base + written, frames)));
    };
    fill(*mixer.spare(), kPlenty);
    mixer.switch_to_spare({run, std::nullopt, false});
    test::Random random(7);
    while (base + written < kEnd) {
        const bool may_switch = random.below(8) == 0 && mixer.heard()->available_frames() < 2 * kPlenty;
        FrameRing* spare = may_switch ? mixer.spare() : nullptr;
        const auto position = mixer.position();
        if (spare != nullptr && position && position->run == run) {
            base += static_cast<std::int64_t>(position->frame);
            written = 0;
            fill(*spare, kFade + 400);
            mixer.switch_to_spare({++run, position->frame});
        }
        // One that is to take over may have to pass over all that the other one held.
        const std::size_t enough = mixer.spare() != nullptr ? kPlenty : 3 * kPlenty;
        if (mixer.heard()->available_frames() < enough) fill(*mixer.heard(), 1 + random.below(5'000));
    }
    mixer.end_lane();
    while (!mixer.finished(run)) std::this_thread::yield();
    stop = true;
    device.join();
    EXPECT_GT(run, 10u);
    const auto told = read_told(heard);
    expect_consecutive(told, 0);
    EXPECT_GE(static_cast<std::int64_t>(told.size()), kEnd);
}

}  // namespace
}  // namespace lacquer::player
