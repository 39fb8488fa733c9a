#include <array>
#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "src/player/json_view.h"
#include "src/player/plain_view.h"
#include "src/player/status_view.h"
#include "tests/player/small_screen.h"
#include "tests/player/some_status.h"

namespace lacquer::player {
namespace {

using std::chrono_literals::operator""ms;
using test::some_status;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string all_that_came(int descriptor) {
    std::string text;
    std::array<char, 65536> bytes;
    pollfd entry{descriptor, POLLIN, 0};
    while (::poll(&entry, 1, 0) == 1) {
        const ssize_t count = ::read(descriptor, bytes.data(), bytes.size());
        if (count <= 0) break;
        text.append(bytes.data(), static_cast<std::size_t>(count));
    }
    return text;
}

class StatusViewTest : public testing::Test {
protected:
    StatusViewTest() {
        winsize window{24, 80, 0, 0};
        EXPECT_EQ(::openpty(&master_, &slave_, nullptr, nullptr, &window), 0);
        termios modes{};
        ::tcgetattr(slave_, &modes);
        ::cfmakeraw(&modes);
        ::tcsetattr(slave_, TCSANOW, &modes);
        terminal_.emplace(Cursor::hidden, slave_, slave_);
        view_.emplace(*terminal_, Style{}, [this] { return now_; });
    }
    ~StatusViewTest() override {
        view_.reset();
        terminal_.reset();
        ::close(master_);
        ::close(slave_);
    }
    std::string look() {
        const std::string bytes = all_that_came(master_);
        screen_.show(bytes);
        return bytes;
    }

    int master_ = -1;
    int slave_ = -1;
    StatusView::Clock::time_point now_{};
    std::optional<Terminal> terminal_;
    std::optional<StatusView> view_;
    test::SmallScreen screen_{80};
};

TEST_F(StatusViewTest, IsRedrawnWhereItStands) {
    PlayerStatus status = some_status();
    view_->track_started(status);
    look();
    const auto first = screen_.lines();
    ASSERT_EQ(first.size(), 6u);
    for (int second = 0; second < 50; ++second) {
        status.position_seconds = second;
        view_->tick(status);
        look();
        ASSERT_EQ(screen_.lines().size(), 6u);
    }
    EXPECT_EQ(screen_.lines()[0], first[0]);
    EXPECT_THAT(screen_.lines()[1], StartsWith("  0:49"));
    EXPECT_FALSE(screen_.cursor_shown());
    EXPECT_TRUE(screen_.wraps());
}

TEST_F(StatusViewTest, WhatIsAsItWasIsNotWritten) {
    view_->tick(some_status());
    EXPECT_NE(look(), "");
    view_->tick(some_status());
    EXPECT_EQ(look(), "");
}

TEST_F(StatusViewTest, MessagesScrollAboveTheBlock) {
    view_->message("before anything plays");
    view_->track_started(some_status());
    view_->track_skipped("bad\x1b[2J.flac", "no audio format is recognised in the file");
    view_->device_lost("USB", "it was unplugged");
    view_->message(std::string(100, 'x') + "\nsecond");
    look();
    const auto lines = screen_.lines();
    ASSERT_EQ(lines.size(), 6u + 6u);
    EXPECT_EQ(lines[0], "before anything plays");
    EXPECT_EQ(lines[1], "skipped bad [2J.flac: no audio format is recognised in the file");
    EXPECT_EQ(lines[2], "lost the device USB: it was unplugged");
    EXPECT_EQ(lines[3] + lines[4], std::string(100, 'x'));
    EXPECT_EQ(lines[5], "second");
    EXPECT_THAT(lines[6], HasSubstr("Nina Simone"));
}

TEST_F(StatusViewTest, TheLineOfKeysComesAndGoes) {
    view_->tick(some_status());
    view_->toggle_keys();
    view_->tick(some_status());
    look();
    EXPECT_EQ(screen_.lines().size(), 5u);
    view_->toggle_keys();
    view_->tick(some_status());
    look();
    EXPECT_EQ(screen_.lines().size(), 6u);
}

TEST_F(StatusViewTest, TheEndLeavesOneLineAndTheCursorBelowIt) {
    view_->track_started(some_status());
    view_->track_skipped("x", "y");
    PlayerStatus status = some_status();
    status.underruns = 1;
    view_->ended(status);
    view_.reset();
    terminal_.reset();
    look();
    EXPECT_THAT(screen_.lines(), ElementsAre("skipped x: y", "played 1 track, skipped 1, 1 underrun", ""));
    EXPECT_EQ(screen_.row(), 2u);
    EXPECT_TRUE(screen_.cursor_shown());
}

TEST_F(StatusViewTest, ANarrowerTerminalThatFoldedTheBlockIsCleanAgain) {
    view_->tick(some_status());
    look();
    test::SmallScreen folded(40);
    for (const std::string& line : screen_.lines()) folded.show(line + (line == screen_.lines().back() ? "" : "\r\n"));
    ASSERT_GT(folded.lines().size(), 6u);
    winsize window{24, 40, 0, 0};
    ::ioctl(master_, TIOCSWINSZ, &window);
    view_->tick(some_status());
    folded.show(all_that_came(master_));
    EXPECT_THAT(folded.lines(), ElementsAre(HasSubstr("Nina"), StartsWith("  1:02"), StartsWith("  peak"),
                                            StartsWith("  warm"), StartsWith("  HDA"), StartsWith("  space")));
}

struct Pipe {
    Pipe() { EXPECT_EQ(::pipe(ends.data()), 0); }
    ~Pipe() {
        for (const int end : ends) ::close(end);
    }
    std::array<int, 2> ends{};
};

TEST(PlainView, TellsWhatPlaysAndWarnsOfWhatDoesNot) {
    const Pipe out;
    const Pipe errors;
    PlainView view(out.ends[1], errors.ends[1]);
    PlayerStatus status = some_status();
    view.device_opened(status);
    view.track_started(status);
    view.tick(status);
    view.switched(status, SelectPreset{"warm"});
    view.switched(status, SeekBy{5.0});
    status.state = PlayerStatus::State::paused;
    view.switched(status, TogglePause{});
    view.track_skipped("bad\x1b[2J.flac", "not there");
    view.refused(NextTrack{}, "there is no next track");
    view.ended(status);
    EXPECT_EQ(all_that_came(out.ends[0]),
              "device: HDA Intel PCH, 48 kHz from 44.1, 52 ms\n"
              "3/12 Nina Simone - Feeling Good (2:54, 44.1 kHz, warm 80 %)\n"
              "heard: warm 80 %\nat 1:02\npaused\nplayed 1 track, skipped 1\n");
    EXPECT_EQ(all_that_came(errors.ends[0]), "lacquer: bad [2J.flac: not there\nlacquer: there is no next track\n");
}

TEST(JsonView, EveryLineIsAnObjectWithItsEvent) {
    const Pipe out;
    JsonView view(out.ends[1]);
    PlayerStatus status = some_status();
    status.track.title = "bad \xff byte";
    status.meters.momentary_lufs = std::numeric_limits<double>::quiet_NaN();
    view.track_started(status);
    view.track_skipped("a", "b");
    view.switched(status, SeekBy{-5.0});
    view.refused(SelectPreset{"warm"}, "why");
    view.underrun(status);
    view.device_lost("d", "r");
    view.device_opened(status);
    view.message("m");
    view.tick(status);
    view.ended(status);
    std::vector<std::string> events;
    std::istringstream lines(all_that_came(out.ends[0]));
    for (std::string line; std::getline(lines, line);) {
        EXPECT_THAT(line, StartsWith("{\"event\":"));
        events.push_back(nlohmann::json::parse(line).at("event"));
    }
    EXPECT_THAT(events, ElementsAre("started", "skipped", "switched", "refused", "underrun", "deviceLost",
                                    "deviceOpened", "message", "status", "ended"));
}

TEST(JsonView, SaysAllThatTheStatusSays) {
    const nlohmann::json json = status_json(some_status());
    EXPECT_EQ(json.at("state"), "playing");
    EXPECT_EQ(json.at("track").at("title"), "Nina Simone - Feeling Good");
    EXPECT_EQ(json.at("track").at("number"), 3);
    EXPECT_EQ(json.at("positionSeconds"), 62.0);
    EXPECT_EQ(json.at("meters").at("peakDbfs").at(1), -7.9);
    EXPECT_EQ(json.at("reduction").at("limiterDb"), 0.4);
    EXPECT_EQ(json.at("deviceRateHz"), 48000);
    PlayerStatus status = some_status();
    status.reduction.reset();
    EXPECT_TRUE(status_json(status).at("reduction").is_null());
    EXPECT_EQ(command_json(SeekBy{-5.0}).dump(), R"({"name":"seekBy","seconds":-5.0})");
    EXPECT_EQ(command_json(Quit{}).dump(), R"({"name":"quit"})");
}

TEST(JsonView, TellsTheStatusOnceASecond) {
    const Pipe out;
    JsonView::Clock::time_point now{};
    JsonView view(out.ends[1], go_on_for_ever, [&] { return now; });
    for (int tick = 0; tick <= 30; ++tick, now += 100ms) view.tick(some_status());
    const std::string text = all_that_came(out.ends[0]);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
}

TEST(JsonView, AReaderThatDoesNotReadIsWaitedForNoLongerThanAskedFor) {
    const Pipe out;
    int looks = 0;
    JsonView view(out.ends[1], [&] { return ++looks < 3; });
    for (int line = 0; line < 1000 && !view.is_closed(); ++line) view.underrun(some_status());  // a pipe holds 64 KiB
    EXPECT_TRUE(view.is_closed());
    EXPECT_EQ(looks, 3);
    view.ended(some_status());
    EXPECT_EQ(looks, 3);
}

TEST(JsonView, AReaderThatLeftIsNoticed) {
    ::signal(SIGPIPE, SIG_IGN);
    Pipe out;
    JsonView view(out.ends[1]);
    view.message("m");
    EXPECT_FALSE(view.is_closed());
    ::close(std::exchange(out.ends[0], -1));
    view.message("m");
    EXPECT_TRUE(view.is_closed());
    view.tick(some_status());
}

}  // namespace
}  // namespace lacquer::player
