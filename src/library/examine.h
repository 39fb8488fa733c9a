// Opens one file and finds out everything the list says about it.
#pragma once

#include <filesystem>

#include "src/library/library.h"

namespace lacquer::library {

// Never throws for what is wrong with the file: that is Track::error. Length and format come from media::probe(), tags
// from TagLib (read-only). Threads: any. Memory: TagLib's, which loads ID3v2 tags whole.
Track examine(const std::filesystem::path& file);

}  // namespace lacquer::library
