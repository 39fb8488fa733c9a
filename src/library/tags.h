// Title, artist and the like, as the file's tags have them. TagLib never decides a length: it does not trim.
#pragma once

#include <filesystem>

#include "src/library/library.h"

namespace lacquer::library {

// Fills the text and number fields that the file has tags for. The file is opened for reading only (TagLib's default
// is reading and writing, which would wake whoever watches the folder).
void read_tags(const std::filesystem::path& file, Track& track);

}  // namespace lacquer::library
