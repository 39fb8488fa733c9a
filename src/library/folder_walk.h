// All audio files below the roots.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>
#include <vector>

#include "src/library/file_identity.h"

namespace lacquer::library {

struct FoundFile {
    std::filesystem::path path;
    FileStamp stamp;
};

// By name only: neither needs to exist.
bool is_below(const std::filesystem::path& file, const std::filesystem::path& folder);

// What was there, and what cannot be told because a folder could not be read.
class FolderWalk {
public:
    // Symbolic links are not followed, neither to files nor to folders. `unmounted` is asked about a root that is there
    // but empty. Stops early, with files missing, when `stop` is requested.
    FolderWalk(const std::vector<std::filesystem::path>& roots, std::stop_token stop,
               const std::function<bool(const std::filesystem::path& root)>& unmounted);

    const std::vector<FoundFile>& files() const { return files_; }  // by path, each once
    const std::vector<std::filesystem::path>& unreadable_folders() const { return unreadable_; }
    // Nothing was missed, but below the roots what there is no permission to read: that is meant so and will not pass.
    bool is_complete() const { return is_complete_; }
    bool has(const std::filesystem::path& file) const;
    bool may_exist(const std::filesystem::path& file) const;  // found, or below a folder that could not be read

private:
    void walk(const std::filesystem::path& root, std::stop_token stop);
    void list(const std::filesystem::path& folder, std::vector<std::filesystem::path>& folders);
    void skip(const std::filesystem::path& folder, const std::string& reason);
    void skip(const std::filesystem::path& folder, const std::error_code& error);

    std::vector<FoundFile> files_;
    std::vector<std::filesystem::path> unreadable_;
    bool is_complete_ = true;
};

}  // namespace lacquer::library
