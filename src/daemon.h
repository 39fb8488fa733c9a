// The daemon: builds every part bottom-up, answers until a signal comes, tears down in reverse.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "src/settings.h"

namespace lacquer {

// Everything `lacquer serve` consists of, running: scheduler, cache, library, HTTP.
class Daemon {
public:
    // Throws std::runtime_error when something it needs cannot be had: a folder, the cache directory, the port.
    explicit Daemon(const Settings& settings);
    ~Daemon();  // stop() without patience

    std::string base_url() const;
    // Stops accepting; running streams may finish for up to `patience`. Idempotent.
    void stop(std::chrono::milliseconds patience);
    // Stopped, but threads are blocked in a source that hangs, or slow to end. All that they may still touch was left
    // as it is, the cache's directory locked: so end the process, without static destructors.
    bool left_workers() const noexcept { return left_workers_; }

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
    bool left_workers_ = false;
};

// Runs a daemon until SIGTERM or SIGINT. Returns the exit code. Throws as Daemon does (exit code 2).
int run_daemon(const Settings& settings);

}  // namespace lacquer
