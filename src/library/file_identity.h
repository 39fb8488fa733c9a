// What tells one file from another: stat for "unchanged since", SHA-256 for "the same bytes". content_id() is in
// library.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <system_error>

namespace lacquer::library {

struct FileStamp {
    std::int64_t size_bytes = 0;
    std::int64_t mtime_ns = 0;  // since 1970
    bool operator==(const FileStamp&) const = default;
};

// nullopt unless `file` is there and is a regular file itself, reached through no symbolic link. `error`: set when that
// could not be found out, which says nothing about the file.
std::optional<FileStamp> stamp_of(const std::filesystem::path& file, std::error_code* error = nullptr);

// 64 hex digits; nullopt when the file cannot be read to its end or `stop` was requested. Memory: 256 KiB.
std::optional<std::string> sha256_of(const std::filesystem::path& file, std::stop_token stop);

}  // namespace lacquer::library
