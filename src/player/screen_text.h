// Text from strangers on a terminal: nothing of it moves the cursor, and it takes exactly the columns it is counted
// for.
#pragma once

#include <string>
#include <string_view>

namespace lacquer::player {

// Valid UTF-8 without anything that a terminal obeys: control characters (C0, C1), what turns the direction of writing,
// and what has no width of its own at its place become spaces or go; spaces at either end are dropped. At most 1024
// bytes.
std::string printable(std::string_view bytes);

// Below, `text` is as printable() gives it.
int columns_of(std::string_view text);  // wide characters are two, combining ones none
// The whole of it, or as much as leaves room for "…" in `columns` (>= 0).
std::string cut_to(std::string_view text, int columns);
std::string ascii(std::string_view text);  // every other character is `?`

}  // namespace lacquer::player
