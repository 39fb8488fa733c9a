#include "cache/chunk_cache_state.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

#include "cache/directory_layout.h"

namespace lacquer::cache {
namespace {

std::int64_t now_ns() {
    using std::chrono::duration_cast, std::chrono::nanoseconds, std::chrono::system_clock;
    return duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

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
        index.use(*entry, next_stamp_ns());
        file->set_modified((*entry)->last_used_ns);
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
    return commit(*reservation, {key, keep, chunk.size(), allocated, chunk_path(key, keep), reservation->stamp_ns},
                  error);
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
    being_written_.insert(temporary_path);
    return Reservation{temporary_path, newcomer.allocated_bytes, next_stamp_ns()};
}

bool ChunkCache::State::commit(const Reservation& reservation, IndexEntry entry, std::error_code error) {
    const MutexLock lock(mutex);
    if (!error) error = files->rename(reservation.temporary_path, entry.path);
    index.release(reservation.allocated_bytes);
    being_written_.erase(reservation.temporary_path);
    if (error) {
        remove_partial(reservation);
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
    // A directory under that name is none of ours.
    return !error || error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory ||
           error == std::errc::is_a_directory;
}

void ChunkCache::State::remove_or_remember(const Path& path, std::uint64_t allocated_bytes) {
    if (!remove_file(path)) index.add_leftover(path, allocated_bytes);
}

// A disk that lets nothing be removed says so even where a failed write has left nothing.
void ChunkCache::State::remove_partial(const Reservation& reservation) {
    if (remove_file(reservation.temporary_path)) return;
    std::error_code error;
    const auto file = files->open(reservation.temporary_path, error);
    if (!file && error == std::errc::no_such_file_or_directory) return;
    const auto left_bytes = file ? cache::allocated_bytes(file->size_bytes()) : reservation.allocated_bytes;
    index.add_leftover(reservation.temporary_path, left_bytes);
}

std::int64_t ChunkCache::State::next_stamp_ns() {
    return last_stamp_ns_ = std::max<std::int64_t>(last_stamp_ns_ + 1, now_ns());
}

std::vector<ChunkUse> ChunkCache::State::uses() const {
    const MutexLock lock(mutex);
    const std::int64_t now = std::max(last_stamp_ns_, now_ns());
    std::vector<ChunkUse> uses;
    uses.reserve(index.entries());
    for (const IndexEntry& entry : index.order())
        uses.push_back({entry.key, std::chrono::nanoseconds(now - entry.last_used_ns)});
    return uses;
}

}  // namespace lacquer::cache
