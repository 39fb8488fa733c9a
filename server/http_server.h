// The daemon's HTTP/1.1 front: routing, argument checks, ranges and conditions (RFC 9110), problem documents (RFC
// 9457), server-sent events. All bytes come from server/sources.h.
//
// Threads: one per connection from a bounded pool; see ServerOptions::max_connections.
// Memory:  about 32 KiB per connection besides its slice buffer.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/sources.h"

namespace lacquer::server {

struct ServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 4747;              // 0: any free port
    std::string token;                      // required unless `host` is loopback
    std::vector<std::string> public_hosts;  // further names accepted in the Host header
    std::size_t max_connections = 2048;
};

class HttpServer {
public:
    // Binds and starts to answer. Throws std::runtime_error naming the address and the reason when it cannot bind.
    HttpServer(Sources sources, ServerOptions options);
    ~HttpServer();  // stop() with no patience

    std::uint16_t port() const;  // the bound one
    std::string base_url() const;
    // Stops accepting; running responses may finish for up to `patience`, then are reset. Idempotent.
    void stop(std::chrono::milliseconds patience);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace lacquer::server
