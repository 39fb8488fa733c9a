// Binds, accepts and hands each connection to a worker. When all are taken it first ends a connection that idles, lets
// the new one wait, and refuses it with 503 when it waited too long: players do not come back. Whoever asks for the
// daemon's health does not wait, so that a supervisor does not take a full house for a dead one.
//
// Threads: one of its own.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include <poll.h>

#include "server/connection_registry.h"
#include "server/http_server.h"
#include "server/worker_pool.h"

namespace lacquer::server {

class Doorkeeper {
public:
    // Binds. Throws std::runtime_error naming the address and the reason when it cannot.
    Doorkeeper(const ServerOptions& options, WorkerPool& workers, ConnectionRegistry& registry);
    ~Doorkeeper();  // stop()

    void start();
    void stop();  // no connection is accepted any more; those waiting for a worker are closed by WorkerPool's owner
    std::uint16_t port() const { return port_; }

private:
    using Clock = std::chrono::steady_clock;
    struct Refused {
        int descriptor;
        Clock::time_point deadline;
    };

    void run();
    void accept_all();
    void admit(int descriptor);
    void look_at_unread(std::size_t first_entry);
    void refuse(int descriptor);
    void end_refused(Clock::time_point now);
    int timeout_ms(Clock::time_point now) const;

    const std::chrono::milliseconds waiting_timeout_;
    WorkerPool& workers_;
    ConnectionRegistry& registry_;
    int listener_ = -1;
    int wake_ = -1;  // an eventfd: readable once stopping
    std::uint16_t port_ = 0;
    std::vector<pollfd> entries_;   // what run() waits for: wake_, listener_, refused_, unread_
    std::vector<int> unread_;       // sent to wait for a worker, and nothing of theirs was seen yet
    std::vector<Refused> refused_;  // answered, and being read until they close
    bool pausing_ = false;          // out of descriptors or memory: no accept for a moment
    std::thread thread_;
};

}  // namespace lacquer::server
