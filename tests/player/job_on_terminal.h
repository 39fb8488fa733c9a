// A process on a terminal of its own, with job control as a shell does it: it is stopped and continued in the
// foreground, and what becomes of it is told.
#pragma once

#include <array>
#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace lacquer::test {

class JobOnTerminal {
public:
    // `job` has the terminal as descriptors 0 and 1; it calls `ready` once it is worth looking at.
    explicit JobOnTerminal(const std::function<void(const std::function<void()>& ready)>& job) {
        EXPECT_EQ(::pipe(told_.data()), 0);
        EXPECT_EQ(::pipe(asked_.data()), 0);
        shell_ = ::forkpty(&master_, nullptr, nullptr, nullptr);
        if (shell_ == 0) be_the_shell(job);
        EXPECT_EQ(hears(), "ready");
    }
    JobOnTerminal(const JobOnTerminal&) = delete;
    JobOnTerminal& operator=(const JobOnTerminal&) = delete;
    ~JobOnTerminal() {
        ask('k');
        ::waitpid(shell_, nullptr, 0);
        for (const int descriptor : {told_[0], told_[1], asked_[0], asked_[1], master_}) ::close(descriptor);
    }

    // What the job, or the shell about it, says next: "ready", "stopped", "ended by 15".
    std::string hears() {
        std::string line;
        pollfd entry{told_[0], POLLIN, 0};
        char byte = 0;
        while (::poll(&entry, 1, 60'000) == 1 && ::read(told_[0], &byte, 1) == 1 && byte != '\n') line += byte;
        return line;
    }
    void type(const std::string& keys) const {
        EXPECT_EQ(::write(master_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
    }
    void tell(int signal_number) const { ask(static_cast<char>(signal_number)); }
    void resume() const { ask('c'); }

    bool takes_keys_one_by_one() const {
        termios modes{};
        EXPECT_EQ(::tcgetattr(master_, &modes), 0);
        EXPECT_TRUE((modes.c_lflag & ISIG) != 0);
        EXPECT_EQ((modes.c_lflag & ICANON) == 0, (modes.c_lflag & ECHO) == 0);
        return (modes.c_lflag & ICANON) == 0;
    }
    // Everything written to the screen until `text` is in it; what is there after a minute otherwise.
    std::string screen_until(const std::string& text) {
        pollfd entry{master_, POLLIN, 0};
        std::array<char, 4096> bytes;
        while (screen_.find(text) == std::string::npos && ::poll(&entry, 1, 60'000) == 1) {
            const ssize_t count = ::read(master_, bytes.data(), bytes.size());
            if (count <= 0) break;
            screen_.append(bytes.data(), static_cast<std::size_t>(count));
        }
        return std::exchange(screen_, {});
    }

private:
    void ask(char what) const { EXPECT_EQ(::write(asked_[1], &what, 1), 1); }
    void say(const std::string& line) const { (void)!::write(told_[1], (line + "\n").data(), line.size() + 1); }

    [[noreturn]] void be_the_shell(const std::function<void(const std::function<void()>&)>& job) {
        ::alarm(120);
        ::signal(SIGTTOU, SIG_IGN);
        const pid_t child = ::fork();
        ::setpgid(child, child);
        ::tcsetpgrp(0, child == 0 ? ::getpid() : child);
        if (child == 0) {
            ::alarm(120);
            ::signal(SIGTTOU, SIG_DFL);
            job([this] { say("ready"); });
            ::_exit(0);
        }
        while (true) look_after(child);
    }

    void look_after(pid_t child) const {
        pollfd entry{asked_[0], POLLIN, 0};
        char what = 0;
        if (::poll(&entry, 1, 2) == 1 && ::read(asked_[0], &what, 1) == 1) {
            if (what == 'k') {
                ::kill(-child, SIGKILL);
                ::_exit(0);
            }
            ::kill(-child, what == 'c' ? SIGCONT : what);
        }
        int status = 0;
        if (::waitpid(child, &status, WNOHANG | WUNTRACED) != child) return;
        if (WIFSTOPPED(status)) say("stopped");
        if (WIFSIGNALED(status)) say("ended by " + std::to_string(WTERMSIG(status)));
        if (WIFEXITED(status)) say("ended");
    }

    std::array<int, 2> told_{};
    std::array<int, 2> asked_{};
    pid_t shell_ = -1;
    int master_ = -1;
    std::string screen_;
};

}  // namespace lacquer::test
