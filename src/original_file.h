// enhanced=false: the file as it is, with the type of its own format.
#pragma once

#include "server/sources.h"
#include "src/library/library.h"

namespace lacquer {

// Throws server::HttpError 404 when the file cannot be opened, or only through a symbolic link.
server::Representation original_file(const library::Track& track);

}  // namespace lacquer
