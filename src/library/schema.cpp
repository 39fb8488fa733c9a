#include "src/library/schema.h"

namespace lacquer::library {
namespace {

// Paths are BLOBs because file names need not be UTF-8. `vanished`: the file is gone, the row keeps its id.
// `sort_key` and `search_text` are derived from the other columns (track_rows.cpp). `sha256`: NULL until computed.
constexpr const char* kFirst = R"sql(
    CREATE TABLE tracks (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        path BLOB NOT NULL UNIQUE,
        origin TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        content_id TEXT NOT NULL,
        sha256 TEXT,
        vanished INTEGER NOT NULL,
        title TEXT NOT NULL,
        artist TEXT NOT NULL,
        album TEXT NOT NULL,
        album_artist TEXT NOT NULL,
        genre TEXT NOT NULL,
        track_number INTEGER NOT NULL,
        disc_number INTEGER NOT NULL,
        year INTEGER NOT NULL,
        sample_rate_hz INTEGER NOT NULL,
        source_channels INTEGER NOT NULL,
        channels INTEGER NOT NULL,
        frame_count INTEGER NOT NULL,
        promised_frames INTEGER NOT NULL,
        integer_bits INTEGER NOT NULL,
        format TEXT NOT NULL,
        decoder TEXT NOT NULL,
        error TEXT NOT NULL,
        sort_key BLOB NOT NULL,
        search_text TEXT NOT NULL
    ) STRICT;
    CREATE INDEX tracks_in_order ON tracks (sort_key) WHERE vanished = 0;
    CREATE INDEX tracks_by_content ON tracks (content_id);
    CREATE INDEX tracks_by_size ON tracks (size_bytes) WHERE sha256 IS NOT NULL;
    CREATE INDEX tracks_to_hash ON tracks (id) WHERE sha256 IS NULL AND vanished = 0;

    CREATE TABLE profiles (
        content_id TEXT NOT NULL,
        decoder TEXT NOT NULL,
        profile TEXT NOT NULL,
        PRIMARY KEY (content_id, decoder)
    ) STRICT;

    CREATE TABLE recipes (
        recipe_id TEXT NOT NULL PRIMARY KEY,
        json TEXT NOT NULL
    ) STRICT;

    CREATE TABLE served_recipes (
        content_id TEXT NOT NULL,
        request TEXT NOT NULL,
        recipe_id TEXT NOT NULL,
        last_served_unix_s INTEGER NOT NULL,
        PRIMARY KEY (content_id, request)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE roots (
        path BLOB NOT NULL PRIMARY KEY,
        device INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
)sql";

// `json` holds the numbers themselves, so that a preset outlives the track it was made after.
constexpr const char* kReferencePresets = R"sql(
    CREATE TABLE reference_presets (
        name TEXT NOT NULL PRIMARY KEY COLLATE NOCASE,
        json TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
)sql";

// Content that no track has any more, and since when (src/library/sweep.cpp). kUpkeep makes it anew.
constexpr const char* kAbsentContents = R"sql(
    CREATE TABLE absent_contents (
        content_id TEXT NOT NULL PRIMARY KEY,
        since_unix_s INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX served_by_recipe ON served_recipes (recipe_id);
)sql";

// Absence is counted in seconds of `elapsed_s`, a clock of the sweeps' own (src/library/sweep.cpp). `was_scanned`: some
// scan of this database has seen all there was. Recipes are not swept any more.
constexpr const char* kUpkeep = R"sql(
    DROP INDEX served_by_recipe;
    DROP TABLE absent_contents;
    CREATE TABLE absent_contents (
        content_id TEXT NOT NULL PRIMARY KEY,
        since_s INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE upkeep (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        was_scanned INTEGER NOT NULL,
        swept_unix_s INTEGER NOT NULL,
        elapsed_s INTEGER NOT NULL
    ) STRICT;
    INSERT INTO upkeep VALUES (1, 0, 0, 0);
)sql";

constexpr const char* kMigrations[] = {kFirst, kReferencePresets, kAbsentContents, kUpkeep};

}  // namespace

std::span<const char* const> migrations() {
    return kMigrations;
}

}  // namespace lacquer::library
