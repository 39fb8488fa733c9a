#include "src/player/portaudio_system.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/player/portaudio_stream.h"
#include "src/player/steady_output.h"
#include "tests/player/jack_server.h"
#include "tests/support/allocation_guard.h"

namespace lacquer::player {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Le;

bool comes_true(const std::function<bool()>& condition) {
    for (int tries = 0; tries < 2000; ++tries) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

struct Silence : AudioCallback {
    void process(const float* input, float* output, std::size_t frames) LACQUER_REALTIME override {
        if (guard) allocations = guard->count();
        if (!guard) guard.emplace();
        std::fill_n(output, frames * 2, 0.0f);
        heard_input = input != nullptr;
        longest = std::max(longest.load(), frames);
        played += frames;
    }
    std::optional<test::AllocationGuard> guard;  // of the device's thread, from the first call to the last
    std::atomic<std::size_t> allocations{0};
    std::atomic<std::size_t> longest{0};
    std::atomic<std::size_t> played{0};
    std::atomic<bool> heard_input{false};
};

class PortAudioSystemTest : public testing::Test {
protected:
    void SetUp() override {
        if (!test::JackServer::installed()) GTEST_SKIP() << "there is no jackd to play to";
    }
    void start_server(const std::string& period_frames = "512") {
        server_.emplace("48000", period_frames);
        ASSERT_TRUE(comes_true([&] { return sees_the_server(); }));
    }
    bool sees_the_server() {
        system_.rescan();
        const auto& devices = system_.devices();
        return std::any_of(devices.begin(), devices.end(), [](const SoundDevice& d) { return d.name == "system"; });
    }
    StreamRequest request() const {
        StreamRequest request;
        request.output = find_device(system_, "system", Direction::output);
        request.sample_rate_hz = 48'000;
        return request;
    }

    std::optional<test::JackServer> server_;
    PortAudioSystem system_;
    Silence silence_;
};

TEST_F(PortAudioSystemTest, ListsWhatJackOffers) {
    start_server();
    const SoundDevice device = find_device(system_, "system", Direction::output);
    EXPECT_EQ(device.host_api, "JACK Audio Connection Kit");
    EXPECT_EQ(device.input_channels, 2u);
    EXPECT_EQ(device.output_channels, 2u);
    EXPECT_EQ(device.default_rate_hz, 48'000u);
    EXPECT_THAT(system_.hosts(), testing::Contains("JACK Audio Connection Kit"));
}

TEST_F(PortAudioSystemTest, CallsInTheDevicesTimeAndAllocatesNothing) {
    start_server();
    const std::unique_ptr<SoundStream> stream = system_.open(request(), silence_);
    EXPECT_TRUE(comes_true([&] { return silence_.played >= 48'000; }));
    EXPECT_FALSE(stream->ended());
    EXPECT_EQ(stream->calls(), silence_.played / 512);
    EXPECT_EQ(silence_.allocations, 0u);
    EXPECT_FALSE(silence_.heard_input);
    EXPECT_GT(stream->output_latency_seconds(), 0.0);
}

TEST_F(PortAudioSystemTest, PlaysAndListensAtOnce) {
    start_server();
    StreamRequest both = request();
    both.input = find_device(system_, "system", Direction::input);
    both.input_channels = 2;
    const std::unique_ptr<SoundStream> stream = system_.open(both, silence_);
    EXPECT_TRUE(comes_true([&] { return silence_.played >= 4800; }));
    EXPECT_TRUE(silence_.heard_input);
}

TEST_F(PortAudioSystemTest, AsksForNoMoreThanFifteenMillisecondsAtATime) {
    start_server("4096");
    const std::unique_ptr<SoundStream> stream = system_.open(request(), silence_);
    EXPECT_TRUE(comes_true([&] { return silence_.played >= 48'000; }));
    EXPECT_THAT(silence_.longest.load(), Le(48'000 * 15 / 1000));
}

TEST_F(PortAudioSystemTest, StoppedItIsCalledNoMore) {
    start_server();
    for (const auto how : {SoundStream::Stop::now, SoundStream::Stop::drained}) {
        const std::unique_ptr<SoundStream> stream = system_.open(request(), silence_);
        EXPECT_TRUE(comes_true([&] { return stream->calls() > 2; }));
        stream->stop(how);
        EXPECT_TRUE(stream->ended());
        const std::uint64_t calls = stream->calls();
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        EXPECT_EQ(stream->calls(), calls);
    }
}

TEST_F(PortAudioSystemTest, ARateThatIsNotTheServersIsUnsupportedAndTheMessageNamesTheServers) {
    start_server();
    StreamRequest wrong = request();
    EXPECT_TRUE(system_.supports(wrong));
    wrong.sample_rate_hz = 44'100;
    EXPECT_FALSE(system_.supports(wrong));
    try {
        system_.open(wrong, silence_);
        FAIL() << "opened";
    } catch (const SoundError& error) {
        EXPECT_EQ(error.reason(), SoundError::Reason::unsupported);
        EXPECT_THAT(error.what(), AllOf(HasSubstr("'system' (JACK Audio Connection Kit)"), HasSubstr("44100 Hz"),
                                        HasSubstr("48000 Hz")));
    }
}

TEST(PortAudioStream, OpensNothingWhileADriverHangsInAnotherDevice) {
    const auto library = std::make_shared<PortAudioLibrary>();
    StreamRequest request;
    request.output.name = "Speakers";
    request.sample_rate_hz = 48'000;
    Silence silence;
    std::promise<void> comes_back;
    std::promise<void> hangs;
    std::thread driver([&] {
        const std::lock_guard turn(library->opening_or_closing);
        hangs.set_value();
        comes_back.get_future().wait();
    });
    hangs.get_future().wait();
    std::string said;
    try {
        const PortAudioStream stream(library, request, silence);
    } catch (const SoundError& error) {
        said = error.what();
    }
    comes_back.set_value();
    driver.join();
    EXPECT_THAT(said, HasSubstr("the sound driver hangs in another device"));
}

TEST_F(PortAudioSystemTest, AServerThatHasGoneEndsNeitherTheProgramNorTheSystem) {
    start_server();
    StreamRequest lost = request();
    {
        const std::unique_ptr<SoundStream> stream = system_.open(lost, silence_);
        EXPECT_TRUE(comes_true([&] { return stream->calls() > 2; }));
        server_->stop(SIGKILL);
    }
    EXPECT_THROW(system_.open(lost, silence_), SoundError);
    EXPECT_FALSE(sees_the_server());
    server_->start();
    EXPECT_TRUE(comes_true([&] { return sees_the_server(); }));
    EXPECT_TRUE(system_.supports(request()));
}

struct Events : OutputListener {
    void output_opened(const OpenedOutput&) override { ++opened; }
    void output_lost(const std::string&, const std::string&) override { ++lost; }
    void output_message(const std::string&) override {}
    int opened = 0;
    int lost = 0;
};

TEST_F(PortAudioSystemTest, SoundGoesOnWhenTheServerIsStartedAgain) {
    start_server();
    Events events;
    SteadyOutput output(system_, {"system", 2, 50.0}, silence_, events);
    output.open_at(44'100);
    EXPECT_EQ(output.opened()->sample_rate_hz, 48'000u);
    for (const int signal : {SIGKILL, SIGTERM}) {
        server_->stop(signal);
        const int lost = events.lost + 1;
        EXPECT_TRUE(comes_true([&] { return output.tick(std::chrono::steady_clock::now()), events.lost == lost; }));
        server_->start();
        EXPECT_TRUE(
            comes_true([&] { return output.tick(std::chrono::steady_clock::now()), output.opened().has_value(); }));
        const std::size_t played = silence_.played;
        EXPECT_TRUE(comes_true([&] { return silence_.played > played + 4800; }));
    }
    EXPECT_EQ(events.opened, 3);
    EXPECT_FALSE(output.is_hung());
}

TEST_F(PortAudioSystemTest, WhatDriversSayStaysOffTheTerminal) {
    std::FILE* const printed = std::tmpfile();
    const int terminal = ::dup(STDERR_FILENO);
    ::dup2(::fileno(printed), STDERR_FILENO);
    system_.rescan();
    start_server();
    StreamRequest wrong = request();
    wrong.sample_rate_hz = 44'100;
    EXPECT_THROW(system_.open(wrong, silence_), SoundError);
    server_->stop();
    system_.rescan();
    std::fputs("ours\n", stderr);
    ::dup2(terminal, STDERR_FILENO);
    ::close(terminal);
    std::rewind(printed);
    std::string text(10'000, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), printed));
    std::fclose(printed);
    EXPECT_EQ(text, "ours\n");
}

}  // namespace
}  // namespace lacquer::player
