#include "src/shutdown_signals.h"

#include <array>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lacquer {
namespace {

// A command that saw the first signal, says so, and then waits for something that does not come.
class CommandThatHangs {
public:
    CommandThatHangs() {
        EXPECT_EQ(::pipe(said_.data()), 0);
        pid_ = ::fork();
        if (pid_ != 0) return;
        ::alarm(60);
        const Interruption interruption;
        say();
        while (!interruption.requested()) ::usleep(1000);
        say();
        while (true) ::pause();
    }
    CommandThatHangs(const CommandThatHangs&) = delete;
    CommandThatHangs& operator=(const CommandThatHangs&) = delete;
    ~CommandThatHangs() {
        for (const int descriptor : said_) ::close(descriptor);
    }

    void hears() {
        char byte = 0;
        EXPECT_EQ(::read(said_[0], &byte, 1), 1);
    }
    void tell(int number) const { ::kill(pid_, number); }
    // The signal that ended it; 0: it runs.
    int ended_by(int options) const {
        int status = 0;
        return ::waitpid(pid_, &status, options) == pid_ && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    }

private:
    void say() const { EXPECT_EQ(::write(said_[1], "!", 1), 1); }

    std::array<int, 2> said_{};
    pid_t pid_ = 0;
};

TEST(Interruption, ASecondSignalEndsWhatDoesNotLook) {
    CommandThatHangs command;
    command.hears();
    command.tell(SIGTERM);
    command.hears();
    int ended_by = 0;
    for (int tries = 0; tries < 300 && ended_by == 0;
         ++tries) {  // those that follow at once are the first one said twice
        ::usleep(100'000);
        command.tell(SIGINT);
        ended_by = command.ended_by(WNOHANG);
    }
    EXPECT_EQ(ended_by, SIGINT);
}

}  // namespace
}  // namespace lacquer
