// A Representation as the answer to a request: conditions first, then ranges (RFC 9110, 13.2.2).
#pragma once

#include "server/request.h"

namespace lacquer::server {

// 200, 206 (one part or multipart/byteranges), 304, 412, 416, or the status of a representation without bytes. Ranges
// are for GET only (14.2), so HEAD shows the headers of the whole.
Response represent(const Request& request, Representation representation);

}  // namespace lacquer::server
