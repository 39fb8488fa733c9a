// What of a damaged database cannot be made again, carried over as far as it can still be read: the ids of tracks,
// which playlists rely on, and the presets that were made.
#pragma once

#include <filesystem>

#include <SQLiteCpp/Database.h>

namespace lacquer::library {

// Tracks come as vanished, to be examined and taken back by the next scan; nothing else of their rows is relied on but
// id, path and content id. An id of the damaged database is never given to another track where its sequence can be
// read. Never throws SQLite::Exception: what cannot be read is left behind.
void rescue(SQLite::Database& database, const std::filesystem::path& damaged);

}  // namespace lacquer::library
