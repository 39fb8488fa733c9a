#include "src/cache_usage.h"

namespace lacquer {
namespace {

constexpr std::uint64_t kPageBytes = 4096;

bool holds_a_chunk(const std::filesystem::path& file) {
    return file.extension() == ".chunk" || file.extension() == ".kept";  // cache/FORMAT.md
}

}  // namespace

CacheUsage cache_usage(const std::filesystem::path& directory) {
    CacheUsage usage;
    std::error_code gone;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, gone)) {
        if (!entry.is_regular_file(gone) || !holds_a_chunk(entry.path())) continue;
        const std::uint64_t bytes = entry.file_size(gone);
        if (gone) continue;  // evicted meanwhile
        ++usage.chunks;
        usage.bytes += bytes;
        usage.disk_bytes += (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
    }
    return usage;
}

}  // namespace lacquer
