#include "src/shutdown_signals.h"

#include <algorithm>

namespace lacquer {
namespace {

constexpr std::chrono::milliseconds kLook{50};

}  // namespace

ShutdownSignals::ShutdownSignals() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    signal(SIGPIPE, SIG_IGN);
}

int ShutdownSignals::wait(std::chrono::milliseconds patience) const {
    const timespec timeout{patience.count() / 1000, patience.count() % 1000 * 1'000'000};
    return std::max(0, sigtimedwait(&signals_, nullptr, &timeout));
}

Interruption::Interruption()
    : watcher_([this](std::stop_token stop) {
          while (!stop.stop_requested() && signal_ == 0) signal_ = signals_.wait(kLook);
      }) {}

}  // namespace lacquer
