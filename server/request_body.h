// The bodies of requests to the routes that take one. Their length is known from the head (server/head_guard.h refuses
// everything that could be read in two ways), so reading one is counting bytes.
#pragma once

#include <chrono>
#include <cstdint>

#include "server/connection.h"
#include "server/request.h"

namespace lacquer::server {

// Fills request.body, after "100 Continue" when the client waits for that. Throws HttpError, nothing being read: 413
// above `limit_bytes`, 415 when it is not announced as application/json; and 408, the connection being lost, when it
// does not arrive within `patience`.
void read_json_body(Connection& connection, Request& request, std::uint64_t limit_bytes,
                    std::chrono::milliseconds patience);

}  // namespace lacquer::server
