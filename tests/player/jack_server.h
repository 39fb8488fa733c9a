// A JACK server of the test's own, with a clock and no sound: what comes closest to a sound card on a machine that has
// none. Programs and libraries of this process find it, and no other, as long as it lives.
#pragma once

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lacquer::test {

class JackServer {
public:
    explicit JackServer(std::string rate_hz = "48000", std::string period_frames = "512")
        : rate_hz_(std::move(rate_hz)), period_frames_(std::move(period_frames)) {
        ::setenv("JACK_DEFAULT_SERVER", name_.c_str(), 1);
        start();
    }
    JackServer(const JackServer&) = delete;
    JackServer& operator=(const JackServer&) = delete;
    ~JackServer() { stop(); }

    static bool installed() { return ::access("/usr/bin/jackd", X_OK) == 0; }
    const std::string& name() const { return name_; }
    pid_t pid() const { return pid_; }

    // Returns at once; clients reach it a moment later.
    void start() {
        std::vector<std::string> words{"jackd",  "-r", "--no-mlock",   "-n", name_, "-d", "dummy", "-r",
                                       rate_hz_, "-p", period_frames_, "-C", "2",   "-P", "2"};
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ != 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int nowhere = ::open("/dev/null", O_RDWR);
        for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nowhere, fd);
        ::execv("/usr/bin/jackd", arguments.data());
        ::_exit(127);
    }
    void stop(int signal = SIGTERM) {
        if (pid_ <= 0) return;
        ::kill(pid_, signal);
        while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
        pid_ = 0;
    }

private:
    const std::string name_ = "lacquer-test-" + std::to_string(::getpid());
    const std::string rate_hz_;
    const std::string period_frames_;
    pid_t pid_ = 0;
};

}  // namespace lacquer::test
