#include "src/player/playlist.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <utility>

#include "server/query.h"
#include "src/library/text.h"

namespace lacquer::player {
namespace {

constexpr std::size_t kMaxLineBytes = 8192;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string lower(std::string_view text) {
    std::string low(text);
    for (char& c : low) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return low;
}

std::string_view trimmed(std::string_view line) {
    const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
    while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
    while (!line.empty() && is_space(line.back())) line.remove_suffix(1);
    return line;
}

// Ended by LF, CR LF or CR.
template <typename Take>
void for_each_line(std::string_view text, Take take) {
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.empty() && line.size() <= kMaxLineBytes && line.find('\0') == std::string_view::npos) take(line);
    }
}

std::string title_text(std::string_view bytes) {
    return library::clean_text(is_utf8(bytes) ? std::string(bytes) : from_latin1(bytes));
}

void check_room(std::size_t entries) {
    if (entries >= kMaxPlaylistEntries) {
        throw PlaylistError("more than " + std::to_string(kMaxPlaylistEntries) + " entries");
    }
}

// Of "#EXTINF:123 logo="a,b",Artist - Title".
std::string extinf_title(std::string_view line) {
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '"') quoted = !quoted;
        if (line[i] == ',' && !quoted) return title_text(line.substr(i + 1));
    }
    return {};
}

std::vector<PlaylistEntry> parse_m3u(std::string_view text) {
    std::vector<PlaylistEntry> entries;
    std::string title;
    for_each_line(text, [&](std::string_view line) {
        if (line.starts_with("#EXT-X-TARGETDURATION") || line.starts_with("#EXT-X-STREAM-INF")) {
            throw PlaylistError("an HLS stream, not a list of tracks");
        }
        if (line.starts_with("#EXTINF:")) title = extinf_title(line);
        if (line.front() == '#') return;
        check_room(entries.size());
        entries.push_back({std::string(line), std::exchange(title, {})});
    });
    return entries;
}

// "File12" -> 12 for the word "file".
std::optional<std::int64_t> number_after(std::string_view word, const std::string& key) {
    if (!key.starts_with(word)) return std::nullopt;
    return server::parse_integer(std::string_view(key).substr(word.size()));
}

std::vector<PlaylistEntry> parse_pls(std::string_view text) {
    std::map<std::int64_t, PlaylistEntry> numbered;
    for_each_line(text, [&](std::string_view line) {
        const std::size_t sign = line.find('=');
        if (sign == std::string_view::npos) return;
        const std::string key = lower(trimmed(line.substr(0, sign)));
        const std::string_view value = trimmed(line.substr(sign + 1));
        const auto file = number_after("file", key);
        const auto title = number_after("title", key);
        if (!file && !title) return;
        if (!numbered.contains(file ? *file : *title)) check_room(numbered.size());
        if (file) numbered[*file].location = value;
        if (title) numbered[*title].title = title_text(value);
    });
    std::vector<PlaylistEntry> entries;
    for (auto& [number, entry] : numbered) {
        if (!entry.location.empty()) entries.push_back(std::move(entry));
    }
    return entries;
}

}  // namespace

std::optional<PlaylistKind> playlist_kind(std::string_view name) {
    const std::string low = lower(name.substr(name.size() - std::min<std::size_t>(name.size(), 5)));
    if (low.ends_with(".m3u") || low.ends_with(".m3u8")) return PlaylistKind::m3u;
    if (low.ends_with(".pls")) return PlaylistKind::pls;
    return std::nullopt;
}

std::vector<PlaylistEntry> parse_playlist(std::string_view text, PlaylistKind kind) {
    if (text.size() > kMaxPlaylistBytes) throw PlaylistError("larger than 16 MB");
    return kind == PlaylistKind::m3u ? parse_m3u(text) : parse_pls(text);
}

std::string from_latin1(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80) text += static_cast<char>(0xC0 | byte >> 6);
        text += static_cast<char>(byte < 0x80 ? byte : 0x80 | (byte & 0x3F));
    }
    return text;
}

bool is_utf8(std::string_view bytes) {
    const std::string folded = library::folded(bytes);  // what is no UTF-8 becomes U+FFFD
    const auto marks = [](std::string_view text) {
        std::size_t count = 0;
        for (std::size_t at = 0; (at = text.find("\xef\xbf\xbd", at)) != std::string_view::npos; at += 3) ++count;
        return count;
    };
    return marks(folded) == marks(bytes);
}

}  // namespace lacquer::player
