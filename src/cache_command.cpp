#include <limits>

#include <fmt/format.h>

#include "cache/chunk_cache.h"
#include "src/commands.h"

namespace lacquer {
namespace {

struct Usage {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
};

bool holds_a_chunk(const std::filesystem::path& file) {
    return file.extension() == ".chunk" || file.extension() == ".kept";  // cache/FORMAT.md
}

// Beside a running daemon the directory is only looked at.
Usage look(const std::filesystem::path& directory) {
    Usage usage;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, ignored)) {
        if (!entry.is_regular_file(ignored) || !holds_a_chunk(entry.path())) continue;
        const std::uint64_t bytes = entry.file_size(ignored);
        if (ignored) continue;  // evicted meanwhile
        ++usage.files;
        usage.bytes += bytes;
    }
    return usage;
}

}  // namespace

int manage_cache(const Settings& settings, CacheAction action) {
    const auto owner = cache::cache_owner(settings.cache_dir);
    if (action == CacheAction::stats) {
        const Usage usage = look(settings.cache_dir);
        fmt::print("{}: {} chunks, {:.1f} MB of at most {:.1f} MB{}\n", settings.cache_dir.string(), usage.files,
                   static_cast<double>(usage.bytes) / 1e6, static_cast<double>(settings.cache_size_bytes) / 1e6,
                   owner ? fmt::format(", in use by the daemon with pid {}", *owner) : "");
        return 0;
    }
    if (owner) {
        throw std::runtime_error(
            fmt::format("{} is in use by the daemon with pid {}; stop it first", settings.cache_dir.string(), *owner));
    }
    // An unlimited cap: looking must not evict.
    cache::ChunkCache cache(settings.cache_dir, std::numeric_limits<std::int64_t>::max());
    const std::uint64_t entries = cache.stats().entries;
    if (action == CacheAction::verify) {
        const std::uint64_t damaged = cache.verify();
        fmt::print("{} chunks verified, {} damaged and removed\n", entries, damaged);
        return damaged == 0 ? 0 : 1;
    }
    cache.clear();
    fmt::print("{} chunks removed\n", entries);
    return 0;
}

}  // namespace lacquer
