// What the library need not keep: rows about content that no track has any more, and damaged databases.
//
// Content is absent while no track that is not vanished has it, and long absent after 30 days of that. Those are
// counted on a clock that goes by at most a day from one sweep to the next, whatever the system's does: neither a clock
// that jumps when the network sets it, nor a computer that was off for a summer with its disk of music, makes absence
// long.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "src/library/database.h"
#include "src/library/library.h"

namespace lacquer::library {

// Notes since when content is absent, and removes the profiles and served notes of what is long absent. Recipes stay: a
// playlist may name them for a track whose content was replaced. Returns how many rows.
// Other users of the connection wait for 100 contents at most.
std::int64_t sweep_absent_contents(Connection& connection, std::int64_t now_unix_s);

// A scan has seen all there was: from now on it is known what the library has, over restarts too.
void note_complete_scan(Connection& connection);
// Library::contents().
std::optional<std::vector<Content>> contents_not_long_absent(Connection& connection);

// Keeps the newest two of what was moved aside for `database`, empty ones not counted; a log that belongs to one goes
// with it. Files that only begin with such a name are somebody's copies. Returns how many were removed.
std::int64_t remove_old_damaged_databases(const std::filesystem::path& database);

}  // namespace lacquer::library
