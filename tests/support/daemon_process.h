// `lacquer serve` as a process of its own, on a free port, until the end of the scope. The program is the one of the
// build that this one is in.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lacquer::test {

class DaemonProcess {
public:
    // Cache, state and log go below `folder`. Throws std::runtime_error with the log when it does not come up.
    DaemonProcess(const std::filesystem::path& music, const std::filesystem::path& folder,
                  std::vector<std::string> options = {})
        : log_(folder / "daemon.log") {
        std::vector<std::string> words{program(),     "serve",       "--music",        music,         "--listen",
                                       "127.0.0.1:0", "--cache-dir", folder / "cache", "--state-dir", folder / "state"};
        words.insert(words.end(), options.begin(), options.end());
        start(words);
        wait_for_port();
    }
    DaemonProcess(const DaemonProcess&) = delete;
    DaemonProcess& operator=(const DaemonProcess&) = delete;
    ~DaemonProcess() { stop(); }

    std::uint16_t port() const { return port_; }
    pid_t pid() const { return pid_; }
    std::string log() const {
        std::ifstream file(log_);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    std::size_t resident_bytes() const {
        std::ifstream file("/proc/" + std::to_string(pid_) + "/statm");
        std::size_t total_pages = 0;
        std::size_t resident_pages = 0;
        file >> total_pages >> resident_pages;
        return resident_pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    }
    std::string name() const {
        std::ifstream file("/proc/" + std::to_string(pid_) + "/comm");
        std::string name;
        std::getline(file, name);
        return name;
    }
    bool is_running() const {
        siginfo_t ended{};
        return ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid == 0;
    }

    // SIGTERM; the exit code, or minus the signal that ended it. Idempotent.
    int stop() {
        if (pid_ <= 0) return 0;
        ::kill(pid_, SIGTERM);
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

private:
    static std::string program() {
        return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "lacquer";
    }
    void start(std::vector<std::string>& words) {
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        const int output = ::open(log_.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(output, STDOUT_FILENO);
            ::dup2(output, STDERR_FILENO);
            ::execv(arguments[0], arguments.data());
            ::_exit(127);
        }
        ::close(output);
    }

    void wait_for_port() {
        const std::string before = "listening on http://127.0.0.1:";
        for (int tries = 0; tries < 1200 && is_running(); ++tries) {
            const std::string text = log();
            const auto found = text.find(before);
            if (found != std::string::npos && text.find('\n', found) != std::string::npos) {
                port_ = static_cast<std::uint16_t>(std::stoi(text.substr(found + before.size())));
                return;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        stop();
        throw std::runtime_error("the daemon did not come up: " + log());
    }

    std::filesystem::path log_;
    pid_t pid_ = 0;
    std::uint16_t port_ = 0;
};

}  // namespace lacquer::test
