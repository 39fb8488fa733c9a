// A byte-bounded, crash-safe store of opaque chunks on disk, least recently used first out. The format is in FORMAT.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cache/chunk_key.h"

namespace lacquer::cache {

class FileSystem;

struct CacheStats {
    std::uint64_t capacity_bytes = 0;
    // What the chunk files take on disk, in whole 4 KiB pages: unlinked entries that someone still reads and files
    // being written included. Never above capacity_bytes, unless files of an earlier, larger cap cannot be removed.
    std::uint64_t bytes = 0;
    std::uint64_t entries = 0;
    std::uint64_t hits = 0, misses = 0, insertions = 0, evictions = 0;  // a hit may turn out damaged when it is read
    std::uint64_t corrupt = 0;                                          // entries found damaged, removed
    std::uint64_t failed_writes = 0;  // chunks not stored: no room could be made, or the disk refused
};

struct ChunkUse {
    ChunkKey key{};
    std::chrono::nanoseconds idle{};  // since it was last used; by the order of use, so never less than 0
};

// Reads one stored chunk; keeps it readable, even if it is removed meanwhile, until destroyed. An entry being read is
// not evicted. Must be destroyed before its cache. Not thread-safe, movable. Memory: one block of 64 KiB between small
// reads (less than 16 KiB), so that a sequence of them neither reads nor hashes a block twice; none between others.
// Whole blocks go straight to where they are wanted.
class ChunkReader {
public:
    ChunkReader(ChunkReader&&) noexcept;
    ChunkReader& operator=(ChunkReader&&) noexcept;
    ~ChunkReader();

    std::uint64_t size_bytes() const noexcept;
    // Fills `out` with the bytes at [offset, offset + out.size()), which must lie inside the chunk. Each 64 KiB block
    // is verified before any of its bytes is handed out; false when damaged or unreadable: the entry is then dropped
    // and counted.
    [[nodiscard]] bool read(std::uint64_t offset, std::span<std::byte> out);

private:
    friend class ChunkCache;
    struct State;
    explicit ChunkReader(std::unique_ptr<State> state) noexcept;
    std::unique_ptr<State> state_;
};

// Threads: every member may be called from any thread; no lock is held across file reads and writes of chunk bytes (it
//          is held to open, rename and unlink, so that the directory and the index never disagree).
// Errors:  only the constructor throws (and bad_alloc). Damage, a missing file or a full disk is a miss, counted.
class ChunkCache {
public:
    // Opens or creates `directory` and takes its lock file; reads what is there (recency survives restarts).
    // Throws std::runtime_error naming the directory and the reason: not writable, not readable (what cannot be seen
    // cannot be held below the cap), or owned by another daemon (with its pid).
    ChunkCache(const std::filesystem::path& directory, std::uint64_t capacity_bytes);
    ChunkCache(const std::filesystem::path& directory, std::uint64_t capacity_bytes, std::unique_ptr<FileSystem> files);
    ~ChunkCache();

    // The chunk, now the most recently used; nullopt on a miss.
    std::optional<ChunkReader> open(const ChunkKey& key);
    bool contains(const ChunkKey& key) const;  // no I/O, does not count as use
    std::optional<std::uint64_t> size_bytes(const ChunkKey& key) const;
    // Stores a copy, evicting to fit; atomic. False (counted, never thrown) when it could not be stored.
    bool insert(const ChunkKey& key, std::span<const std::byte> chunk, Keep keep = Keep::normal);
    void remove(const ChunkKey& key);
    // Entries for which `protect` is true are not evicted for entries for which it is not. Called under the cache's
    // lock: quick, no calls back, must not throw. Empty: nothing is protected.
    void set_protection(std::function<bool(const ChunkKey&)> protect);
    CacheStats stats() const;
    std::vector<ChunkUse> uses() const;  // of every entry, most recently used first; no I/O

    // Brings the directory and the books in line while running, as opening does: removes files with our names that the
    // cache does not know, temporary ones above all, tries again what could not be removed, and forgets entries whose
    // file somebody took away. Returns the number of files removed. Lists directories without the lock.
    std::uint64_t tidy();
    // Reads and verifies everything; returns the number of damaged entries, which are removed.
    std::uint64_t verify();
    void clear();

private:
    friend class ChunkReader;
    struct State;
    std::unique_ptr<State> state_;
};

// The pid of the daemon that owns `directory` (0 when it is owned but does not say by whom); nullopt when nobody does.
std::optional<int> cache_owner(const std::filesystem::path& directory);

}  // namespace lacquer::cache
