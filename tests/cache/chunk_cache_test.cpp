// What the cache keeps and what it gives up, on a healthy disk.
#include "cache/chunk_cache.h"

#include <algorithm>
#include <utility>

#include "tests/cache/fixture.h"

namespace lacquer::test {
namespace {

using cache::Keep;

TEST_F(ChunkCacheTest, ReadsBackWhatWasStoredAtAnyOffset) {
    open_cache(1000);
    const auto chunk = content(1, 3 * cache::kBlockBytes + 12345);
    ASSERT_TRUE(cache->insert(key(1), chunk));
    auto reader = cache->open(key(1)).value();
    ASSERT_EQ(reader.size_bytes(), chunk.size());
    for (const std::uint64_t offset : {0ul, 1ul, 65535ul, 65536ul, 131000ul, chunk.size() - 1})
        for (const std::uint64_t wanted : {0ul, 1ul, 100ul, 65536ul, 200000ul}) {
            std::vector<std::byte> out(std::min<std::uint64_t>(wanted, chunk.size() - offset));
            ASSERT_TRUE(reader.read(offset, out));
            EXPECT_TRUE(std::equal(out.begin(), out.end(), chunk.begin() + static_cast<long>(offset)));
        }
}

TEST_F(ChunkCacheTest, EmptyChunkIsAChunk) {
    open_cache(10);
    ASSERT_TRUE(cache->insert(key(1), {}));
    EXPECT_EQ(cache->size_bytes(key(1)), 0u);
    auto reader = cache->open(key(1)).value();
    EXPECT_EQ(reader.size_bytes(), 0u);
    EXPECT_TRUE(reader.read(0, {}));
    EXPECT_EQ(cache->verify(), 0u);
}

TEST_F(ChunkCacheTest, SmallReadsInSequenceReadEachBlockOnce) {
    open_cache(1000);
    const auto chunk = content(1, 4 * cache::kBlockBytes);
    ASSERT_TRUE(cache->insert(key(1), chunk));
    auto reader = cache->open(key(1)).value();
    faults.reads = 0;
    std::vector<std::byte> out(1000);
    for (std::uint64_t offset = 0; offset + out.size() <= chunk.size(); offset += out.size())
        ASSERT_TRUE(reader.read(offset, out));
    EXPECT_EQ(faults.reads, 4u);
}

TEST_F(ChunkCacheTest, ContainsAndSizeTouchNeitherDiskNorOrder) {
    open_cache(2);
    put(1);
    put(2);
    faults.opens = faults.reads = 0;
    EXPECT_TRUE(has(1));
    EXPECT_EQ(cache->size_bytes(key(1)), chunk_bytes(1));
    EXPECT_EQ(cache->size_bytes(key(9)), std::nullopt);
    EXPECT_EQ(faults.opens + faults.reads, 0u);
    put(3);
    EXPECT_EQ(survivors(1, 3), "2 3");
    EXPECT_EQ(cache->stats().hits + cache->stats().misses, 0u);
}

TEST_F(ChunkCacheTest, CountsHitsMissesInsertionsAndBytes) {
    open_cache(10);
    EXPECT_FALSE(use(1));
    put(1, 3);
    EXPECT_TRUE(reads_back(1));
    const auto stats = cache->stats();
    EXPECT_EQ(stats.hits, 1u);
    EXPECT_EQ(stats.misses, 1u);
    EXPECT_EQ(stats.insertions, 1u);
    EXPECT_EQ(stats.entries, 1u);
    EXPECT_EQ(stats.bytes, 3 * kPage);
    EXPECT_EQ(stats.capacity_bytes, 10 * kPage);
    EXPECT_EQ(allocated_on_disk(), 3 * kPage);
}

TEST_F(ChunkCacheTest, EvictsTheLeastRecentlyUsedFirst) {
    open_cache(3);
    for (const auto number : {1u, 2u, 3u}) put(number);
    use(1);
    put(4);
    EXPECT_EQ(survivors(1, 4), "1 3 4");
    put(5, 2);
    EXPECT_EQ(survivors(1, 5), "4 5") << "3 is the oldest, then 1";
    EXPECT_EQ(cache->stats().evictions, 3u);
}

TEST_F(ChunkCacheTest, ChunkLargerThanTheCapIsNotStoredAndCostsNothing) {
    open_cache(3);
    put(1);
    EXPECT_FALSE(put(2, 4));
    EXPECT_EQ(survivors(1, 2), "1");
    EXPECT_EQ(cache->stats().failed_writes, 1u);
    EXPECT_EQ(faults.writes, 1u);
    EXPECT_TRUE(put(3, 3));
    EXPECT_EQ(survivors(1, 3), "3");
}

TEST_F(ChunkCacheTest, StoringAgainReplaces) {
    open_cache(10);
    put(1, 2);
    ASSERT_TRUE(cache->insert(key(1), content(77, chunk_bytes(3)), Keep::longer));
    EXPECT_EQ(cache->stats().entries, 1u);
    EXPECT_EQ(cache->stats().bytes, 3 * kPage);
    EXPECT_EQ(chunk_files().size(), 1u);
    auto reader = cache->open(key(1)).value();
    EXPECT_TRUE(reads_back(reader, 77));
}

TEST_F(ChunkCacheTest, PredecessorMakesRoomBeforeOthersDo) {
    open_cache(4);
    put(1, 2);
    put(2, 2);
    ASSERT_TRUE(put(2, 2));
    EXPECT_EQ(survivors(1, 2), "1 2");
}

TEST_F(ChunkCacheTest, RecencySurvivesARestart) {
    open_cache(4);
    for (const auto number : {1u, 2u, 3u, 4u}) put(number);
    use(2);
    use(1);
    restart();
    EXPECT_EQ(survivors(1, 4), "1 2 3 4");
    put(5, 2);
    EXPECT_EQ(survivors(1, 5), "1 2 5");
    restart();
    put(6);
    EXPECT_EQ(survivors(1, 6), "1 5 6");
    EXPECT_TRUE(reads_back(1));
}

TEST_F(ChunkCacheTest, RecencySurvivesAClockThatWasInTheFuture) {
    open_cache(3);
    for (const auto number : {1u, 2u, 3u}) put(number);
    std::filesystem::last_write_time(file_of(3),
                                     std::filesystem::file_time_type::clock::now() + std::chrono::years(50));
    restart();
    use(1);
    restart();
    put(4, 2);
    EXPECT_EQ(survivors(1, 4), "1 4");
}

TEST_F(ChunkCacheTest, LoweredCapIsHeldFromTheStart) {
    open_cache(5);
    for (const auto number : {1u, 2u, 3u, 4u, 5u}) put(number);
    open_cache(2);
    EXPECT_EQ(survivors(1, 5), "4 5");
    EXPECT_EQ(allocated_on_disk(), 2 * kPage);
}

TEST_F(ChunkCacheTest, KeptLongerGoesAfterAllOthersUpToAQuarterOfTheCap) {
    open_cache(8);
    put(1, 1, Keep::longer);
    put(2, 1, Keep::longer);
    for (std::uint32_t number = 3; number <= 20; ++number) put(number);
    EXPECT_EQ(survivors(1, 20), "1 2 15 16 17 18 19 20");
    put(21, 7);
    EXPECT_EQ(survivors(1, 21), "2 21") << "when nothing else is left they go too, the oldest first";
}

TEST_F(ChunkCacheTest, KeptLongerBeyondItsQuarterIsOrdinary) {
    open_cache(8);
    for (const auto number : {1u, 2u, 3u}) put(number, 1, Keep::longer);
    for (std::uint32_t number = 4; number <= 9; ++number) put(number);
    EXPECT_EQ(survivors(1, 9), "2 3 4 5 6 7 8 9");
    put(10, 1, Keep::longer);
    EXPECT_EQ(survivors(1, 10), "3 4 5 6 7 8 9 10") << "the newcomer takes part of the quarter";
}

TEST_F(ChunkCacheTest, KeptLongerIsRememberedOverARestart) {
    open_cache(4);
    put(1, 1, Keep::longer);
    for (const auto number : {2u, 3u, 4u}) put(number);
    restart();
    put(5, 3);
    EXPECT_EQ(survivors(1, 5), "1 5");
}

TEST_F(ChunkCacheTest, ProtectedEntriesAreNotEvictedForUnprotectedOnes) {
    open_cache(3);
    for (const auto number : {1u, 2u, 3u}) put(number);
    cache->set_protection([](const cache::ChunkKey& candidate) { return candidate == key(1) || candidate == key(9); });
    EXPECT_TRUE(put(4));
    EXPECT_EQ(survivors(1, 4), "1 3 4");
    EXPECT_FALSE(put(5, 3));
    EXPECT_EQ(survivors(1, 5), "1 3 4") << "nothing is given up in vain";
    EXPECT_TRUE(put(9, 3)) << "a protected newcomer may";
    EXPECT_EQ(survivors(1, 9), "9");
    cache->set_protection({});
    EXPECT_TRUE(put(6));
    EXPECT_EQ(survivors(1, 9), "6");
}

TEST_F(ChunkCacheTest, ProtectedNewcomerPrefersUnprotectedVictims) {
    open_cache(3);
    for (const auto number : {1u, 2u, 3u}) put(number);
    cache->set_protection([](const cache::ChunkKey& candidate) { return candidate == key(1) || candidate == key(4); });
    put(4);
    EXPECT_EQ(survivors(1, 4), "1 3 4");
}

TEST_F(ChunkCacheTest, EntriesInUseAreNotEvicted) {
    open_cache(3);
    for (const auto number : {1u, 2u, 3u}) put(number);
    auto first = cache->open(key(1));
    use(2);
    use(3);
    put(4);
    EXPECT_EQ(survivors(1, 4), "1 3 4");
    EXPECT_FALSE(put(5, 3)) << "the one in use leaves two pages";
    EXPECT_TRUE(reads_back(*first, 1));
    first.reset();
    EXPECT_TRUE(put(5, 3));
}

TEST_F(ChunkCacheTest, RemovedEntryStaysReadableAndCountsUntilItsLastReaderCloses) {
    open_cache(4);
    put(1, 3);
    auto one = cache->open(key(1));
    auto two = cache->open(key(1));
    cache->remove(key(1));
    EXPECT_FALSE(has(1));
    EXPECT_EQ(allocated_on_disk(), 0u);
    EXPECT_EQ(cache->stats().entries, 0u);
    EXPECT_EQ(cache->stats().bytes, 3 * kPage);
    EXPECT_FALSE(put(2, 2)) << "the space is not free yet";
    EXPECT_TRUE(reads_back(*one, 1));
    one.reset();
    EXPECT_EQ(cache->stats().bytes, 3 * kPage);
    auto moved = std::move(*two);
    two.reset();
    EXPECT_TRUE(reads_back(moved, 1));
    { const auto gone = std::move(moved); }
    EXPECT_EQ(cache->stats().bytes, 0u);
    EXPECT_TRUE(put(2, 4));
}

TEST_F(ChunkCacheTest, ReplacedEntryStaysReadableForWhoHasItOpen) {
    open_cache(4);
    put(1, 2);
    auto old_reader = cache->open(key(1)).value();
    ASSERT_TRUE(cache->insert(key(1), content(50, chunk_bytes(2))));
    EXPECT_EQ(cache->stats().bytes, 4 * kPage);
    EXPECT_TRUE(reads_back(old_reader, 1));
    auto new_reader = cache->open(key(1)).value();
    EXPECT_TRUE(reads_back(new_reader, 50));
}

TEST_F(ChunkCacheTest, ClearRemovesEverythingButForeignFiles) {
    open_cache(5);
    for (const auto number : {1u, 2u, 3u}) put(number);
    std::ofstream(directory() / "01" / "note.txt") << "mine";
    cache->clear();
    EXPECT_EQ(cache->stats().entries, 0u);
    EXPECT_EQ(cache->stats().bytes, 0u);
    EXPECT_EQ(chunk_files(), std::vector{directory() / "01" / "note.txt"});
}

TEST_F(ChunkCacheTest, VerifyOfAHealthyCacheFindsNothingAndCountsNoUse) {
    open_cache(200);
    put(1, 50);
    put(2, 1);
    EXPECT_EQ(cache->verify(), 0u);
    EXPECT_EQ(survivors(1, 2), "1 2");
    EXPECT_EQ(cache->stats().hits, 0u);
    put(3, 150);
    EXPECT_EQ(survivors(1, 3), "2 3") << "the order is as before";
}

}  // namespace
}  // namespace lacquer::test
