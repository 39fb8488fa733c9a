// enhanced=false: the file as it is, with the type of its own format.
#pragma once

#include "server/sources.h"
#include "src/library/library.h"

namespace lacquer {

// Throws server::HttpError: 503 with Retry-After when the file cannot be opened for a reason that may pass
// (src/retry_policy.h), 404 when it cannot for another, or only through a symbolic link. Reading it throws the same.
server::Representation original_file(const library::Track& track);

}  // namespace lacquer
