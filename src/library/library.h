// The music folder as a list of tracks with ids that last: SQLite in WAL mode behind it.
//
// Threads: every member may be called from any thread. Memory: SQLite's page cache, bounded at 2 MiB.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "dsp/profile.h"
#include "src/media/decoder.h"

namespace lacquer::library {

// XXH3-128 (32 hex digits) over size, mtime (ns), the first and last 64 KiB and 62 evenly spaced 16 KiB blocks.
std::string content_id(const std::filesystem::path& file);  // throws std::filesystem::filesystem_error

struct Track {
    std::int64_t id = 0;
    std::filesystem::path path;
    std::string origin = "library";
    std::string content_id;
    std::string title, artist, album, album_artist, genre;  // UTF-8; title falls back to the file's stem
    int track_number = 0, disc_number = 0, year = 0;        // 0: unknown
    media::MediaInfo media;
    std::string error;  // why it cannot be decoded; empty when it can

    double duration_seconds() const {
        return media.sample_rate_hz == 0 ? 0.0 : static_cast<double>(media.frame_count) / media.sample_rate_hz;
    }
};

struct TrackPage {
    std::vector<Track> items;
    std::int64_t total = 0;
};

struct ScanResult {
    std::int64_t added = 0, changed = 0, moved = 0, removed = 0, unchanged = 0, undecodable = 0;
};

// The recipe that (track, preset, intensity, loudness) is served with, and since when nobody listened to it.
struct ServedRecipe {
    std::string recipe_id;
    std::int64_t last_served_unix_s = 0;
};

class Library {
public:
    // Opens or creates the database. Throws std::runtime_error naming the file and the reason.
    Library(const std::filesystem::path& database, std::vector<std::filesystem::path> roots);
    ~Library();

    // Brings the tracks in line with the folders: only files whose size or mtime changed are opened; a renamed or moved
    // file keeps its id; a vanished one is kept, marked, for its id and left out of lists. `on_track` is told each
    // track as it becomes known.
    ScanResult scan(std::stop_token stop, const std::function<void(const Track&)>& on_track = {});

    std::optional<Track> track(std::int64_t id) const;  // nullopt: unknown or vanished
    // Checks that the file still is what `track` says; rescans that one file when it is not.
    std::optional<Track> fresh_track(std::int64_t id);
    TrackPage tracks(const std::string& query, std::int64_t start_index,
                     std::int64_t limit) const;    // by album artist, album, disc, number, title, path
    std::vector<std::int64_t> unmeasured() const;  // ids of decodable tracks without a full profile

    // A full profile belongs to (content, decoder), so that it survives moves and is measured anew when a decoder
    // changes.
    std::optional<dsp::Profile> profile(const Track& track) const;
    void store_profile(const Track& track, const dsp::Profile& profile);
    bool has_profile(const Track& track) const;

    // Recipes by id, as the text they were fingerprinted from; never changed once stored.
    void store_recipe(const std::string& recipe_id, const std::string& json);
    std::optional<std::string> recipe(const std::string& recipe_id) const;
    // `request`: preset, intensity and so on in one canonical string.
    std::optional<ServedRecipe> served_recipe(const std::string& content_id, const std::string& request) const;
    void set_served_recipe(const std::string& content_id, const std::string& request, const ServedRecipe& served);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace lacquer::library
