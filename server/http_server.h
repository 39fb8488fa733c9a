// The daemon's HTTP/1.1 front: routing, argument checks, ranges and conditions (RFC 9110), problem documents (RFC
// 9457), server-sent events. All bytes come from server/sources.h.
//
//     Doorkeeper (accepts) -> WorkerPool -> Session: Connection (reads a head) -> head_guard -> HttplibParser
//                                                    -> access -> Router -> Response -> response_writer
//
// Threads: one per connection from a bounded, elastic pool (max_connections, and WorkerPool::max_express more for the
//          daemon's health); one that accepts.
// Memory:  about 20 KiB per connection; slices of 64 KiB only for those that read or send in that moment.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/sources.h"

namespace lacquer::server {

struct ServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 4747;                               // 0: any free port
    std::string token;                                       // required unless `host` is loopback
    std::vector<std::string> public_hosts;                   // further names accepted in the Host header
    std::size_t max_connections = 2048;                      // served at once; further ones wait, if not for health
    std::size_t max_waiting = 512;                           // waiting at once; further ones are refused with 503
    std::chrono::milliseconds waiting_timeout{5000};         // a waiting one is then refused with 503
    std::chrono::milliseconds head_timeout{10'000};          // from connecting, or its first byte, to a whole head
    std::chrono::milliseconds body_timeout{5'000};           // from a whole head to a whole body
    std::chrono::milliseconds keep_alive_timeout{60'000};    // between two requests
    std::chrono::milliseconds write_timeout{15 * 60'000};    // without a byte taken: players pause
    std::chrono::milliseconds event_comment_period{15'000};  // keeps idle event streams open through proxies
    std::function<void(const std::string&)> log;             // what went wrong inside; from any thread; must not throw
};

class HttpServer {
public:
    // Binds and starts to answer. Throws std::runtime_error naming the address and the reason when it cannot bind, or
    // when `host` is not loopback and `token` is empty.
    HttpServer(Sources sources, ServerOptions options);
    ~HttpServer();  // stop() with no patience

    std::uint16_t port() const;  // the bound one
    std::string base_url() const;
    // Stops accepting; running responses may finish for up to `patience`, then are reset. Idempotent. Event streams and
    // idle connections are closed at once.
    void stop(std::chrono::milliseconds patience);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace lacquer::server
