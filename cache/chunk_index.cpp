#include "cache/chunk_index.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <iterator>
#include <numeric>
#include <utility>

namespace lacquer::cache {
namespace {

// The order in which victims are taken, after the newcomer's predecessor.
enum Rank : std::size_t { kNormal, kLonger, kProtectedNormal, kProtectedLonger, kUnremovable, kRanks };

}  // namespace

std::uint64_t allocated_bytes(std::uint64_t file_bytes) noexcept {
    constexpr std::uint64_t kPageBytes = 4096;
    return (file_bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
}

std::optional<ChunkIndex::Entry> ChunkIndex::find(const ChunkKey& key) const {
    const auto found = by_key_.find(key);
    return found == by_key_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<ChunkKey> ChunkIndex::keys() const {
    std::vector<ChunkKey> keys;
    keys.reserve(by_key_.size());
    for (const auto& [key, entry] : by_key_) keys.push_back(key);
    return keys;
}

std::vector<ChunkIndex::Entry> ChunkIndex::entries_below(std::byte first_byte) const {
    std::vector<Entry> entries;
    for (auto next = by_key_.lower_bound(ChunkKey{first_byte}); next != by_key_.end(); ++next) {
        if (next->first.front() != first_byte) break;
        entries.push_back(next->second);
    }
    return entries;
}

bool ChunkIndex::has_room_for(std::uint64_t allocated_bytes) const noexcept {
    return bytes_ <= capacity_bytes_ && allocated_bytes <= capacity_bytes_ - bytes_;
}

std::optional<std::vector<ChunkIndex::Entry>> ChunkIndex::victims_for(const Newcomer& newcomer,
                                                                      const Predicate& is_protected) {
    if (newcomer.allocated_bytes > capacity_bytes_) return std::nullopt;
    if (has_room_for(newcomer.allocated_bytes)) return std::vector<Entry>();
    const std::uint64_t missing_bytes = bytes_ + newcomer.allocated_bytes - capacity_bytes_;
    const bool newcomer_is_protected = is_protected && is_protected(newcomer.key);
    std::array<std::vector<Entry>, kRanks> candidates;
    std::vector<Entry> victims;
    std::uint64_t first_choice_bytes = 0;
    if (const auto predecessor = find(newcomer.key); predecessor && (*predecessor)->readers == 0) {
        victims.push_back(*predecessor);
        first_choice_bytes += (*predecessor)->allocated_bytes;
    }

    std::uint64_t longer_bytes = longer_bytes_ + (newcomer.keep == Keep::longer ? newcomer.allocated_bytes : 0);
    for (auto entry = order_.end(); entry != order_.begin() && first_choice_bytes < missing_bytes;) {
        --entry;
        const bool is_longer = entry->keep == Keep::longer;
        const bool is_privileged = is_longer && longer_bytes <= longer_quota_bytes();
        if (is_longer && !is_privileged) longer_bytes -= entry->allocated_bytes;
        if (entry->readers > 0 || entry->key == newcomer.key) continue;
        const auto rank = rank_of(*entry, is_privileged, newcomer_is_protected, is_protected);
        if (!rank) continue;
        candidates[*rank].push_back(entry);
        if (*rank == kNormal) first_choice_bytes += entry->allocated_bytes;
    }

    for (const auto& candidates_of_rank : candidates)
        victims.insert(victims.end(), candidates_of_rank.begin(), candidates_of_rank.end());
    std::uint64_t freed_bytes = 0;
    const auto enough = std::find_if(victims.begin(), victims.end(), [&](Entry entry) {
        return (freed_bytes += entry->allocated_bytes) >= missing_bytes;
    });
    if (enough == victims.end()) return std::nullopt;
    victims.erase(std::next(enough), victims.end());
    return victims;
}

std::optional<std::size_t> ChunkIndex::rank_of(const IndexEntry& entry, bool is_privileged, bool newcomer_is_protected,
                                               const Predicate& is_protected) const {
    const bool entry_is_protected = is_protected && is_protected(entry.key);
    if (entry_is_protected && !newcomer_is_protected) return std::nullopt;
    if (entry.unremovable) return kUnremovable;
    if (entry_is_protected) return is_privileged ? kProtectedLonger : kProtectedNormal;
    return is_privileged ? kLonger : kNormal;
}

void ChunkIndex::add(IndexEntry entry) {
    assert(!by_key_.contains(entry.key));
    bytes_ += entry.allocated_bytes;
    if (entry.keep == Keep::longer) longer_bytes_ += entry.allocated_bytes;
    entry.indexed = true;
    order_.push_front(std::move(entry));
    by_key_.emplace(order_.front().key, order_.begin());
}

void ChunkIndex::use(Entry entry, std::int64_t now_ns) {
    entry->last_used_ns = now_ns;
    order_.splice(order_.begin(), order_, entry);
}

void ChunkIndex::unpin(Entry entry) {
    assert(entry->readers > 0);
    --entry->readers;
    free_if_gone(entry);
}

void ChunkIndex::retire(Entry entry, bool on_disk) {
    assert(entry->indexed);
    by_key_.erase(entry->key);
    entry->indexed = false;
    entry->on_disk = on_disk;
    if (entry->keep == Keep::longer) longer_bytes_ -= entry->allocated_bytes;
    retired_.splice(retired_.begin(), order_, entry);
    free_if_gone(entry);
}

void ChunkIndex::add_leftover(std::filesystem::path path, std::uint64_t allocated_bytes) {
    forget_leftover(path);
    bytes_ += allocated_bytes;
    IndexEntry& leftover = retired_.emplace_front();
    leftover.allocated_bytes = allocated_bytes;
    leftover.path = std::move(path);
}

void ChunkIndex::forget_leftover(const std::filesystem::path& path) {
    retry_leftovers([&](const std::filesystem::path& leftover) { return leftover == path; });
}

bool ChunkIndex::is_leftover(const std::filesystem::path& path) const {
    return std::any_of(retired_.begin(), retired_.end(),
                       [&](const IndexEntry& entry) { return entry.on_disk && entry.path == path; });
}

void ChunkIndex::retry_leftovers(const std::function<bool(const std::filesystem::path&)>& remove) {
    for (auto next = retired_.begin(); next != retired_.end();) {
        const auto entry = next++;
        if (!entry->on_disk || !remove(entry->path)) continue;
        entry->on_disk = false;
        free_if_gone(entry);
    }
}

void ChunkIndex::free_if_gone(Entry entry) {
    if (entry->indexed || entry->readers > 0 || entry->on_disk) return;
    bytes_ -= entry->allocated_bytes;
    retired_.erase(entry);
}

bool ChunkIndex::in_use() const {
    const auto is_read = [](const IndexEntry& entry) { return entry.readers > 0; };
    return std::any_of(order_.begin(), order_.end(), is_read) || std::any_of(retired_.begin(), retired_.end(), is_read);
}

bool ChunkIndex::invariants_hold() const {
    const auto add_bytes = [](std::uint64_t sum, const IndexEntry& entry) { return sum + entry.allocated_bytes; };
    const auto indexed_bytes = std::accumulate(order_.begin(), order_.end(), std::uint64_t{0}, add_bytes);
    const auto retired_bytes = std::accumulate(retired_.begin(), retired_.end(), std::uint64_t{0}, add_bytes);
    const bool all_found =
        std::all_of(by_key_.begin(), by_key_.end(), [](const auto& pair) { return pair.first == pair.second->key; });
    return all_found && by_key_.size() == order_.size() && bytes_ == indexed_bytes + retired_bytes;
}

}  // namespace lacquer::cache
