// Puts a Response on a Connection.
//
// Memory: one slice while bytes are read and sent, none while the client is waited for.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "server/connection.h"
#include "server/request.h"
#include "server/slice_pool.h"

namespace lacquer::server {

// Status line and headers, Date, Content-Length and Connection included, up to the empty line.
std::string response_head(const Response& response, bool closes);

struct WriteContext {
    bool head_only = false;
    bool closes = false;
    bool takes_interim = true;  // HTTP/1.1 and a request that asks for nothing unusual
    std::chrono::milliseconds event_comment_period{15'000};
    std::function<bool()> is_stopping;  // ends event streams
    std::function<void(const std::string&)> log;
};

enum class Written {
    complete,
    broken,  // the client left, or the bytes could not be had: reset it
};

// The head goes out together with the first slice, so that bytes that cannot be had at all become an honest error
// status instead of a broken transfer. Throws what Body::read throws for the first slice, as long as nothing was sent.
Written write_response(Connection& connection, Response& response, const WriteContext& context, SlicePool& slices);

}  // namespace lacquer::server
