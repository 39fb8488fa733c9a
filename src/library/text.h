// Text from strangers made safe, and made comparable.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lacquer::library {

// Valid UTF-8 of at most 1024 bytes: what is not UTF-8 becomes U+FFFD, control characters become spaces, spaces at
// either end are dropped.
std::string clean_text(std::string_view bytes);

// Lower case of every script that has it; `utf8` as clean_text() gives it. Accents stay.
std::string folded(std::string_view utf8);

std::vector<std::string> words(std::string_view text);  // split at spaces and control characters

}  // namespace lacquer::library
