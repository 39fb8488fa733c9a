// Opens one file and finds out everything the list says about it.
#pragma once

#include <filesystem>
#include <functional>

#include "src/library/library.h"

namespace lacquer::library {

using Probe = std::function<media::MediaInfo(const std::filesystem::path&)>;  // media::probe(), or one that fails

// Never throws for what is wrong with the file: that is Track::error, without a content id where the file could not be
// read, which may pass. Length and format come from `probe`, tags from TagLib (read-only). Threads: any. Memory:
// TagLib's, which loads ID3v2 tags whole.
Track examine(const std::filesystem::path& file, const Probe& probe = media::probe);

}  // namespace lacquer::library
