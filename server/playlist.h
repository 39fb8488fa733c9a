// Extended M3U, as every player reads it.
#pragma once

#include <string>
#include <vector>

#include "server/sources.h"

namespace lacquer::server {

// `base_url` without a slash at its end; `parameters` is the part of the query common to all tracks, or empty.
std::string playlist_text(const std::vector<PlaylistEntry>& entries, const std::string& base_url,
                          const std::string& parameters);

}  // namespace lacquer::server
