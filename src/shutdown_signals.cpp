#include "src/shutdown_signals.h"

#include <algorithm>
#include <cstdlib>

namespace lacquer {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{50};
constexpr std::chrono::milliseconds kSaidTwice{500};  // timeout(1) tells the process, then its group

[[noreturn]] void strike(int number) {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    struct sigaction now {};
    sigaction(number, nullptr, &now);
    if (now.sa_handler == SIG_IGN) signal(number, SIG_DFL);  // a handler first leaves a terminal as it was
    pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
    raise(number);
    std::_Exit(128 + number);
}

}  // namespace

ShutdownSignals::ShutdownSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGHUP);  // the terminal was closed
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    signal(SIGPIPE, SIG_IGN);
}

int ShutdownSignals::wait(std::chrono::milliseconds patience) const {
    const timespec timeout{patience.count() / 1000, patience.count() % 1000 * 1'000'000};
    return std::max(0, sigtimedwait(&signals_, nullptr, &timeout));
}

Interruption::Interruption() : watcher_([this](std::stop_token stop) { watch(stop); }) {}

void Interruption::watch(std::stop_token stop) {
    Clock::time_point first;
    while (!stop.stop_requested()) {
        const int came = signals_.wait(kLook);
        if (came == 0) continue;
        if (signal_ == 0) {
            first = Clock::now();
            signal_ = came;
        } else if (Clock::now() - first > kSaidTwice) {
            strike(came);
        }
    }
}

}  // namespace lacquer
