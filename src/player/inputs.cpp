#include "src/player/inputs.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <system_error>
#include <utility>

#include "server/query.h"
#include "src/media/decoder.h"
#include "src/player/natural_order.h"
#include "src/player/playlist.h"

namespace lacquer::player {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxNested = 8;
constexpr std::size_t kMaxPlaylists = 1000;
constexpr int kMaxFolderDepth = 64;
constexpr std::string_view kFileScheme = "file://";

struct FoundFiles {
    std::vector<fs::path> files;
    std::vector<InputProblem> problems;
};

class FolderListing {
public:
    FolderListing(const std::function<bool()>& cancelled, std::size_t most) : cancelled_(cancelled), most_(most) {}

    FoundFiles list(const fs::path& folder) {
        walk(folder, 0);
        sort_naturally(found_.files);
        return std::move(found_);
    }

private:
    void walk(const fs::path& folder, int depth) {
        if (depth > kMaxFolderDepth) return problem(folder, "nested too deeply");
        std::error_code error;
        for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
             entry.increment(error)) {
            if (cancelled_() || found_.files.size() > most_) return;
            std::error_code gone;
            const fs::file_type type = entry->symlink_status(gone).type();
            if (type == fs::file_type::directory) walk(entry->path(), depth + 1);
            if (type == fs::file_type::regular && is_audio(entry->path())) found_.files.push_back(entry->path());
        }
        if (error) problem(folder, error.message());
    }
    void problem(const fs::path& folder, const std::string& reason) {
        found_.problems.push_back({folder.string(), reason});
    }
    // "._name": what macOS leaves beside the real ones on foreign file systems.
    static bool is_audio(const fs::path& file) {
        return media::has_audio_extension(file) && !file.filename().native().starts_with("._");
    }

    const std::function<bool()>& cancelled_;
    const std::size_t most_;
    FoundFiles found_;
};

std::string read_playlist(const fs::path& file) {
    std::error_code error;
    const std::uintmax_t bytes = fs::file_size(file, error);
    if (error) throw PlaylistError(error.message());
    if (bytes > kMaxPlaylistBytes) throw PlaylistError("larger than 16 MB");
    std::ifstream stream(file, std::ios::binary);
    std::string text(static_cast<std::size_t>(bytes), '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!stream.is_open() || stream.bad()) throw PlaylistError("cannot be read");
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return text;
}

bool is_there(const fs::path& path) {
    std::error_code error;
    return fs::exists(path, error);
}

// Where a line of a playlist in `folder` leads to. Lists come from other systems: Latin-1 names, backslashes, escapes.
fs::path located(const fs::path& folder, const std::string& location) {
    std::string utf8 = is_utf8(location) ? location : from_latin1(location);
    std::string slashes = utf8;
    std::replace(slashes.begin(), slashes.end(), '\\', '/');
    const std::string decoded = server::percent_decoded(utf8, false).value_or(utf8);
    for (const std::string& other : {location, utf8, slashes, decoded}) {
        if (is_there(folder / other)) return folder / other;
    }
    return folder / location;
}

class Expansion {
public:
    explicit Expansion(const InputSources& sources) : sources_(sources) {}

    void add_given(const std::string& given) {
        if (looks_like_url(given)) {
            add_address(given, {});
        } else {
            add_path(given, given, {});
        }
    }
    Inputs take() { return std::move(inputs_); }

private:
    void problem(const std::string& name, const std::string& reason) {
        if (inputs_.problems.size() < kMaxInputs) inputs_.problems.push_back({redacted(name), redacted(reason)});
    }
    bool has_room(const std::string& name) {
        if (inputs_.items.size() < kMaxInputs) return true;
        if (!std::exchange(is_full_, true)) {
            problem(name, "only the first " + std::to_string(kMaxInputs) + " tracks are played");
        }
        return false;
    }
    void add(Input input) {
        if (has_room(input.name)) inputs_.items.push_back(std::move(input));
    }

    void add_address(const std::string& address, const std::string& title) {
        if (const auto url = parse_url(address)) return add_url(*url, title);
        if (!address.starts_with(kFileScheme)) return problem(address, "not an address of http or https");
        const auto path = server::percent_decoded(std::string_view(address).substr(kFileScheme.size()), false);
        if (!path || !path->starts_with('/')) return problem(address, "not a file of this machine");
        add_path(*path, *path, title);
    }

    void add_url(const Url& url, const std::string& title) {
        const std::string name = redacted(url.text());
        const auto kind = playlist_kind(url.path());
        if (!kind) return add({name, title, url});
        nested(name, url.text(), [&] {
            const FetchedText list = sources_.fetch(url);
            for (const PlaylistEntry& entry : parse_playlist(list.text, *kind)) {
                if (sources_.cancelled() || !has_room(name)) return;
                const std::string location = is_utf8(entry.location) ? entry.location : from_latin1(entry.location);
                if (const auto target = resolve_url(list.final_url, location)) {
                    add_url(*target, entry.title);
                } else {
                    problem(name + ": " + location, "not an address of http or https");
                }
            }
        });
    }

    void add_path(const std::string& name, const fs::path& path, const std::string& title) {
        std::error_code error;
        const fs::path file = fs::canonical(path, error);
        if (error) return problem(name, error.message());
        const fs::file_status status = fs::status(file, error);
        if (error) return problem(name, error.message());
        if (status.type() == fs::file_type::directory) return add_folder(name, file);
        if (status.type() != fs::file_type::regular) return problem(name, "neither a file nor a folder");
        const auto kind = playlist_kind(file.native());
        if (!kind) return add({name, title, file});
        nested(name, file.native(), [&] { add_entries(fs::path(name).parent_path(), file, *kind); });
    }

    void add_folder(const std::string& name, const fs::path& folder) {
        const FoundFiles found = FolderListing(sources_.cancelled, kMaxInputs - inputs_.items.size()).list(folder);
        const auto shown = [&](const fs::path& path) { return (name / path.lexically_relative(folder)).string(); };
        for (const InputProblem& unread : found.problems) problem(shown(unread.name), unread.reason);
        for (const fs::path& file : found.files) {
            if (!has_room(name)) return;
            add({shown(file), {}, file});
        }
        if (found.files.empty() && found.problems.empty()) problem(name, "no audio files in this folder");
    }

    void add_entries(const fs::path& shown_folder, const fs::path& file, PlaylistKind kind) {
        for (const PlaylistEntry& entry : parse_playlist(read_playlist(file), kind)) {
            if (sources_.cancelled() || !has_room(file.string())) return;
            if (looks_like_url(entry.location)) {
                add_address(entry.location, entry.title);
            } else {
                const std::string& location = entry.location;
                add_path((shown_folder / location).string(), located(file.parent_path(), location), entry.title);
            }
        }
    }

    // `expand` a playlist that is known by `identity`, unless it is one of those around it.
    template <typename Expand>
    void nested(const std::string& name, const std::string& identity, Expand expand) {
        if (around_.contains(identity)) return problem(name, "a playlist that contains itself");
        if (around_.size() >= kMaxNested) return problem(name, "playlists nested too deeply");
        if (++playlists_ > kMaxPlaylists) return problem(name, "too many playlists");
        around_.insert(identity);
        try {
            expand();
        } catch (const std::runtime_error& error) {  // of one playlist, which is told by name
            problem(name, error.what());
        }
        around_.erase(identity);
    }

    const InputSources& sources_;
    Inputs inputs_;
    std::set<std::string> around_;  // the playlists being expanded
    std::size_t playlists_ = 0;
    bool is_full_ = false;
};

}  // namespace

Inputs expand_inputs(std::span<const std::string> given, const InputSources& sources) {
    Expansion expansion(sources);
    for (const std::string& one : given) {
        if (sources.cancelled()) break;
        expansion.add_given(one);
    }
    return expansion.take();
}

}  // namespace lacquer::player
