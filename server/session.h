// The life of one connection: read a head, guard, parse, check access, route, write; again, as long as both sides keep
// it open. Whatever goes wrong inside becomes a status here; nothing is thrown out of it.
//
// Threads: run() is called from the workers.
#pragma once

#include <functional>
#include <string>

#include "server/access.h"
#include "server/connection.h"
#include "server/connection_registry.h"
#include "server/http_server.h"
#include "server/httplib_parser.h"
#include "server/routes.h"
#include "server/slice_pool.h"
#include "server/worker_pool.h"

namespace lacquer::server {

class Session {
public:
    Session(const ServerOptions& options, const Access& access, const Routes& routes, ConnectionRegistry& registry,
            SlicePool& slices)
        : options_(options), access_(access), routes_(routes), registry_(registry), slices_(slices) {}

    // Serves and closes `descriptor`: on an express lane after one request.
    void run(int descriptor, WorkerPool::Lane lane) const noexcept;

private:
    enum class Next { request, close, reset, linger };

    void serve(Connection& connection, int descriptor, WorkerPool::Lane lane) const;
    Next next_head(Connection& connection, int descriptor, bool is_first, std::string& head) const;
    Next answer(Connection& connection, const GuardedHead& guarded, WorkerPool::Lane lane) const;
    Next refuse(Connection& connection, int status, const std::string& reason) const;
    Response respond(Connection& connection, Request& request) const;
    Response failure(const std::exception& error) const;
    void log(const std::string& text) const;

    const ServerOptions& options_;
    const Access& access_;
    const Routes& routes_;
    ConnectionRegistry& registry_;
    SlicePool& slices_;
    HttplibParser parser_;
};

}  // namespace lacquer::server
