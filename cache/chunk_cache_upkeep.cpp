// What makes the directory and the books agree, at start and while running.
#include <algorithm>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

#include "cache/chunk_cache_state.h"
#include "cache/directory_layout.h"

namespace lacquer::cache {

void ChunkCache::State::scan() {
    std::vector<IndexEntry> found;
    for (std::size_t first_byte = 0; first_byte < kSubdirectories; ++first_byte) scan_subdirectory(first_byte, found);
    std::sort(found.begin(), found.end(), [](const IndexEntry& a, const IndexEntry& b) {
        return std::tie(a.last_used_ns, a.path) < std::tie(b.last_used_ns, b.path);
    });
    for (IndexEntry& entry : found) {
        // Stopped between storing a chunk and removing its predecessor of the other Keep: the later one counts.
        if (const auto predecessor = index.find(entry.key)) discard(*predecessor);
        last_stamp_ns_ = entry.last_used_ns;
        index.add(std::move(entry));
    }
}

void ChunkCache::State::scan_subdirectory(std::size_t first_byte, std::vector<IndexEntry>& found) {
    const Path subdirectory = directory / subdirectory_name(first_byte);
    std::error_code error;
    for (const FoundFile& file : list(subdirectory, error)) {
        const auto name = parse_file_name(first_byte, file.name);
        if (!name) continue;
        const auto payload_bytes = payload_bytes_in(file.size_bytes);
        if (!name->is_temporary && payload_bytes) {
            found.push_back({name->key, name->keep, *payload_bytes, cache::allocated_bytes(file.size_bytes),
                             subdirectory / file.name, file.modified_ns});
            continue;
        }
        if (!name->is_temporary) ++counts_.corrupt;
        remove_or_remember(subdirectory / file.name, cache::allocated_bytes(file.size_bytes));
    }
    if (error)
        throw std::runtime_error("cache directory " + subdirectory.string() + ": cannot be read: " + error.message());
}

std::vector<FoundFile> ChunkCache::State::list(const Path& subdirectory, std::error_code& error) const {
    auto found = files->list(subdirectory, error);
    const bool is_foreign = error == std::errc::not_a_directory || error == std::errc::too_many_symbolic_link_levels;
    if (is_foreign || error == std::errc::no_such_file_or_directory) error.clear();
    return found;
}

std::uint64_t ChunkCache::State::retry_leftovers() {
    const MutexLock lock(mutex);
    std::uint64_t removed = 0;
    index.retry_leftovers([&](const Path& path) REQUIRES_LOCK(mutex) {
        const bool is_gone = remove_file(path);
        removed += is_gone ? 1 : 0;
        return is_gone;
    });
    return removed;
}

std::map<ChunkCache::State::Path, ChunkCache::State::Expected> ChunkCache::State::expected_below(
    std::size_t first_byte) const {
    const MutexLock lock(mutex);
    std::map<Path, Expected> expected;
    for (const Entry entry : index.entries_below(static_cast<std::byte>(first_byte)))
        expected.emplace(entry->path, Expected{entry->key, file_bytes(entry->payload_bytes)});
    return expected;
}

std::uint64_t ChunkCache::State::tidy_subdirectory(std::size_t first_byte) {
    const Path subdirectory = directory / subdirectory_name(first_byte);
    auto expected = expected_below(first_byte);
    std::uint64_t removed = 0;
    std::error_code error;
    for (const FoundFile& file : list(subdirectory, error)) {
        const Path path = subdirectory / file.name;
        if (const auto entry = expected.find(path); entry != expected.end()) {
            if (entry->second.file_bytes == file.size_bytes) expected.erase(entry);
        } else if (const auto name = parse_file_name(first_byte, file.name)) {
            removed += remove_unless_known(*name, path) ? 1 : 0;
        }
    }
    if (error) return removed;
    // Gone, of another size, or replaced just now: opening tells, and does what is to be done.
    for (const auto& [path, entry] : expected) open(entry.key, Purpose::verification);
    return removed;
}

// Names change only under the lock, so what is unknown here was not written by us since it was listed.
bool ChunkCache::State::remove_unless_known(const ChunkName& name, const Path& path) {
    const MutexLock lock(mutex);
    const auto entry = index.find(name.key);
    if (entry && (*entry)->path == path) return false;
    if (being_written_.contains(path) || index.is_leftover(path)) return false;
    return !files->remove(path);
}

}  // namespace lacquer::cache
