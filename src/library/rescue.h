// What of a damaged database cannot be made again, carried over as far as it can still be read: the ids of tracks,
// which playlists rely on, the recipes that their URLs name, and the presets that were made.
#pragma once

#include <filesystem>

#include <SQLiteCpp/Database.h>

namespace lacquer::library {

// All of it in one transaction of `database`, which is new. Tracks come to be examined again, at their next scan or
// request; nothing of their rows is relied on but id, path and content id. An id of the damaged database is never given
// to another track, where its sequence or the highest id can be read. What cannot be read is left behind; throws
// SQLite::Exception when `database` cannot be written, or the damaged one not be looked at now (locked, no memory).
void rescue(SQLite::Database& database, const std::filesystem::path& damaged);

}  // namespace lacquer::library
