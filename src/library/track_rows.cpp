#include "src/library/track_rows.h"

#include <fmt/format.h>

#include "src/library/text.h"

namespace lacquer::library {
namespace {

// In this order in read_track() and bind_track().
constexpr const char* kTrackColumns =
    "id, path, origin, content_id, title, artist, album, album_artist, genre, track_number, disc_number, year, "
    "sample_rate_hz, source_channels, channels, frame_count, promised_frames, integer_bits, format, decoder, error, "
    "size_bytes, "
    "mtime_ns";
// Those and what a Track does not show.
constexpr int kStoredColumns = 27;

constexpr const char* kUpdates =
    "path = excluded.path, origin = excluded.origin, content_id = excluded.content_id, title = excluded.title, "
    "artist = excluded.artist, album = excluded.album, album_artist = excluded.album_artist, genre = excluded.genre, "
    "track_number = excluded.track_number, disc_number = excluded.disc_number, year = excluded.year, "
    "sample_rate_hz = excluded.sample_rate_hz, source_channels = excluded.source_channels, "
    "channels = excluded.channels, frame_count = excluded.frame_count, promised_frames = excluded.promised_frames, "
    "integer_bits = excluded.integer_bits, format = excluded.format, decoder = excluded.decoder, "
    "error = excluded.error, size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns, "
    "sha256 = CASE WHEN excluded.sha256 IS NULL AND excluded.content_id = tracks.content_id THEN tracks.sha256 "
    "ELSE excluded.sha256 END, "
    "vanished = excluded.vanished, sort_key = excluded.sort_key, search_text = excluded.search_text";

std::string sort_key(const Track& track) {
    const auto number = [](int value) { return fmt::format("{:05}\x01", value); };
    const auto text = [](const std::string& value) { return folded(value) + '\x01'; };
    return text(track.album_artist.empty() ? track.artist : track.album_artist) + text(track.album) +
           number(track.disc_number) + number(track.track_number) + text(track.title) + track.path.native();
}

// The fields are kept apart by a character no query word can contain.
std::string search_text(const Track& track) {
    const std::string stem = clean_text(track.path.stem().native());
    return folded(fmt::format("{}\n{}\n{}\n{}", track.title, track.artist, track.album, stem));
}

class Binder {
public:
    explicit Binder(SQLite::Statement& statement) : statement_(statement) {}
    template <typename... Values>
    void bind(const Values&... values) {
        (statement_.bind(++index_, values), ...);
    }
    void bytes(const std::string& value) { bind_bytes(statement_, ++index_, value); }
    void nothing() { statement_.bind(++index_); }

private:
    SQLite::Statement& statement_;
    int index_ = 0;
};

void bind_file(SQLite::Statement& statement, const ExaminedFile& file, std::optional<std::int64_t> id) {
    const Track& track = file.track;
    const media::MediaInfo& media = track.media;
    Binder row(statement);
    if (id) {
        row.bind(*id);
    } else {
        row.nothing();
    }
    row.bytes(track.path.native());
    row.bind(track.origin, track.content_id, track.title, track.artist, track.album, track.album_artist, track.genre);
    row.bind(track.track_number, track.disc_number, track.year, media.sample_rate_hz, media.source_channels,
             media.channels, media.frame_count, media.promised_frames, media.integer_bits, media.format, media.decoder);
    row.bind(track.error, file.stamp.size_bytes, file.stamp.mtime_ns);
    if (file.sha256) {
        row.bind(*file.sha256);
    } else {
        row.nothing();
    }
    row.bind(0);  // vanished
    row.bytes(sort_key(track));
    row.bind(search_text(track));
}

void put(SQLite::Database& database, ExaminedFile& file, std::optional<std::int64_t> id) {
    static const std::string sql = fmt::format(
        "INSERT INTO tracks ({}, sha256, vanished, sort_key, search_text) VALUES ({}) "
        "ON CONFLICT (id) DO UPDATE SET {}",
        kTrackColumns, fmt::join(std::vector(kStoredColumns, '?'), ","), kUpdates);
    SQLite::Statement statement(database, sql);
    bind_file(statement, file, id);
    statement.exec();
    file.track.id = id ? *id : database.getLastInsertRowid();
    file.track.size_bytes = file.stamp.size_bytes;
    file.track.mtime_ns = file.stamp.mtime_ns;
}

struct Candidate {
    std::int64_t id;
    std::string content_id;
};

// Of the rows (id, path, vanished, content_id), the one whose file is gone: rather one not yet known to be gone, with
// the same file name, and the oldest.
std::optional<Candidate> best_gone(SQLite::Statement& rows, const std::filesystem::path& moved_to,
                                   const PathTest& may_exist) {
    std::optional<Candidate> best;
    int best_rank = -1;
    while (rows.executeStep()) {
        const std::filesystem::path path = rows.getColumn(1).getString();
        const bool vanished = rows.getColumn(2).getInt() != 0;
        if (may_exist(path)) continue;
        const int rank = (vanished ? 0 : 2) + (path.filename() == moved_to.filename() ? 1 : 0);
        if (rank <= best_rank) continue;
        best_rank = rank;
        best = Candidate{rows.getColumn(0).getInt64(), rows.getColumn(3).getString()};
    }
    return best;
}

std::optional<Candidate> gone_with_content(SQLite::Database& database, const ExaminedFile& file,
                                           const PathTest& may_exist) {
    SQLite::Statement rows(database,
                           "SELECT id, path, vanished, content_id FROM tracks WHERE content_id = ? ORDER BY id");
    rows.bind(1, file.track.content_id);
    return best_gone(rows, file.track.path, may_exist);
}

std::optional<Candidate> moved_from(SQLite::Database& database, const ExaminedFile& file, const PathTest& may_exist) {
    if (file.track.content_id.empty()) return std::nullopt;
    if (auto found = gone_with_content(database, file, may_exist)) return found;
    if (!file.sha256) return std::nullopt;
    SQLite::Statement rows(database,
                           "SELECT id, path, vanished, content_id FROM tracks WHERE size_bytes = ? AND sha256 = ? "
                           "ORDER BY id");
    rows.bind(1, file.stamp.size_bytes);
    rows.bind(2, *file.sha256);
    return best_gone(rows, file.track.path, may_exist);
}

// The same bytes under a new content id (it contains the modification time): what was found out about them holds.
void carry_over(SQLite::Database& database, const std::string& from, const std::string& to) {
    if (from == to) return;
    for (const char* sql :
         {"INSERT OR IGNORE INTO profiles SELECT ?2, decoder, profile FROM profiles WHERE content_id = ?1",
          "INSERT OR IGNORE INTO served_recipes SELECT ?2, request, recipe_id, last_served_unix_s FROM served_recipes "
          "WHERE content_id = ?1"}) {
        SQLite::Statement statement(database, sql);
        statement.bind(1, from);
        statement.bind(2, to);
        statement.exec();
    }
}

}  // namespace

void bind_bytes(SQLite::Statement& statement, int index, const std::string& bytes) {
    statement.bind(index, static_cast<const void*>(bytes.data()), static_cast<int>(bytes.size()));
}

std::string select_tracks(const std::string& rest) {
    return fmt::format("SELECT {} FROM tracks {}", kTrackColumns, rest);
}

Track read_track(SQLite::Statement& row) {
    int index = 0;
    const auto number = [&] { return row.getColumn(index++).getInt64(); };
    const auto text = [&] { return row.getColumn(index++).getString(); };
    Track track;
    track.id = number();
    track.path = text();
    for (std::string* field : {&track.origin, &track.content_id, &track.title, &track.artist, &track.album,
                               &track.album_artist, &track.genre})
        *field = text();
    for (int* field : {&track.track_number, &track.disc_number, &track.year}) *field = static_cast<int>(number());
    media::MediaInfo& media = track.media;
    for (std::uint32_t* field : {&media.sample_rate_hz, &media.source_channels, &media.channels})
        *field = static_cast<std::uint32_t>(number());
    media.frame_count = number();
    media.promised_frames = number();
    media.integer_bits = static_cast<int>(number());
    for (std::string* field : {&media.format, &media.decoder, &track.error}) *field = text();
    track.size_bytes = number();
    track.mtime_ns = number();
    return track;
}

const std::string& present_track_sql() {
    static const std::string sql = select_tracks("WHERE id = ? AND vanished = 0");
    return sql;
}

std::optional<Track> present_track(SQLite::Statement& row, std::int64_t id) {
    row.bind(1, id);
    if (!row.executeStep()) return std::nullopt;
    return read_track(row);
}

std::optional<KnownFile> known_file(SQLite::Database& database, const std::filesystem::path& path) {
    SQLite::Statement row(
        database, "SELECT id, size_bytes, mtime_ns, vanished, error = '', content_id <> '' FROM tracks WHERE path = ?");
    bind_bytes(row, 1, path.native());
    if (!row.executeStep()) return std::nullopt;
    const auto flag = [&](int column) { return row.getColumn(column).getInt() != 0; };
    return KnownFile{row.getColumn(0).getInt64(),
                     {row.getColumn(1).getInt64(), row.getColumn(2).getInt64()},
                     flag(3),
                     flag(4),
                     flag(5)};
}

bool needs_sha256(SQLite::Database& database, const ExaminedFile& file, const PathTest& may_exist) {
    if (file.track.content_id.empty() || gone_with_content(database, file, may_exist)) return false;
    SQLite::Statement rows(database,
                           "SELECT id, path, vanished, content_id FROM tracks WHERE size_bytes = ? AND "
                           "sha256 IS NOT NULL");
    rows.bind(1, file.stamp.size_bytes);
    return best_gone(rows, file.track.path, may_exist).has_value();
}

Change store_file(SQLite::Database& database, ExaminedFile& file, const PathTest& may_exist) {
    if (const auto known = known_file(database, file.track.path)) {
        put(database, file, known->id);
        return known->vanished ? Change::added : Change::changed;
    }
    if (const auto old = moved_from(database, file, may_exist)) {
        carry_over(database, old->content_id, file.track.content_id);
        put(database, file, old->id);
        return Change::moved;
    }
    put(database, file, std::nullopt);
    return Change::added;
}

std::vector<Listed> listed_after(SQLite::Database& database, std::int64_t after_id, int limit) {
    SQLite::Statement rows(database,
                           "SELECT id, path FROM tracks WHERE id > ? AND vanished = 0 AND origin = 'library' "
                           "ORDER BY id LIMIT ?");
    rows.bind(1, after_id);
    rows.bind(2, limit);
    std::vector<Listed> listed;
    while (rows.executeStep()) listed.push_back({rows.getColumn(0).getInt64(), rows.getColumn(1).getString()});
    return listed;
}

void set_vanished(SQLite::Database& database, std::int64_t id, bool vanished) {
    SQLite::Statement statement(database, "UPDATE tracks SET vanished = ? WHERE id = ?");
    statement.bind(1, vanished ? 1 : 0);
    statement.bind(2, id);
    statement.exec();
}

std::optional<Unhashed> unhashed_after(SQLite::Database& database, std::int64_t after_id) {
    SQLite::Statement row(database,
                          "SELECT id, path, size_bytes, mtime_ns, content_id FROM tracks WHERE sha256 IS NULL AND "
                          "vanished = 0 AND id > ? ORDER BY id LIMIT 1");
    row.bind(1, after_id);
    if (!row.executeStep()) return std::nullopt;
    return Unhashed{row.getColumn(0).getInt64(),
                    row.getColumn(1).getString(),
                    {row.getColumn(2).getInt64(), row.getColumn(3).getInt64()},
                    row.getColumn(4).getString()};
}

void set_sha256(SQLite::Database& database, const Unhashed& file, const std::string& sha256) {
    SQLite::Statement statement(database, "UPDATE tracks SET sha256 = ? WHERE id = ? AND content_id = ?");
    statement.bind(1, sha256);
    statement.bind(2, file.id);
    statement.bind(3, file.content_id);
    statement.exec();
}

}  // namespace lacquer::library
