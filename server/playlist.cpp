#include "server/playlist.h"

#include <algorithm>
#include <cmath>

#include "server/query.h"

namespace lacquer::server {

std::string playlist_text(const std::vector<PlaylistEntry>& entries, const std::string& base_url,
                          const std::string& parameters) {
    std::string text = "#EXTM3U\n";
    for (const PlaylistEntry& entry : entries) {
        std::string title = entry.title;
        std::replace_if(
            title.begin(), title.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
        text += "#EXTINF:" + std::to_string(std::llround(entry.duration_seconds)) + "," + title + "\n";
        std::string query = parameters;
        if (!entry.recipe_id.empty()) query += (query.empty() ? "v=" : "&v=") + percent_encoded(entry.recipe_id);
        text += base_url + "/api/player/stream/" + std::to_string(entry.track_id) + ".wav" +
                (query.empty() ? "" : "?" + query) + "\n";
    }
    return text;
}

}  // namespace lacquer::server
