#include "cache/chunk_cache.h"

#include <cassert>
#include <utility>

#include "cache/chunk_cache_state.h"
#include "cache/directory_layout.h"

namespace lacquer::cache {

ChunkCache::ChunkCache(const std::filesystem::path& directory, std::uint64_t capacity_bytes)
    : ChunkCache(directory, capacity_bytes, real_file_system()) {}

ChunkCache::ChunkCache(const std::filesystem::path& directory, std::uint64_t capacity_bytes,
                       std::unique_ptr<FileSystem> files)
    : state_(std::make_unique<State>(directory, capacity_bytes, std::move(files))) {}

ChunkCache::~ChunkCache() {
    assert(state_->at_rest());
}

std::optional<ChunkReader> ChunkCache::open(const ChunkKey& key) {
    auto reader = state_->open(key, State::Purpose::use);
    if (!reader) return std::nullopt;
    return ChunkReader(std::move(reader));
}

bool ChunkCache::contains(const ChunkKey& key) const {
    const MutexLock lock(state_->mutex);
    return state_->index.find(key).has_value();
}

std::optional<std::uint64_t> ChunkCache::size_bytes(const ChunkKey& key) const {
    const MutexLock lock(state_->mutex);
    const auto entry = state_->index.find(key);
    if (!entry) return std::nullopt;
    return (*entry)->payload_bytes;
}

bool ChunkCache::insert(const ChunkKey& key, std::span<const std::byte> chunk, Keep keep) {
    return state_->insert(key, chunk, keep);
}

void ChunkCache::remove(const ChunkKey& key) {
    state_->remove(key);
}

void ChunkCache::set_protection(std::function<bool(const ChunkKey&)> protect) {
    const MutexLock lock(state_->mutex);
    state_->protect = std::move(protect);
}

CacheStats ChunkCache::stats() const {
    return state_->stats();
}

std::vector<ChunkUse> ChunkCache::uses() const {
    return state_->uses();
}

std::uint64_t ChunkCache::tidy() {
    std::uint64_t removed = state_->retry_leftovers();
    for (std::size_t first_byte = 0; first_byte < kSubdirectories; ++first_byte)
        removed += state_->tidy_subdirectory(first_byte);
    return removed;
}

std::uint64_t ChunkCache::verify() {
    const std::uint64_t corrupt_before = stats().corrupt;
    for (const ChunkKey& key : state_->keys()) {
        const auto reader = state_->open(key, State::Purpose::verification);
        if (reader && !reader->all_blocks_intact()) state_->drop_damaged(reader->entry);
    }
    return stats().corrupt - corrupt_before;
}

void ChunkCache::clear() {
    for (const ChunkKey& key : state_->keys()) state_->remove(key);
}

}  // namespace lacquer::cache
