// The table of routes: which method and path is which handler. Matched by hand, segment by segment.
//
// Threads: answer() may be called from many at once.
#pragma once

#include <cstdint>
#include <string>

#include "server/request.h"
#include "server/sources.h"

namespace lacquer::server {

class Routes {
public:
    // `base_url` is used in playlists where the request has no Host; `stream_token` is put into their URLs.
    Routes(Sources sources, std::string base_url, std::string stream_token);

    // 404 for an unknown path, 405 with Allow for another method; HEAD is answered as GET is, OPTIONS with Allow.
    // Throws HttpError, and what the sources throw.
    Response answer(const Request& request) const;
    // The most bytes of JSON that the route of this request takes; 0: it takes no body.
    std::uint64_t body_limit_bytes(const Request& request) const;

private:
    Sources sources_;
    std::string base_url_;
    std::string stream_token_;
};

}  // namespace lacquer::server
