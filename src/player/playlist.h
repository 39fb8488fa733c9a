// Playlists as text: M3U, extended M3U (M3U8) and PLS. Pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace lacquer::player {

inline constexpr std::size_t kMaxPlaylistBytes = 16'000'000;
inline constexpr std::size_t kMaxPlaylistEntries = 100'000;

enum class PlaylistKind { m3u, pls };
// By the end of the name of a file, or of a URL's path, letter case aside; nullopt: no playlist.
std::optional<PlaylistKind> playlist_kind(std::string_view name);

// what() is fit for people, and names no file.
class PlaylistError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct PlaylistEntry {
    std::string location;  // as written, never empty, without line ends and NUL: a path or a URL
    std::string title;     // valid UTF-8; empty: none
};

// In the order of the list; a PLS file's is that of its numbers. Lines that are too long for a path are passed over.
// Throws PlaylistError for HLS, whose parts are no tracks, and for more bytes or entries than the bounds.
std::vector<PlaylistEntry> parse_playlist(std::string_view text, PlaylistKind kind);

std::string from_latin1(std::string_view bytes);  // as UTF-8
bool is_utf8(std::string_view bytes);

}  // namespace lacquer::player
