// What a cache directory holds, seen from outside: beside a running daemon it is only looked at.
#pragma once

#include <cstdint>
#include <filesystem>

namespace lacquer {

struct CacheUsage {
    std::uint64_t chunks = 0;
    std::uint64_t bytes = 0;       // in the files
    std::uint64_t disk_bytes = 0;  // as the cache counts them against its cap, in whole 4 KiB pages
};
CacheUsage cache_usage(const std::filesystem::path& directory);

}  // namespace lacquer
