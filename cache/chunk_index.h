// Which chunks are on disk, in what order they would go, and how many bytes that takes: the bookkeeping of the cache,
// without any I/O.
//
// Invariants: bytes() = the sum over every file that still takes room on the disk (indexed, or retired but still read
//             or not yet removed) + what is reserved for files being written. Every indexed key occurs once.
// Threads:    not thread-safe; the cache guards it with its mutex.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <vector>

#include "cache/chunk_key.h"

namespace lacquer::cache {

// What a file takes on the disk: its size in whole 4 KiB pages.
std::uint64_t allocated_bytes(std::uint64_t file_bytes) noexcept;

struct IndexEntry {
    ChunkKey key;
    Keep keep = Keep::normal;
    std::uint64_t payload_bytes = 0;
    std::uint64_t allocated_bytes = 0;
    std::filesystem::path path;
    std::int64_t last_used_ns = 0;
    unsigned readers = 0;
    bool indexed = false;      // can be found; else retired
    bool on_disk = true;       // `path` is still its name
    bool unremovable = false;  // the last attempt to remove it failed; tried again after all others
};

// Who asks for room.
struct Newcomer {
    ChunkKey key{};
    Keep keep = Keep::normal;
    std::uint64_t allocated_bytes = 0;
};

class ChunkIndex {
public:
    using Entry = std::list<IndexEntry>::iterator;  // stays valid until retired and free of readers
    using Predicate = std::function<bool(const ChunkKey&)>;

    explicit ChunkIndex(std::uint64_t capacity_bytes) noexcept : capacity_bytes_(capacity_bytes) {}

    std::optional<Entry> find(const ChunkKey& key) const;
    std::vector<ChunkKey> keys() const;
    std::vector<Entry> entries_below(std::byte first_byte) const;  // those whose key begins with it
    std::size_t entries() const noexcept { return by_key_.size(); }
    std::uint64_t bytes() const noexcept { return bytes_; }
    bool has_room_for(std::uint64_t allocated_bytes) const noexcept;
    // The entries to remove so that the newcomer fits, in that order; nullopt when no choice makes it fit. Its own
    // predecessor goes first, then the least recently used; entries in use never, as that frees nothing.
    std::optional<std::vector<Entry>> victims_for(const Newcomer& newcomer, const Predicate& is_protected);

    void reserve(std::uint64_t allocated_bytes) noexcept { bytes_ += allocated_bytes; }
    void release(std::uint64_t allocated_bytes) noexcept { bytes_ -= allocated_bytes; }
    void add(IndexEntry entry);                  // as the most recently used; its key must not be there
    void use(Entry entry, std::int64_t now_ns);  // is the most recently used now
    void pin(Entry entry) { ++entry->readers; }
    void unpin(Entry entry);
    // Out of the index; its bytes count while it is read or `on_disk` is true.
    void retire(Entry entry, bool on_disk);

    // Files that should have been removed and could not be.
    void add_leftover(std::filesystem::path path, std::uint64_t allocated_bytes);
    void forget_leftover(const std::filesystem::path& path);  // something else has replaced it
    bool is_leftover(const std::filesystem::path& path) const;
    void retry_leftovers(const std::function<bool(const std::filesystem::path&)>& remove);

    const std::list<IndexEntry>& order() const { return order_; }  // most recently used first

    bool in_use() const;           // by any reader
    bool invariants_hold() const;  // while nothing is reserved; for assertions

private:
    std::optional<std::size_t> rank_of(const IndexEntry& entry, bool is_privileged, bool newcomer_is_protected,
                                       const Predicate& is_protected) const;
    void free_if_gone(Entry entry);
    std::uint64_t longer_quota_bytes() const noexcept { return capacity_bytes_ / 4; }

    const std::uint64_t capacity_bytes_;
    std::uint64_t bytes_ = 0;
    std::uint64_t longer_bytes_ = 0;    // of the indexed entries with Keep::longer
    std::list<IndexEntry> order_;       // indexed; front = most recently used
    std::map<ChunkKey, Entry> by_key_;  // same entries as order_
    std::list<IndexEntry> retired_;     // not indexed, but still read or still on disk
};

}  // namespace lacquer::cache
