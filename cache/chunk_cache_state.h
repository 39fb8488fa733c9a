// The inside of ChunkCache and ChunkReader; nobody else includes this.
//
//     open:    [index: find, open file, pin]            -> read and check the header
//     insert:  [index: make room, reserve]   -> write temporary file -> [rename, index: reservation becomes an entry]
//     reader:  read blocks                   -> close file           -> [index: unpin]
//
// What stands in brackets happens under the mutex, chunk bytes move outside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <system_error>
#include <vector>

#include "cache/chunk_cache.h"
#include "cache/chunk_file.h"
#include "cache/chunk_index.h"
#include "cache/directory_layout.h"
#include "cache/file_system.h"
#include "cache/lock_file.h"
#include "thread/mutex.h"

namespace lacquer::cache {

struct ChunkCache::State {
    using Entry = ChunkIndex::Entry;
    using Path = std::filesystem::path;
    enum class Purpose { use, verification };  // verification counts nothing and leaves the order alone

    // Room taken for a file that is about to be written.
    struct Reservation {
        Path temporary_path;
        std::uint64_t allocated_bytes = 0;
        std::int64_t stamp_ns = 0;
    };

    // What an entry's file should be.
    struct Expected {
        ChunkKey key{};
        std::uint64_t file_bytes = 0;
    };

    State(const Path& directory_path, std::uint64_t capacity_bytes, std::unique_ptr<FileSystem> file_system);

    std::unique_ptr<ChunkReader::State> open(const ChunkKey& key, Purpose purpose) EXCLUDES_LOCK(mutex);
    bool insert(const ChunkKey& key, std::span<const std::byte> chunk, Keep keep) EXCLUDES_LOCK(mutex);
    void remove(const ChunkKey& key) EXCLUDES_LOCK(mutex);
    void drop_damaged(Entry entry) EXCLUDES_LOCK(mutex);
    void unpin(Entry entry) EXCLUDES_LOCK(mutex);
    bool at_rest() const EXCLUDES_LOCK(mutex);  // nothing is read or written, and the books balance
    std::vector<ChunkKey> keys() const EXCLUDES_LOCK(mutex);
    std::vector<ChunkUse> uses() const EXCLUDES_LOCK(mutex);
    CacheStats stats() const EXCLUDES_LOCK(mutex);
    // Both return how many files they removed.
    std::uint64_t retry_leftovers() EXCLUDES_LOCK(mutex);
    std::uint64_t tidy_subdirectory(std::size_t first_byte) EXCLUDES_LOCK(mutex);

    const Path directory;
    const std::unique_ptr<FileSystem> files;
    mutable Mutex mutex;
    ChunkIndex index GUARDED_BY(mutex);  // an indexed entry's file is in the directory, unless somebody else took it
    std::function<bool(const ChunkKey&)> protect GUARDED_BY(mutex);

private:
    static Path prepare(const Path& directory_path, FileSystem& file_system);
    Path chunk_path(const ChunkKey& key, Keep keep) const;

    void scan() REQUIRES_LOCK(mutex);
    void scan_subdirectory(std::size_t first_byte, std::vector<IndexEntry>& found) REQUIRES_LOCK(mutex);
    std::unique_ptr<ChunkReader::State> pin(const ChunkKey& key, Purpose purpose) EXCLUDES_LOCK(mutex);

    std::optional<Reservation> reserve(const Newcomer& newcomer) EXCLUDES_LOCK(mutex);
    bool commit(const Reservation& reservation, IndexEntry entry, std::error_code error) EXCLUDES_LOCK(mutex);
    bool make_room(const Newcomer& newcomer) REQUIRES_LOCK(mutex);
    void evict(Entry entry) REQUIRES_LOCK(mutex);
    void discard(Entry entry) REQUIRES_LOCK(mutex);
    bool remove_file(const Path& path) REQUIRES_LOCK(mutex);  // true when it is gone, by whomever
    void remove_or_remember(const Path& path, std::uint64_t allocated_bytes) REQUIRES_LOCK(mutex);
    void remove_partial(const Reservation& reservation) REQUIRES_LOCK(mutex);
    std::vector<FoundFile> list(const Path& subdirectory, std::error_code& error) const;
    std::map<Path, Expected> expected_below(std::size_t first_byte) const EXCLUDES_LOCK(mutex);
    bool remove_unless_known(const ChunkName& name, const Path& path) EXCLUDES_LOCK(mutex);
    std::int64_t next_stamp_ns() REQUIRES_LOCK(mutex);

    const LockFile lock_file_;
    CacheStats counts_ GUARDED_BY(mutex);               // the counters; bytes and entries are the index's
    std::int64_t last_stamp_ns_ GUARDED_BY(mutex) = 0;  // strictly increasing, over restarts too
    std::uint64_t temporary_files_ GUARDED_BY(mutex) = 0;
    std::set<Path> being_written_ GUARDED_BY(mutex);  // from reserve() to commit()
};

struct ChunkReader::State {
    State(ChunkCache::State& owner, ChunkIndex::Entry pinned, std::unique_ptr<OpenFile> opened);
    ~State();
    State(const State&) = delete;  // one pin, one owner
    State& operator=(const State&) = delete;

    bool load_header();
    // Copies bytes of the block at `offset`, as many as it and `out` have; 0: damaged.
    std::size_t copy(std::uint64_t offset, std::span<std::byte> out);
    void let_go();  // of the block that is held for small reads
    bool all_blocks_intact();

    ChunkCache::State& cache;
    const ChunkIndex::Entry entry;  // pinned
    const ChunkKey key;             // of the entry, and what else we may read of it without the lock
    const std::uint64_t payload_bytes;
    std::unique_ptr<OpenFile> file;

private:
    [[nodiscard]] bool read_block(std::size_t number, std::span<std::byte> out);
    // The bytes of a block, verified; empty when damaged. Valid until the next call.
    std::span<const std::byte> block(std::size_t number);

    ChunkHeader header_;
    std::vector<std::byte> buffer_;      // one block, until its end was read
    std::optional<std::size_t> loaded_;  // which one: verified
};

}  // namespace lacquer::cache
