#include "src/player/terminal.h"

#include <cstdlib>
#include <optional>

#include <gmock/gmock.h>

#include "src/shutdown_signals.h"
#include "tests/player/job_on_terminal.h"

namespace lacquer::player {
namespace {

using namespace std::chrono_literals;
using test::JobOnTerminal;

constexpr const char* kShown = "\x1b[?25h";
constexpr const char* kHidden = "\x1b[?25l";

void wait_for_ever(const std::function<void()>& ready) {
    const Terminal terminal(Cursor::hidden);
    ready();
    while (true) ::pause();
}

TEST(Terminal, KeysComeOneByOneAndTheEndLeavesItAsItWas) {
    JobOnTerminal job([](const auto& ready) {
        Terminal terminal(Cursor::hidden);
        ready();
        while (terminal.read_keys(10s) != "q") {}
    });
    EXPECT_TRUE(job.takes_keys_one_by_one());
    EXPECT_NE(job.screen_until(kHidden).find(kHidden), std::string::npos);
    job.type("q");
    EXPECT_EQ(job.hears(), "ended");
    EXPECT_FALSE(job.takes_keys_one_by_one());
    EXPECT_NE(job.screen_until(kShown).find(kShown), std::string::npos);
}

TEST(Terminal, IsAsItWasAfterEverySignalThatEndsTheProcess) {
    for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGTERM, SIGILL}) {
        JobOnTerminal job(wait_for_ever);
        EXPECT_TRUE(job.takes_keys_one_by_one());
        job.tell(number);
        EXPECT_THAT(job.hears(), testing::StartsWith("ended"));  // sanitizers turn some signals into an exit code
        EXPECT_FALSE(job.takes_keys_one_by_one()) << number;
        EXPECT_NE(job.screen_until(kShown).find(kShown), std::string::npos) << number;
    }
}

TEST(Terminal, CtrlCIsASignal) {
    JobOnTerminal job(wait_for_ever);
    job.type("\x03");
    EXPECT_EQ(job.hears(), "ended by " + std::to_string(SIGINT));
    EXPECT_FALSE(job.takes_keys_one_by_one());
}

TEST(Terminal, IsAsItWasWhenASecondInterruptionStrikes) {
    JobOnTerminal job([](const auto& ready) {
        const Interruption interruption;
        const Terminal terminal(Cursor::hidden);
        ready();
        while (!interruption.requested()) ::usleep(1000);
        ready();
        while (true) ::pause();
    });
    job.type("\x03");
    EXPECT_EQ(job.hears(), "ready");
    std::string said;
    for (int i = 0; i < 100 && said.empty(); ++i) {  // one that comes at once is the first one said twice
        job.tell(SIGINT);
        ::usleep(100'000);
        said = job.takes_keys_one_by_one() ? "" : job.hears();
    }
    EXPECT_EQ(said, "ended by " + std::to_string(SIGINT));
}

TEST(Terminal, CtrlZGivesItBackAndForegroundTakesItAgain) {
    JobOnTerminal job([](const auto& ready) {
        Terminal terminal(Cursor::hidden);
        ready();
        for (std::string keys; keys != "q"; keys = terminal.read_keys(5ms)) {
            if (terminal.take_resumed()) ready();
        }
    });
    for (int times = 0; times < 3; ++times) {
        job.type("\x1a");
        EXPECT_EQ(job.hears(), "stopped");
        EXPECT_FALSE(job.takes_keys_one_by_one());
        EXPECT_NE(job.screen_until(kShown).find(kShown), std::string::npos);
        job.resume();
        EXPECT_EQ(job.hears(), "ready");
        EXPECT_TRUE(job.takes_keys_one_by_one());
        EXPECT_NE(job.screen_until(kHidden).find(kHidden), std::string::npos);
    }
    job.type("q");
    EXPECT_EQ(job.hears(), "ended");
    EXPECT_FALSE(job.takes_keys_one_by_one());
}

TEST(Terminal, InTheBackgroundItIsLeftAloneAndNothingStops) {
    JobOnTerminal job([](const auto& ready) {
        const pid_t group = ::getpgrp();
        ::tcsetpgrp(0, ::getppid());
        {
            Terminal terminal(Cursor::hidden);
            termios modes{};
            ::tcgetattr(0, &modes);
            const bool as_it_was = (modes.c_lflag & ICANON) != 0;
            if (as_it_was && !terminal.in_foreground() && terminal.read_keys(1ms).empty()) ready();
        }
        ::signal(SIGTTOU, SIG_IGN);
        ::tcsetpgrp(0, group);
    });
    EXPECT_EQ(job.hears(), "ended");
    EXPECT_FALSE(job.takes_keys_one_by_one());
}

TEST(Terminal, ATerminalThatIsGoneHasNoKeys) {
    int master = -1;
    int slave = -1;
    ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
    Terminal terminal(Cursor::shown, slave, slave);
    EXPECT_TRUE(terminal.has_keys());
    ::close(master);
    EXPECT_EQ(terminal.read_keys(10s), "");
    EXPECT_FALSE(terminal.has_keys());
    EXPECT_FALSE(terminal.write("x"));
    ::close(slave);
}

TEST(Terminal, ItsSizeIsAskedAfresh) {
    int master = -1;
    int slave = -1;
    winsize window{30, 100, 0, 0};
    ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, &window), 0);
    const Terminal terminal(Cursor::shown, slave, slave);
    EXPECT_EQ(terminal.size().columns, 100);
    EXPECT_EQ(terminal.size().rows, 30);
    window.ws_col = 41;
    ::ioctl(master, TIOCSWINSZ, &window);
    EXPECT_EQ(terminal.size().columns, 41);
    ::close(master);
    ::close(slave);
}

TEST(Terminal, WhatIsNoTerminalIsLeftAlone) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    Terminal terminal(Cursor::hidden, ends[0], ends[1]);
    EXPECT_FALSE(terminal.has_keys());
    EXPECT_EQ(terminal.size().columns, 80);
    EXPECT_FALSE(can_draw_on(ends[1]));
    EXPECT_TRUE(terminal.write("x"));
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 1);
    EXPECT_EQ(byte, 'x');
    for (const int end : ends) ::close(end);
}

}  // namespace
}  // namespace lacquer::player
