// The one place that knows cpp-httplib (0.11.4, Debian's compiled library). It is given a head that head_guard let
// pass and yields our Request. The library's sockets, thread pool and response writer are not used: it cuts running
// responses on stop, refuses half-closed clients, sends chunks to HTTP/1.0, spins on idle connections and dies of a
// throwing provider. What it would write is discarded.
//
// Threads: parse() may be called from many at once.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "server/head_guard.h"
#include "server/request.h"

namespace lacquer::server {

class HttplibParser {
public:
    HttplibParser();
    ~HttplibParser();

    // nullopt when the library refuses it.
    std::optional<Request> parse(const GuardedHead& guarded) const;

private:
    class GuardedServer;
    std::unique_ptr<GuardedServer> server_;
};

}  // namespace lacquer::server
