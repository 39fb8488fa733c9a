// SIGTERM and SIGINT, as something to wait for or to look at instead of something that strikes.
#pragma once

#include <atomic>
#include <chrono>
#include <stop_token>
#include <thread>

#include <signal.h>

namespace lacquer {

// Blocked from construction on, in this thread and those it starts: so before any other.
class ShutdownSignals {
public:
    ShutdownSignals();
    // The signal that came; 0: none.
    int wait(std::chrono::milliseconds patience) const;
    int wait() const;  // for as long as it takes

private:
    sigset_t signals_{};
};

// Whether one has come. A second one, that is not the first one said twice, ends the process at once: what waits for a
// file that does not come cannot look.
//
// Threads: requested() and exit_code() from any.
class Interruption {
public:
    Interruption();
    bool requested() const noexcept { return signal_ != 0; }
    int exit_code() const noexcept { return 128 + signal_; }  // as shells tell it

private:
    void watch(const std::stop_token& stop);

    ShutdownSignals signals_;
    std::atomic<int> signal_ = 0;
    std::jthread watcher_;
};

}  // namespace lacquer
