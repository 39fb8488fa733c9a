// Conditional requests (RFC 9110, section 13) with entity tags only: nothing here has a modification date.
#pragma once

#include <string>

#include "server/request.h"

namespace lacquer::server {

enum class Condition { proceed, not_modified, failed };  // -, 304, 412

// If-Match (strong comparison), then If-None-Match (weak comparison, as 13.1.2 wants). `etag` is quoted; empty: none.
Condition check_conditions(const Request& request, const std::string& etag);

// Whether a Range may be honoured: there is no If-Range, or it is this very strong tag.
bool range_applies(const Request& request, const std::string& etag);

}  // namespace lacquer::server
