#include <limits>

#include <fmt/format.h>

#include "cache/chunk_cache.h"
#include "src/cache_usage.h"
#include "src/commands.h"

namespace lacquer {
int manage_cache(const Settings& settings, CacheAction action) {
    const auto owner = cache::cache_owner(settings.cache_dir);
    if (action == CacheAction::stats) {
        const CacheUsage usage = cache_usage(settings.cache_dir);
        fmt::print("{}: {} chunks, {:.1f} MB of at most {:.1f} MB{}\n", settings.cache_dir.string(), usage.chunks,
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
