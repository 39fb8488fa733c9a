#include "src/shutdown_signals.h"

#include <algorithm>
#include <cstdlib>

namespace lacquer {
namespace {

using Clock = std::chrono::steady_clock;

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

int ShutdownSignals::wait() const {
    int came = 0;
    return sigwait(&signals_, &came) == 0 ? came : 0;
}

Interruption::Interruption() : watcher_([this](const std::stop_token& stop) { watch(stop); }) {}

void Interruption::watch(const std::stop_token& stop) {
    const std::stop_callback wake(stop, [self = pthread_self()] { pthread_kill(self, SIGINT); });
    Clock::time_point first;
    while (true) {
        const int came = signals_.wait();
        if (stop.stop_requested()) return;
        if (signal_ == 0) {
            first = Clock::now();
            signal_ = came;
        } else if (Clock::now() - first > kSaidTwice) {
            strike(came);
        }
    }
}

}  // namespace lacquer
