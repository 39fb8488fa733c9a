// The music folders as a list of tracks with ids that last: SQLite in WAL mode behind it.
//
// Identity:  an id stays with its path; when the path is gone, it follows the content (content_id, or SHA-256 where the
//            modification time was lost in a copy). Copies that exist side by side have ids of their own.
// Threads:   every member may be called from any thread. Scans run one at a time, a second call waits for the first.
//            Files are opened, probed and hashed without the locks that other members need; tracks() and unmeasured()
//            keep only each other waiting.
// Memory:    SQLite's page cache, at most 2 MiB; while a scan runs also the name of every file (~150 bytes each).
// Errors:    every member throws std::runtime_error when the database cannot be read or written.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "src/media/decoder.h"

namespace lacquer::library {

// XXH3-128 (32 hex digits) over size, mtime (ns), the first and last 64 KiB and 62 evenly spaced 16 KiB blocks; files
// no larger than those together are read whole. Throws std::filesystem::filesystem_error.
std::string content_id(const std::filesystem::path& file);

struct Track {
    std::int64_t id = 0;
    std::filesystem::path path;  // absolute, free of symbolic links
    std::string origin = "library";
    std::string content_id;                                 // empty when the file could not be read
    std::string title, artist, album, album_artist, genre;  // valid UTF-8; title falls back to the file's stem
    int track_number = 0, disc_number = 0, year = 0;        // 0: unknown
    media::MediaInfo media;
    std::string error;                          // why it cannot be decoded; empty when it can
    std::int64_t size_bytes = 0, mtime_ns = 0;  // of the file when its content id was taken

    double duration_seconds() const {
        return media.sample_rate_hz == 0 ? 0.0 : static_cast<double>(media.frame_count) / media.sample_rate_hz;
    }
};

struct TrackPage {
    std::vector<Track> items;
    std::int64_t total = 0;  // matches, not only those on this page
};

// Each file found is counted once in added (new, or back again), changed, moved or unchanged.
struct ScanResult {
    std::int64_t added = 0, changed = 0, moved = 0, unchanged = 0;
    std::int64_t removed = 0;             // tracks whose file is gone since the last scan
    std::int64_t undecodable = 0;         // of the files found
    std::int64_t unreadable_folders = 0;  // skipped, roots included; the tracks below them stay as they were
};

// What the tracks of the library are made of.
struct Content {
    std::string content_id;
    std::string decoder;  // that reads it
};

// How much a sweep removed.
struct SweptLibrary {
    std::int64_t rows = 0;   // profiles and notes of what was served
    std::int64_t files = 0;  // damaged databases that had been moved aside
};

// The recipe that (track, preset, intensity, loudness) is served with, and since when nobody listened to it.
struct ServedRecipe {
    std::string recipe_id;
    std::int64_t last_served_unix_s = 0;
};

class Library {
public:
    // Opens or creates the database; its folder is made with mode 0700. A damaged database, and whatever else is in its
    // place, is moved aside as NAME.damaged-TIMESTAMP and a new one begun, with the ids of tracks, the recipes and the
    // presets as far as they can still be read; notice() then says so. Throws std::runtime_error naming the file and
    // the reason, or the root that is no folder; a damaged database then is still in its place.
    Library(const std::filesystem::path& database, std::vector<std::filesystem::path> roots);
    ~Library();

    // What whoever runs the daemon should be told about opening the database; empty when all is well.
    const std::string& notice() const;

    // Damage that shows up while running makes the calls that meet it throw; then damaged() is true, and repair() does
    // what opening does: the next scan finds the tracks again. Returns the notice. Throws as the constructor does.
    bool damaged() const noexcept;
    std::string repair();

    // Brings the tracks in line with the folders: only files whose size or mtime changed are opened; a renamed or moved
    // file keeps its id; a vanished one is kept, marked, for its id and left out of lists. Symbolic links below a root
    // are not followed. A root that is missing, or empty on another device than before (unmounted), and a folder that
    // cannot be read leave their tracks as they were. `on_track` is told each new, changed or moved track once it is
    // stored, on the calling thread. Stops between files; what was stored stays, nothing is marked vanished.
    ScanResult scan(std::stop_token stop, const std::function<void(const Track&)>& on_track = {});

    // Computes the SHA-256 of one whole file that lacks it, for recognising moved files at a later scan. Returns false
    // when none is left or it was stopped; files that cannot be read are passed over until the next scan.
    bool hash_one(std::stop_token stop);

    std::optional<Track> track(std::int64_t id) const;  // nullopt: unknown or vanished
    // Checks that the file still is what `track` says; rescans that one file when it is not (the answer may then carry
    // an error). nullopt also when the file cannot be found now; what is known when it cannot be looked at.
    std::optional<Track> fresh_track(std::int64_t id);
    // Tracks that have every word of `query` (any case, parts of words too) in title, artist, album or the file's stem,
    // by album artist (else artist), album, disc, number, title, path.
    TrackPage tracks(const std::string& query, std::int64_t start_index, std::int64_t limit) const;
    std::vector<std::int64_t> unmeasured() const;  // ids of decodable tracks without a full profile

    // A full profile, as text, belongs to (content, decoder), so that it survives moves and is measured anew when a
    // decoder changes.
    std::optional<std::string> profile_text(const Track& track) const;
    void store_profile_text(const Track& track, const std::string& profile);
    bool has_profile(const Track& track) const;

    // Recipes by id, as the text they were fingerprinted from; never changed once stored.
    void store_recipe(const std::string& recipe_id, const std::string& json);
    std::optional<std::string> recipe(const std::string& recipe_id) const;
    // `request`: preset, intensity and so on in one canonical string.
    std::optional<ServedRecipe> served_recipe(const std::string& content_id, const std::string& request) const;
    // Moves the time on, if the request is still served with served.recipe_id.
    void note_served(const std::string& content_id, const std::string& request, const ServedRecipe& served);
    void set_served_recipe(const std::string& content_id, const std::string& request, const ServedRecipe& served);

    // Presets made after tracks, as text by name. Names that differ only in the case of ASCII letters are the same
    // name, but for looking one up.
    bool store_preset(const std::string& name, const std::string& json);  // false: the name is taken
    bool remove_preset(const std::string& name);                          // false: there is none
    std::optional<std::string> preset(const std::string& name) const;
    std::vector<std::pair<std::string, std::string>> presets() const;  // names and texts, by name

    // Of every track that can be decoded, each once; vanished ones among them until their content is forgotten, for a
    // disk that is mounted late. nullopt while that is not known: before any scan of this database has seen all
    // folders, but those below the roots that it has no permission to read.
    std::optional<std::vector<Content>> contents() const;
    // Forgets content that no track had for 30 days, counted from the first call that missed it, a day from one call to
    // the next at most: removes its profiles and served notes. Recipes stay, and tracks keep their rows, for their ids.
    // Removes moved-aside damaged databases but the newest two.
    SweptLibrary sweep(std::int64_t now_unix_s);

private:
    struct State;
    std::unique_ptr<State> state_;
};

// Library::profile_text() for programs beside a daemon: opens the database for reading only, changes and repairs
// nothing. nullopt also when there is no such database, or it cannot be read.
std::optional<std::string> profile_text_in(const std::filesystem::path& database, const std::string& content_id,
                                           const std::string& decoder);
// Library::preset() likewise.
std::optional<std::string> preset_in(const std::filesystem::path& database, const std::string& name);

}  // namespace lacquer::library
