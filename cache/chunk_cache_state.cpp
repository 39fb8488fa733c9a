#include "cache/chunk_cache_state.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

#include "cache/directory_layout.h"

namespace lacquer::cache {

struct FoundChunk {
    IndexEntry entry;
    std::int64_t modified_ns = 0;
};

ChunkCache::State::State(const Path& directory_path, std::uint64_t capacity_bytes,
                         std::unique_ptr<FileSystem> file_system)
    : directory(prepare(directory_path, *file_system)),
      files(std::move(file_system)),
      index(capacity_bytes),
      lock_file_(directory) {
    const MutexLock lock(mutex);
    counts_.capacity_bytes = capacity_bytes;
    scan();
    make_room({});
}

std::filesystem::path ChunkCache::State::prepare(const Path& directory_path, FileSystem& file_system) {
    auto absolute_path = std::filesystem::absolute(directory_path).lexically_normal();
    if (!absolute_path.has_filename()) absolute_path = absolute_path.parent_path();
    if (const auto error = file_system.make_directories(absolute_path))
        throw std::runtime_error("cache directory " + absolute_path.string() + ": cannot be made: " + error.message());
    return absolute_path;
}

std::filesystem::path ChunkCache::State::chunk_path(const ChunkKey& key, Keep keep) const {
    return directory / subdirectory_name(std::to_integer<std::size_t>(key[0])) / chunk_file_name(key, keep);
}

void ChunkCache::State::scan() {
    std::vector<FoundChunk> found;
    for (std::size_t first_byte = 0; first_byte < kSubdirectories; ++first_byte) scan_subdirectory(first_byte, found);
    std::sort(found.begin(), found.end(), [](const FoundChunk& a, const FoundChunk& b) {
        return std::tie(a.modified_ns, a.entry.path) < std::tie(b.modified_ns, b.entry.path);
    });
    for (FoundChunk& chunk : found) {
        // Stopped between storing a chunk and removing its predecessor of the other Keep: the later one counts.
        if (const auto predecessor = index.find(chunk.entry.key)) discard(*predecessor);
        last_stamp_ns_ = chunk.modified_ns;
        index.add(std::move(chunk.entry));
    }
}

void ChunkCache::State::scan_subdirectory(std::size_t first_byte, std::vector<FoundChunk>& found) {
    const Path subdirectory = directory / subdirectory_name(first_byte);
    for (const FoundFile& file : files->list(subdirectory)) {
        const auto name = parse_file_name(first_byte, file.name);
        if (!name) continue;
        const auto payload_bytes = payload_bytes_in(file.size_bytes);
        if (!name->is_temporary && payload_bytes) {
            found.push_back({{name->key, name->keep, *payload_bytes, cache::allocated_bytes(file.size_bytes),
                              subdirectory / file.name},
                             file.modified_ns});
            continue;
        }
        if (!name->is_temporary) ++counts_.corrupt;
        remove_or_remember(subdirectory / file.name, cache::allocated_bytes(file.size_bytes));
    }
}

std::unique_ptr<ChunkReader::State> ChunkCache::State::open(const ChunkKey& key, Purpose purpose) {
    auto reader = pin(key, purpose);
    if (reader && !reader->load_header()) {
        drop_damaged(reader->entry);
        reader.reset();
    }
    if (purpose == Purpose::use) {
        const MutexLock lock(mutex);
        ++(reader ? counts_.hits : counts_.misses);
    }
    return reader;
}

std::unique_ptr<ChunkReader::State> ChunkCache::State::pin(const ChunkKey& key, Purpose purpose) {
    const MutexLock lock(mutex);
    const auto entry = index.find(key);
    if (!entry) return nullptr;
    std::error_code error;
    auto file = files->open((*entry)->path, error);
    if (!file) {
        const bool is_gone = error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
        const bool is_no_file =
            error == std::errc::invalid_argument || error == std::errc::too_many_symbolic_link_levels;
        if (is_no_file) ++counts_.corrupt;
        // Anything else (no permission, too many open files) may pass: the entry stays.
        if (is_gone || is_no_file) discard(*entry);
        return nullptr;
    }
    if (purpose == Purpose::use) {
        index.use(*entry);
        file->set_modified(next_stamp_ns());
    }
    index.pin(*entry);
    return std::make_unique<ChunkReader::State>(*this, *entry, std::move(file));
}

bool ChunkCache::State::insert(const ChunkKey& key, std::span<const std::byte> chunk, Keep keep) {
    const auto header = make_header(key, chunk);
    const auto allocated = cache::allocated_bytes(header.size() + chunk.size());
    const auto reservation = reserve({key, keep, allocated});
    if (!reservation) return false;
    const auto error = files->write(reservation->temporary_path, header, chunk, reservation->stamp_ns);
    return commit(*reservation, {key, keep, chunk.size(), allocated, chunk_path(key, keep)}, error);
}

std::optional<ChunkCache::State::Reservation> ChunkCache::State::reserve(const Newcomer& newcomer) {
    const MutexLock lock(mutex);
    if (!make_room(newcomer)) {
        ++counts_.failed_writes;
        return std::nullopt;
    }
    index.reserve(newcomer.allocated_bytes);
    const auto temporary_path =
        chunk_path(newcomer.key, newcomer.keep).replace_filename(temporary_file_name(newcomer.key, ++temporary_files_));
    return Reservation{temporary_path, newcomer.allocated_bytes, next_stamp_ns()};
}

bool ChunkCache::State::commit(const Reservation& reservation, IndexEntry entry, std::error_code error) {
    const MutexLock lock(mutex);
    if (!error) error = files->rename(reservation.temporary_path, entry.path);
    index.release(reservation.allocated_bytes);
    if (error) {
        remove_or_remember(reservation.temporary_path, reservation.allocated_bytes);
        ++counts_.failed_writes;
        return false;
    }
    if (const auto predecessor = index.find(entry.key)) {
        const bool is_replaced = (*predecessor)->path == entry.path;
        index.retire(*predecessor, !is_replaced && !remove_file((*predecessor)->path));
    }
    index.forget_leftover(entry.path);
    index.add(std::move(entry));
    ++counts_.insertions;
    return true;
}

bool ChunkCache::State::make_room(const Newcomer& newcomer) {
    if (index.has_room_for(newcomer.allocated_bytes)) return true;
    index.retry_leftovers([this](const Path& path) REQUIRES_LOCK(mutex) { return remove_file(path); });
    // More than one attempt only when files refuse to be removed: others are taken then.
    for (int attempt = 0; attempt < 8 && !index.has_room_for(newcomer.allocated_bytes); ++attempt) {
        const auto victims = index.victims_for(newcomer, protect);
        if (!victims) return false;
        for (const Entry victim : *victims) evict(victim);
    }
    return index.has_room_for(newcomer.allocated_bytes);
}

void ChunkCache::State::evict(Entry entry) {
    entry->unremovable = !remove_file(entry->path);
    if (entry->unremovable) return;  // still counted and still served
    index.retire(entry, false);
    ++counts_.evictions;
}

void ChunkCache::State::discard(Entry entry) {
    const bool on_disk = !remove_file(entry->path);
    index.retire(entry, on_disk);
}

void ChunkCache::State::remove(const ChunkKey& key) {
    const MutexLock lock(mutex);
    if (const auto entry = index.find(key)) discard(*entry);
}

void ChunkCache::State::drop_damaged(Entry entry) {
    const MutexLock lock(mutex);
    if (!entry->indexed) return;  // counted before, or no longer ours
    ++counts_.corrupt;
    discard(entry);
}

void ChunkCache::State::unpin(Entry entry) {
    const MutexLock lock(mutex);
    index.unpin(entry);
}

bool ChunkCache::State::at_rest() const {
    const MutexLock lock(mutex);
    return !index.in_use() && index.invariants_hold();
}

std::vector<ChunkKey> ChunkCache::State::keys() const {
    const MutexLock lock(mutex);
    return index.keys();
}

CacheStats ChunkCache::State::stats() const {
    const MutexLock lock(mutex);
    CacheStats stats = counts_;
    stats.bytes = index.bytes();
    stats.entries = index.entries();
    return stats;
}

bool ChunkCache::State::remove_file(const Path& path) {
    const auto error = files->remove(path);
    return !error || error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
}

void ChunkCache::State::remove_or_remember(const Path& path, std::uint64_t allocated_bytes) {
    if (!remove_file(path)) index.add_leftover(path, allocated_bytes);
}

std::int64_t ChunkCache::State::next_stamp_ns() {
    using std::chrono::duration_cast, std::chrono::nanoseconds, std::chrono::system_clock;
    const auto now_ns = duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
    return last_stamp_ns_ = std::max<std::int64_t>(last_stamp_ns_ + 1, now_ns);
}

}  // namespace lacquer::cache
