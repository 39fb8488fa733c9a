#include "src/player/live_command.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "src/player/live_device.h"
#include "tests/player/fake_sound.h"
#include "tests/support/temp_dir.h"

namespace lacquer::player {
namespace {

using std::chrono::milliseconds;
using test::fake_device;
using test::FakeSoundSystem;
using Json = nlohmann::json;

SoundDevice jack_device(const std::string& name, std::uint32_t rate_hz = 48'000) {
    SoundDevice device = fake_device(name, rate_hz);
    device.host_api = "JACK Audio Connection Kit";
    return device;
}

// The devices' clock and the program's are turned together, 100 ms at a time; what happens when is a script.
class LiveCommandTest : public testing::Test {
protected:
    LiveCommandTest()
        : system_(std::make_shared<FakeSoundSystem>(
              std::vector<SoundDevice>{jack_device("Line In"), jack_device("Speakers")})) {
        command_.input = "Line In";
        command_.output = "Speakers";
        command_.json = true;
    }
    ~LiveCommandTest() override { std::fclose(file_); }

    using Script = std::function<void(int tick)>;  // what happens before each tenth of a second
    static void nothing(int) {}

    bool run(int ticks, const Script& script = nothing) {
        int tick = 0;
        return run_while([&] { return tick < ticks; },
                         [&](int now) {
                             tick = now + 1;
                             script(now);
                         });
    }
    // As long as it takes those who open and measure on threads of their own; a minute at most.
    bool run_until(const std::function<bool()>& condition, const Script& script = nothing) {
        const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
        const bool closed =
            run_while([&] { return !condition() && std::chrono::steady_clock::now() < give_up; }, script);
        EXPECT_TRUE(condition()) << said();
        return closed;
    }
    bool run_while(const std::function<bool()>& condition, const Script& script) {
        int tick = 0;
        const auto go_on = [&](milliseconds time) {
            script(tick++);
            now_ += time;
            system_->advance(4'800);
            std::this_thread::sleep_for(milliseconds(2));
            return condition();
        };
        return run_live(command_, {system_, ::fileno(file_), go_on, [this] { return now_; }});
    }
    std::string said() const {
        std::string text(static_cast<std::size_t>(::lseek(::fileno(file_), 0, SEEK_END)), '\0');
        EXPECT_EQ(::pread(::fileno(file_), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
        return text;
    }
    std::vector<Json> events(const std::string& kind) const {
        std::vector<Json> found;
        std::istringstream lines(said());
        for (std::string line; std::getline(lines, line);) {
            const Json event = Json::parse(line);
            if (event.at("event") == kind) found.push_back(event);
        }
        return found;
    }

    std::shared_ptr<FakeSoundSystem> system_;
    LiveCommand command_;
    std::FILE* const file_ = std::tmpfile();
    LiveDevice::Clock::time_point now_{std::chrono::hours(1)};
};

TEST_F(LiveCommandTest, StatesTheLatencyAndThenTheLevelsEverySecond) {
    const auto tone = [this](int) {
        std::vector<float> samples(2 * 4'800);
        for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = 0.1f * std::sin(0.1f * static_cast<float>(i / 2));
        system_->feed(samples);
    };
    const auto heard = [this] {
        const std::vector<Json> told = events("status");
        return !told.empty() && told.back().at("in").at("peakDbfs")[0] > -21.0 &&
               told.back().at("out").at("peakDbfs")[1] > -23.0;
    };
    EXPECT_TRUE(run_until(heard, tone));
    ASSERT_EQ(events("opened").size(), 1u);
    const Json latency = events("opened")[0].at("latencyMs");
    EXPECT_EQ(latency.at("inputBuffer"), 20.0);
    EXPECT_EQ(latency.at("outputBuffer"), 20.0);
    EXPECT_GT(latency.at("lookAhead"), 5.0);
    EXPECT_LT(latency.at("lookAhead"), 10.0);
    EXPECT_NEAR(latency.at("total"), 40.0 + latency.at("lookAhead").get<double>(), 1e-9);
    EXPECT_NEAR(events("status").back().at("in").at("peakDbfs")[0], -20.0, 0.1);
    EXPECT_EQ(system_->open_streams(), 0u);
}

TEST_F(LiveCommandTest, WhatComesInGoesOutLater) {
    std::vector<float> impulse(2 * 48'000);
    impulse[2 * 100] = impulse[2 * 100 + 1] = 0.5f;
    system_->feed(impulse);
    command_.request.intensity = 0.0;  // a wire
    run(10);
    const std::vector<float> out = system_->recording();
    EXPECT_EQ(out[2 * 100], 0.5f);
    EXPECT_EQ(out[2 * 101], 0.0f);
}

TEST_F(LiveCommandTest, SpeaksToPeopleToo) {
    command_.json = false;
    run(20);
    EXPECT_NE(said().find("live: Line In -> Speakers, 48 kHz, adaptive 100 %; latency 4"), std::string::npos) << said();
    EXPECT_NE(said().find("xruns 0"), std::string::npos) << said();
}

TEST_F(LiveCommandTest, ADeviceThatIsPulledOutIsOpenedAgainWhenItIsBack) {
    run_until([this] { return events("opened").size() == 2 && events("status").back().at("state") == "running"; },
              [this](int tick) {
                  if (tick == 20) system_->unplug("Speakers");
                  if (tick == 100) system_->plug("Speakers");
              });
    EXPECT_EQ(events("lost").size(), 1u);
    EXPECT_EQ(events("opened").size(), 2u);
    EXPECT_FALSE(system_->rescanned_with_open_streams());
}

TEST_F(LiveCommandTest, ADeviceThatStopsAskingIsOpenedAgain) {
    run_until([this] { return events("lost").size() >= 1 && events("opened").size() == events("lost").size() + 1; },
              [this](int tick) {
                  if (tick == 20) system_->freeze("Speakers", true);
                  if (tick == 60) system_->freeze("Speakers", false);
              });
    EXPECT_EQ(system_->open_streams(), 0u);
}

TEST_F(LiveCommandTest, ADriverThatHangsWhileItIsClosedIsLeftBehind) {
    EXPECT_FALSE(run(10, [this](int) { system_->hang_on_stop(true); }));
    system_->hang_on_stop(false);
}

TEST_F(LiveCommandTest, ADriverThatHangsAtFirstCanBeInterruptedAndKeepsTheSystem) {
    system_->hang_on_open(true);
    EXPECT_FALSE(run(3));
    EXPECT_EQ(said(), "");
    EXPECT_GT(system_.use_count(), 1);
    system_->hang_on_open(false);
    while (system_.use_count() > 1) std::this_thread::yield();  // and closes what nobody wants any more
    EXPECT_EQ(system_->open_streams(), 0u);
}

TEST_F(LiveCommandTest, ADriverThatHangsWhileItIsWaitedForIsLeftBehind) {
    EXPECT_FALSE(run(60, [this](int tick) {
        if (tick == 10) system_->hang_on_open(true);
        if (tick == 10) system_->unplug("Speakers");
        if (tick == 20) system_->plug("Speakers");
    }));
    EXPECT_EQ(events("lost").size(), 1u);
    system_->hang_on_open(false);
    while (system_.use_count() > 1) std::this_thread::yield();
    EXPECT_EQ(system_->open_streams(), 0u);
}

TEST_F(LiveCommandTest, WhatSharesNoClockIsTwoStreams) {
    system_ =
        std::make_shared<FakeSoundSystem>(std::vector<SoundDevice>{fake_device("Line In"), fake_device("Speakers")});
    command_.request.intensity = 0.0;
    std::vector<float> tone(2 * 48'000, 0.25f);
    const auto reopened = [this] { return events("opened").size() == 2; };
    run_until(reopened, [&](int tick) {
        if (tick < 10) system_->feed(tone);
        if (tick == 20) system_->unplug("Line In");
        if (tick == 50) system_->plug("Line In");
    });
    EXPECT_EQ(events("lost").size(), 1u);
    EXPECT_EQ(events("opened")[0].at("latencyMs").at("inputBuffer"), 40.0);  // 20 of them in the bridge
    EXPECT_GE(system_->opened().size(), 4u);
    EXPECT_EQ(system_->open_streams(), 0u);
    const std::vector<float> out = system_->recording();
    EXPECT_GT(std::count(out.begin(), out.end(), 0.25f), 48'000);
    EXPECT_EQ(std::count(out.begin(), out.end(), FakeSoundSystem::kNeverWritten), 0);
}

TEST(LiveDevice, OnlyWhatSharesAClockIsOneStream) {
    const auto alsa = [](const char* name) {
        SoundDevice device = fake_device(name);
        device.host_api = "ALSA";
        return device;
    };
    EXPECT_TRUE(share_a_clock(jack_device("system"), jack_device("other")));
    EXPECT_TRUE(share_a_clock(alsa("USB Audio: - (hw:1,0)"), alsa("USB Audio: - (hw:1,0)")));
    EXPECT_FALSE(share_a_clock(alsa("USB Audio: - (hw:1,0)"), alsa("PCH: ALC257 (hw:0,0)")));
    EXPECT_FALSE(share_a_clock(alsa("default"), alsa("default")));
    EXPECT_FALSE(share_a_clock(jack_device("system"), alsa("default")));
}

TEST_F(LiveCommandTest, CountsTheXrunsOfAllStreams) {
    bool added = false;
    run_until([this] { return events("status").size() > 0 && events("status").back().at("xruns") == 5; },
              [&](int tick) {
                  if (tick == 10) system_->add_xruns(3);
                  if (tick == 20) system_->unplug("Speakers");
                  if (tick == 40) system_->plug("Speakers");
                  if (!added && events("opened").size() == 2) {
                      system_->add_xruns(2);
                      added = true;
                  }
              });
}

TEST_F(LiveCommandTest, TakesTheInputsRateWhenTheOutputsCannotBeHad) {
    system_ = std::make_shared<FakeSoundSystem>(
        std::vector<SoundDevice>{jack_device("Line In", 44'100), jack_device("Speakers", 96'000)});
    system_->only_rates("Speakers", {44'100});
    run(10);
    EXPECT_EQ(events("opened")[0].at("sampleRateHz"), 44'100);
    command_.rate_hz = 96'000;
    try {
        run(10);
        FAIL() << "it has opened";
    } catch (const SoundError& error) {
        EXPECT_EQ(error.reason(), SoundError::Reason::unsupported);
    }
}

TEST_F(LiveCommandTest, TellsWhyThereIsNoSoundAtFirst) {
    const auto reason = [this] {
        try {
            run(10);
        } catch (const SoundError& error) {
            return error.reason();
        }
        return SoundError::Reason::failed;
    };
    system_->take("Speakers", true);
    EXPECT_EQ(reason(), SoundError::Reason::busy);
    command_.output = "Headphones";
    EXPECT_EQ(reason(), SoundError::Reason::no_device);
}

TEST_F(LiveCommandTest, EndsWhenNobodyReads) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ::close(ends[0]);
    ::signal(SIGPIPE, SIG_IGN);
    int ticks = 0;
    run_live(command_, {system_, ends[1], [&](milliseconds) { return ++ticks < 100; }, [this] { return now_; }});
    EXPECT_LT(ticks, 100);
    ::close(ends[1]);
}

}  // namespace
}  // namespace lacquer::player
