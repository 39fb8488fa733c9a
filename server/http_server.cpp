#include "server/http_server.h"

#include <mutex>
#include <utility>

#include <unistd.h>

#include "server/access.h"
#include "server/connection_registry.h"
#include "server/doorkeeper.h"
#include "server/routes.h"
#include "server/session.h"
#include "server/slice_pool.h"
#include "server/worker_pool.h"

namespace lacquer::server {
namespace {

constexpr std::size_t kept_slices = 8;

std::string url_of(const std::string& host, std::uint16_t port) {
    std::string name = host;
    if (host.empty() || host == "0.0.0.0") name = "127.0.0.1";
    if (host == "::") name = "[::1]";
    if (name.find(':') != std::string::npos && !name.starts_with('[')) name = "[" + name + "]";
    return "http://" + name + ":" + std::to_string(port);
}

}  // namespace

struct HttpServer::State {
    State(Sources sources, ServerOptions given)
        : options(std::move(given)),
          access(options.host, options.token, options.public_hosts),
          workers(options.max_connections, options.max_waiting,
                  [this](int descriptor, WorkerPool::Lane lane) { session->run(descriptor, lane); }),
          doorkeeper(options, workers, registry),
          url(url_of(options.host, doorkeeper.port())),
          routes(sources, url, access.stream_token()) {
        session.emplace(options, access, routes, registry, slices);
        doorkeeper.start();
    }

    const ServerOptions options;
    const Access access;
    ConnectionRegistry registry;
    SlicePool slices{kept_slices};
    WorkerPool workers;
    Doorkeeper doorkeeper;
    const std::string url;
    const Routes routes;
    std::optional<Session> session;
    std::mutex stop_mutex;
};

HttpServer::HttpServer(Sources sources, ServerOptions options)
    : state_(std::make_unique<State>(sources, std::move(options))) {}

HttpServer::~HttpServer() {
    stop(std::chrono::milliseconds(0));
}

std::uint16_t HttpServer::port() const {
    return state_->doorkeeper.port();
}

std::string HttpServer::base_url() const {
    return state_->url;
}

void HttpServer::stop(std::chrono::milliseconds patience) {
    const std::lock_guard lock(state_->stop_mutex);
    state_->doorkeeper.stop();
    state_->registry.stop();
    state_->registry.wait_until_empty(patience);
    state_->registry.end_all();
    for (const int descriptor : state_->workers.stop()) ::close(descriptor);
}

}  // namespace lacquer::server
