// The claim of one process on a cache directory: an flock on the file `lock` in it, with the owner's pid inside. The
// kernel drops the claim when the process ends, however it ends; the file stays.
#pragma once

#include <filesystem>

#include "cache/file_descriptor.h"

namespace lacquer::cache {

class LockFile {
public:
    // Throws std::runtime_error naming the directory and the reason: not writable, or owned (by which pid).
    explicit LockFile(const std::filesystem::path& directory);
    ~LockFile();
    LockFile(const LockFile&) = delete;  // one claim, one owner
    LockFile& operator=(const LockFile&) = delete;

private:
    FileDescriptor file_;
};

}  // namespace lacquer::cache
