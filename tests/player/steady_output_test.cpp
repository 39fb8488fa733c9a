#include "src/player/steady_output.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/player/fake_sound.h"

namespace lacquer::player {
namespace {

using namespace std::chrono_literals;
using test::fake_device;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using Stop = SoundStream::Stop;

struct Ones : AudioCallback {
    void process(const float*, float* output, std::size_t frames) LACQUER_REALTIME override {
        ++calls;
        std::fill_n(output, 2 * frames, 1.0f);
    }
    std::size_t calls = 0;
};

// Writes down what it is told, in order.
struct Diary : OutputListener {
    void output_opened(const OpenedOutput& output) override {
        lines.push_back("opened " + output.device.name + " at " + std::to_string(output.sample_rate_hz));
        calls_when_opened = callback.calls;
    }
    void output_lost(const std::string& device, const std::string& reason) override {
        lines.push_back("lost " + device + ": " + reason);
    }
    void output_message(const std::string& text) override { lines.push_back(text); }

    explicit Diary(const Ones& ones) : callback(ones) {}
    const Ones& callback;
    std::size_t calls_when_opened = 0;
    std::vector<std::string> lines;
};

class SteadyOutputTest : public testing::Test {
protected:
    ~SteadyOutputTest() override {
        system_.hang_on_stop(false);
        system_.hang_on_open(false);
    }

    // Time passes in ticks of 100 ms; `playing`: the device's time as well. Drivers are given the real time they need,
    // unless they hang.
    void pass(std::chrono::milliseconds time, bool playing = true) {
        for (auto passed = 0ms; passed < time; passed += 100ms) {
            if (playing) system_.advance(4800);
            output_.tick(now_ += 100ms);
            let_drivers_work();
        }
    }
    void let_drivers_work() {
        const std::size_t left_behind = output_.is_hung() ? 1 : 0;
        for (int tries = 0; output_.is_changing() && system_.hanging() == left_behind && tries < 20'000; ++tries) {
            std::this_thread::sleep_for(1ms);
            output_.tick(now_);
        }
    }
    // How many ticks' time passes until a device is open; at most `limit`.
    std::chrono::milliseconds time_until_open(std::chrono::milliseconds limit = 60s) {
        auto passed = 0ms;
        for (; !output_.opened() && passed < limit; passed += 100ms) pass(100ms);
        return passed;
    }

    test::FakeSoundSystem system_{{fake_device("Speakers"), fake_device("Headset", 44'100)}};
    Ones ones_;
    Diary diary_{ones_};
    SteadyOutput output_{system_, {}, ones_, diary_};
    SteadyOutput::Time now_{};
};

TEST_F(SteadyOutputTest, PlaysAndSaysSoOnce) {
    output_.open_at(44'100);
    pass(10s);
    EXPECT_THAT(diary_.lines, ElementsAre("opened Speakers at 44100"));
    EXPECT_THAT(system_.recording(), AllOf(SizeIs(2u * 480'000), Each(1.0f)));
    EXPECT_EQ(output_.latency_seconds(), 0.05);
}

TEST_F(SteadyOutputTest, RingsOutInTheDevicesTimeNotInTheWalls) {
    output_.open_at(48'000);
    pass(1s);
    std::jthread device([&](const std::stop_token& stop) {  // a tenth of the pace of 48 kHz
        for (; !stop.stop_requested(); std::this_thread::sleep_for(20ms)) system_.advance(96);
    });
    EXPECT_TRUE(output_.ring_out());
    device.request_stop();
    device.join();
    EXPECT_GE(system_.recording().size(), 2u * (48'000 + 2'400));
}

TEST_F(SteadyOutputTest, ADeviceThatStandsStillDoesNotRingOut) {
    EXPECT_FALSE(output_.ring_out()) << "not open";
    output_.open_at(48'000);
    pass(1s);
    EXPECT_FALSE(output_.ring_out()) << "nobody calls";
    system_.unplug("Speakers");
    EXPECT_FALSE(output_.ring_out()) << "gone";
}

TEST_F(SteadyOutputTest, WhatCannotBeOpenedFirstIsAnError) {
    system_.take("Speakers", true);
    EXPECT_THROW(output_.open_at(44'100), SoundError);
    EXPECT_THAT(diary_.lines, IsEmpty());
}

TEST_F(SteadyOutputTest, TheFirstOpeningCanBeInterrupted) {
    system_.hang_on_open(true);
    int asked = 0;
    EXPECT_FALSE(output_.open_at(48'000, [&] { return ++asked < 3; }));
    EXPECT_EQ(asked, 3);
    EXPECT_THAT(diary_.lines, IsEmpty());
    output_.stop(Stop::now);
    EXPECT_TRUE(output_.is_hung());
}

TEST_F(SteadyOutputTest, ADriverThatHangsInTheFirstOpeningIsAnErrorAndWhatItOpensLateIsClosed) {
    system_.hang_on_open(true);
    try {
        output_.open_at(48'000, nullptr, 50ms);
        FAIL() << "it has opened";
    } catch (const SoundError& error) {
        EXPECT_EQ(error.reason(), SoundError::Reason::failed);
        EXPECT_STREQ(error.what(), "the sound driver does not answer");
    }
    EXPECT_TRUE(output_.is_hung());
    system_.hang_on_open(false);
    while (system_.stops(Stop::now) == 0) std::this_thread::yield();
    EXPECT_EQ(system_.open_streams(), 0u);
    EXPECT_EQ(ones_.calls, 0u);
}

TEST_F(SteadyOutputTest, ARateTheDeviceRefusesBecomesItsOwn) {
    system_.only_rates("Speakers", {48'000});
    output_.open_at(44'100);
    EXPECT_EQ(output_.opened()->sample_rate_hz, 48'000u);
    EXPECT_EQ(output_.opened()->wanted_rate_hz, 44'100u);
}

TEST_F(SteadyOutputTest, ADeviceThatIsPulledOutIsOpenedWhenItIsBack) {
    output_.open_at(48'000);
    pass(1s);
    system_.unplug("Speakers");
    pass(100ms);
    EXPECT_THAT(diary_.lines.back(), HasSubstr("lost Speakers"));
    EXPECT_FALSE(output_.opened());
    system_.unplug("Headset");
    pass(10s);
    system_.plug("Speakers");
    EXPECT_LE(time_until_open(), 4s);
    EXPECT_THAT(diary_.lines, ElementsAre("opened Speakers at 48000", HasSubstr("lost Speakers: its driver"),
                                          "there is no sound output device", "opened Speakers at 48000"));
    EXPECT_FALSE(system_.rescanned_with_open_streams());
}

TEST_F(SteadyOutputTest, WithoutAWishTheNewDefaultTakesOver) {
    output_.open_at(48'000);
    system_.unplug("Speakers");
    pass(100ms);
    EXPECT_LE(time_until_open(), 500ms);
    EXPECT_EQ(diary_.lines.back(), "opened Headset at 48000");
}

TEST_F(SteadyOutputTest, ADeviceWishedForByNumberIsWaitedForByName) {
    SteadyOutput output{system_, {.device = "1", .channels = 2, .latency_ms = 50.0}, ones_, diary_};
    output.open_at(48'000);
    EXPECT_EQ(diary_.lines.back(), "opened Headset at 48000");
    system_.unplug("Speakers");  // makes it number 0
    system_.freeze("Headset", true);
    for (int ticks = 0; ticks < 100 && diary_.lines.size() < 2; ++ticks) output.tick(now_ += 100ms);
    system_.freeze("Headset", false);
    for (int ticks = 0; ticks < 20'000 && !output.opened(); ++ticks) {
        output.tick(now_ += 10ms);
        std::this_thread::sleep_for(1ms);
    }
    EXPECT_EQ(diary_.lines.back(), "opened Headset at 48000");
}

TEST_F(SteadyOutputTest, StandingStillIsNoticedWithinTwoSeconds) {
    output_.open_at(48'000);
    pass(1s);
    system_.freeze("Speakers", true);
    pass(1800ms);
    EXPECT_THAT(diary_.lines, SizeIs(1));
    pass(300ms);
    EXPECT_THAT(diary_.lines, Contains(HasSubstr("lost Speakers: it asks for no sound")));
}

TEST_F(SteadyOutputTest, APauseOfTheWholeProcessIsNotTheDevices) {
    output_.open_at(48'000);
    pass(1s);
    output_.tick(now_ += 1h);
    pass(1s);
    EXPECT_THAT(diary_.lines, SizeIs(1));
}

TEST_F(SteadyOutputTest, LooksAgainAfterGrowingPauses) {
    output_.open_at(48'000);
    system_.unplug("Headset");
    system_.unplug("Speakers");
    std::vector<int> looked_at;  // in tenths of a second since the loss
    std::size_t seen = system_.rescans();
    pass(100ms);
    for (int tenths = 1; tenths <= 160; ++tenths) {
        pass(100ms);
        if (system_.rescans() != seen) looked_at.push_back(tenths);
        seen = system_.rescans();
    }
    EXPECT_THAT(looked_at, ElementsAre(5, 15, 35, 75, 115, 155));
}

TEST_F(SteadyOutputTest, ADeviceTakenByAnotherProgramIsToldOnceAndHadBack) {
    output_.open_at(48'000);
    system_.freeze("Speakers", true);
    system_.take("Speakers", true);
    pass(30s);
    system_.freeze("Speakers", false);
    system_.take("Speakers", false);
    EXPECT_LE(time_until_open(), 4s);
    EXPECT_THAT(diary_.lines, ElementsAre("opened Speakers at 48000", HasSubstr("lost Speakers"),
                                          HasSubstr("in use by another program"), "opened Speakers at 48000"));
}

TEST_F(SteadyOutputTest, ADriverThatHangsInClosingIsLeftBehindAndTheListIsNotRenewedUntilItLetsGo) {
    output_.open_at(48'000);
    pass(1s);
    const std::size_t rescans = system_.rescans();
    system_.hang_on_stop(true);
    system_.freeze("Speakers", true);
    pass(3s);
    system_.freeze("Speakers", false);
    pass(5s);
    EXPECT_TRUE(output_.is_hung());
    EXPECT_THAT(diary_.lines, Contains(HasSubstr("does not let go")));
    EXPECT_THAT(diary_.lines.back(), "opened Speakers at 48000");
    EXPECT_EQ(system_.rescans(), rescans);
    EXPECT_FALSE(system_.rescanned_with_open_streams());

    // The one left behind is called again as well, and must not reach the callback: it gets silence.
    ASSERT_EQ(system_.open_streams(), 2u);
    system_.clear_recording();
    const std::size_t calls = ones_.calls;
    system_.advance(512);
    EXPECT_EQ(ones_.calls, calls + 1);
    const std::vector<float> played = system_.recording();
    EXPECT_EQ(std::count(played.begin(), played.end(), 0.0f), 2 * 512);
    EXPECT_EQ(std::count(played.begin(), played.end(), 1.0f), 2 * 512);
}

TEST_F(SteadyOutputTest, ADriverThatHangsInOpeningHoldsUpNobody) {
    output_.open_at(48'000);
    system_.unplug("Speakers");
    system_.hang_on_open(true);
    pass(10s);
    EXPECT_THAT(diary_.lines.back(), HasSubstr("does not answer"));
    system_.hang_on_open(false);
    while (system_.hanging() > 0) std::this_thread::yield();
    let_drivers_work();
    EXPECT_EQ(diary_.lines.back(), "opened Headset at 48000");
}

TEST_F(SteadyOutputTest, AnotherRateIsReachedWithoutALook) {
    output_.open_at(48'000);
    pass(1s);
    const std::size_t rescans = system_.rescans();
    const std::size_t calls = ones_.calls;
    EXPECT_TRUE(output_.reopen(96'000, Stop::drained));
    system_.advance(4800);  // not heard: the callback has the old rate's sound
    EXPECT_EQ(ones_.calls, calls);
    let_drivers_work();
    EXPECT_EQ(diary_.lines.back(), "opened Speakers at 96000");
    EXPECT_EQ(diary_.calls_when_opened, calls);
    EXPECT_EQ(system_.stops(Stop::drained), 1u);
    EXPECT_EQ(system_.rescans(), rescans);
    pass(100ms);
    EXPECT_GT(ones_.calls, calls);
}

TEST_F(SteadyOutputTest, ARateRefusedBeforeIsNotTriedAgain) {
    system_.only_rates("Speakers", {48'000});
    output_.open_at(44'100);
    EXPECT_FALSE(output_.reopen(48'000, Stop::now));
    EXPECT_FALSE(output_.reopen(44'100, Stop::now));
    EXPECT_THAT(system_.opened(), SizeIs(1));
}

TEST_F(SteadyOutputTest, WhatOneDeviceRefusesIsForgottenWithIt) {
    system_.only_rates("Speakers", {48'000});
    output_.open_at(44'100);
    EXPECT_THAT(output_.refused_rates_hz(), ElementsAre(44'100u));
    system_.unplug("Speakers");
    pass(100ms);
    EXPECT_THAT(output_.refused_rates_hz(), IsEmpty());
    time_until_open();
    EXPECT_EQ(diary_.lines.back(), "opened Headset at 44100");
    EXPECT_FALSE(output_.refuses(44'100));
}

TEST_F(SteadyOutputTest, WhatIsRefusedTwiceIsKeptOnce) {
    system_.only_rates("Speakers", {48'000, 96'000});
    output_.open_at(44'100);
    for (const std::uint32_t rate_hz : {96'000, 44'100}) {
        EXPECT_TRUE(output_.reopen(rate_hz, Stop::now));
        let_drivers_work();
    }
    EXPECT_THAT(output_.refused_rates_hz(), ElementsAre(44'100u));
}

TEST_F(SteadyOutputTest, AfterALossTheRateLastAskedForIsTheOneOpened) {
    output_.open_at(48'000);
    system_.unplug("Speakers");
    system_.unplug("Headset");
    pass(1s);
    EXPECT_TRUE(output_.reopen(96'000, Stop::now));
    system_.plug("Speakers");
    time_until_open();
    EXPECT_EQ(diary_.lines.back(), "opened Speakers at 96000");
}

TEST_F(SteadyOutputTest, ARateAskedForWhileTheDeviceIsOpenedIsTheOneHeard) {
    output_.open_at(48'000);
    system_.unplug("Speakers");
    system_.hang_on_open(true);
    pass(2s);
    EXPECT_TRUE(output_.reopen(96'000, Stop::now));
    system_.hang_on_open(false);
    while (system_.hanging() > 0) std::this_thread::yield();
    let_drivers_work();
    EXPECT_THAT(diary_.lines, AllOf(SizeIs(3), Contains("opened Headset at 96000")));
}

TEST_F(SteadyOutputTest, XrunsOfAllStreamsAreCounted) {
    output_.open_at(48'000);
    system_.add_xruns(2);
    output_.reopen(96'000, Stop::now);
    let_drivers_work();
    system_.add_xruns(3);
    EXPECT_EQ(output_.xruns(), 5u);
}

TEST_F(SteadyOutputTest, StoppedItStaysClosed) {
    output_.open_at(48'000);
    output_.stop(Stop::drained);
    pass(20s);
    EXPECT_EQ(system_.stops(Stop::drained), 1u);
    EXPECT_EQ(system_.open_streams(), 0u);
    EXPECT_THAT(diary_.lines, SizeIs(1));
}

TEST_F(SteadyOutputTest, WhatIsBeingOpenedWhenItIsStoppedIsClosedAgain) {
    system_.hang_on_open(true);
    EXPECT_FALSE(output_.open_at(48'000, [] { return false; }));
    std::thread driver([&] {
        while (system_.hanging() == 0) std::this_thread::yield();
        system_.hang_on_open(false);
    });
    output_.stop(Stop::now);
    driver.join();
    EXPECT_FALSE(output_.is_hung());
    EXPECT_EQ(system_.open_streams(), 0u);
    EXPECT_THAT(diary_.lines, IsEmpty());
}

TEST_F(SteadyOutputTest, StoppingDoesNotWaitForADriverThatHangs) {
    output_.open_at(48'000);
    system_.hang_on_stop(true);
    output_.stop(Stop::drained);
    EXPECT_TRUE(output_.is_hung());
    EXPECT_EQ(ones_.calls, 0u);
}

}  // namespace
}  // namespace lacquer::player
