// Tracks as rows of the table `tracks`. Called with the connection's lock held (Connection::use).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include "src/library/file_identity.h"
#include "src/library/library.h"

namespace lacquer::library {

// One file as it was just examined.
struct ExaminedFile {
    Track track;      // id still 0
    FileStamp stamp;  // taken before the file was opened: a change during the examination is seen at the next scan
    std::optional<std::string> sha256;
};

// What the table knows about a path.
struct KnownFile {
    std::int64_t id = 0;
    FileStamp stamp;
    bool vanished = false;
    bool decodable = true;
    bool readable = true;
};

enum class Change { added, changed, moved };

using PathTest = std::function<bool(const std::filesystem::path&)>;

std::string select_tracks(const std::string& rest);  // "SELECT <what read_track reads> FROM tracks <rest>"
Track read_track(SQLite::Statement& row);

const std::string& present_track_sql();
std::optional<Track> present_track(SQLite::Statement& row, std::int64_t id);  // of present_track_sql()
std::optional<KnownFile> known_file(SQLite::Database& database, const std::filesystem::path& path);

// True when only its SHA-256 can tell whether this new file is a track whose own file is gone: the size is right, and
// no such track has the same content id.
bool needs_sha256(SQLite::Database& database, const ExaminedFile& file, const PathTest& may_exist);

// Stores the file under the id of its path; else of the track with the same content whose file is gone; else a new
// one. Sets track.id.
Change store_file(SQLite::Database& database, ExaminedFile& file, const PathTest& may_exist);

// Ids and paths of the tracks listed now, `limit` at most, with ids above `after_id`, ascending.
struct Listed {
    std::int64_t id;
    std::filesystem::path path;
};
std::vector<Listed> listed_after(SQLite::Database& database, std::int64_t after_id, int limit);
void set_vanished(SQLite::Database& database, std::int64_t id, bool vanished);

// The listed track with the smallest id above `after_id` that lacks a SHA-256.
struct Unhashed {
    std::int64_t id;
    std::filesystem::path path;
    FileStamp stamp;
    std::string content_id;
};
std::optional<Unhashed> unhashed_after(SQLite::Database& database, std::int64_t after_id);
void set_sha256(SQLite::Database& database, const Unhashed& file, const std::string& sha256);

void bind_bytes(SQLite::Statement& statement, int index, const std::string& bytes);

}  // namespace lacquer::library
