#include "src/library/folder_walk.h"

#include <algorithm>
#include <string>
#include <system_error>

#include <spdlog/spdlog.h>

#include "src/library/text.h"
#include "src/media/decoder.h"

namespace lacquer::library {
namespace fs = std::filesystem;
namespace {

// Files that macOS leaves beside the real ones on foreign file systems.
bool is_apple_double(const fs::path& file) {
    return file.filename().native().starts_with("._");
}

bool by_path(const FoundFile& a, const FoundFile& b) {
    return a.path.native() < b.path.native();
}

}  // namespace

bool is_below(const fs::path& file, const fs::path& folder) {
    const std::string& parent = folder.native();
    return file.native().starts_with(parent) &&
           (parent.ends_with('/') || file.native().substr(parent.size()).starts_with('/'));
}

FolderWalk::FolderWalk(const std::vector<fs::path>& roots, std::stop_token stop,
                       const std::function<bool(const fs::path&)>& unmounted) {
    for (const fs::path& root : roots) {
        std::error_code error;
        const bool empty = fs::is_empty(root, error);
        if (!fs::is_directory(root, error)) {
            skip(root, "no folder there");
        } else if (empty && unmounted(root)) {
            skip(root, "unmounted");
        } else {
            walk(root, stop);
        }
        if (std::find(unreadable_.begin(), unreadable_.end(), root) != unreadable_.end()) is_complete_ = false;
    }
    std::sort(files_.begin(), files_.end(), by_path);
    const auto same = [](const FoundFile& a, const FoundFile& b) { return a.path.native() == b.path.native(); };
    files_.erase(std::unique(files_.begin(), files_.end(), same), files_.end());
    files_.shrink_to_fit();
}

bool FolderWalk::has(const fs::path& file) const {
    return std::binary_search(files_.begin(), files_.end(), FoundFile{file, {}}, by_path);
}

bool FolderWalk::may_exist(const fs::path& file) const {
    return has(file) || std::any_of(unreadable_.begin(), unreadable_.end(),
                                    [&](const fs::path& folder) { return is_below(file, folder); });
}

void FolderWalk::walk(const fs::path& root, std::stop_token stop) {
    std::vector<fs::path> folders{root};
    while (!folders.empty() && !stop.stop_requested()) {
        const fs::path folder = std::move(folders.back());
        folders.pop_back();
        list(folder, folders);
    }
}

void FolderWalk::list(const fs::path& folder, std::vector<fs::path>& folders) {
    std::error_code error;
    fs::directory_iterator entry(folder, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        std::error_code gone;
        const fs::file_type type = entry->symlink_status(gone).type();
        if (type == fs::file_type::directory) {
            folders.push_back(entry->path());
        } else if (type == fs::file_type::regular && media::has_audio_extension(entry->path()) &&
                   !is_apple_double(entry->path())) {
            std::error_code unknown;
            if (const auto stamp = stamp_of(entry->path(), &unknown)) files_.push_back({entry->path(), *stamp});
            if (unknown) skip(folder, unknown);
        }
    }
    if (error) skip(folder, error);
}

void FolderWalk::skip(const fs::path& folder, const std::string& reason) {
    spdlog::warn("skipped {}: {}", clean_text(folder.native()), reason);
    unreadable_.push_back(folder);
}

void FolderWalk::skip(const fs::path& folder, const std::error_code& error) {
    if (error != std::errc::permission_denied && error != std::errc::operation_not_permitted) is_complete_ = false;
    skip(folder, error.message());
}

}  // namespace lacquer::library
