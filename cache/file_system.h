// All that the cache asks of the operating system, so that tests can break it on purpose. Everything that changes the
// disk is one call here, in the order in which it happens: a test can stop after any of them.
//
// Threads: called from any thread. Errors: returned, never thrown; what is not there is
// std::errc::no_such_file_or_directory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <vector>

namespace lacquer::cache {

using Bytes = std::span<const std::byte>;

// A file open for reading; readable until destroyed, whatever happens to its name.
class OpenFile {
public:
    virtual ~OpenFile() = default;
    virtual std::uint64_t size_bytes() const = 0;  // when it was opened
    // Fills `out` from `offset`; false when the file is too short or cannot be read.
    [[nodiscard]] virtual bool read(std::uint64_t offset, std::span<std::byte> out) = 0;
    virtual void set_modified(std::int64_t time_ns) = 0;  // since the epoch; best effort
};

struct FoundFile {
    std::string name;
    std::uint64_t size_bytes = 0;
    std::int64_t modified_ns = 0;  // since the epoch
};

class FileSystem {
public:
    using Path = std::filesystem::path;

    virtual ~FileSystem() = default;
    // nullptr with `error` set when it cannot be opened or is not a regular file.
    virtual std::unique_ptr<OpenFile> open(const Path& path, std::error_code& error) = 0;
    // The regular files in `directory`, which must be no symbolic link; `error` is set when that is not all of them.
    virtual std::vector<FoundFile> list(const Path& directory, std::error_code& error) = 0;
    // Creates `path`, `head` followed by `body`; it must not exist, missing directories above it are made, the one it
    // is in must be no symbolic link. A failed write may leave part of the file.
    virtual std::error_code write(const Path& path, Bytes head, Bytes body, std::int64_t modified_ns) = 0;
    // Atomic; replaces a file that is at `to`.
    virtual std::error_code rename(const Path& from, const Path& to) = 0;
    virtual std::error_code remove(const Path& path) = 0;
    virtual std::error_code make_directories(const Path& directory) = 0;  // readable by the owner only; parents too
};

std::unique_ptr<FileSystem> real_file_system();

}  // namespace lacquer::cache
