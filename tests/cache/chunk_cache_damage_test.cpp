// Whatever happens to the files, what is served is what was stored, or nothing.
#include <filesystem>
#include <fstream>

#include "tests/cache/fixture.h"

namespace lacquer::test {
namespace {

namespace fs = std::filesystem;

class DamageTest : public ChunkCacheTest {
protected:
    void expect_gone_and_counted(std::uint32_t number, std::uint64_t corrupt) {
        EXPECT_FALSE(has(number));
        EXPECT_EQ(cache->stats().corrupt, corrupt);
        EXPECT_EQ(cache->stats().bytes, 0u);
        EXPECT_TRUE(chunk_files().empty());
    }
};

TEST_F(DamageTest, TornFileIsAMissAndIsCounted) {
    open_cache(100);
    const auto whole_bytes = cache::file_bytes(chunk_bytes(20));
    std::uint64_t torn = 0;
    for (const std::uint64_t kept_bytes : {std::uint64_t{0}, std::uint64_t{40}, cache::kFixedHeaderBytes,
                                           cache::kBlockBytes, whole_bytes - 1, whole_bytes + 1}) {
        ASSERT_TRUE(put(1, 20));
        fs::resize_file(file_of(1), kept_bytes);
        EXPECT_FALSE(use(1));
        expect_gone_and_counted(1, ++torn);
        EXPECT_EQ(cache->stats().misses, torn);
        EXPECT_EQ(cache->stats().hits, 0u);
    }
}

TEST_F(DamageTest, TornFileFoundAtStartIsNeverServed) {
    for (const std::uint64_t kept_bytes : {0ul, 40ul, 5000ul, 70000ul}) {
        open_cache(100);
        ASSERT_TRUE(put(1, 20));
        fs::resize_file(file_of(1), kept_bytes);
        restart();
        EXPECT_FALSE(use(1)) << kept_bytes;
        expect_gone_and_counted(1, 1);
    }
}

TEST_F(DamageTest, BitFlipInAnyRegionIsFound) {
    open_cache(100);
    const std::uint64_t payload_bytes = 2 * cache::kBlockBytes + 100;
    const auto chunk = content(1, payload_bytes);
    const auto payload_at = cache::header_bytes(payload_bytes);
    std::uint64_t flipped = 0;
    // Magic, version, block size, key, payload size, header checksum, table, and first and last byte of each block.
    for (const std::uint64_t byte :
         {std::uint64_t{0}, std::uint64_t{9}, std::uint64_t{13}, std::uint64_t{20}, std::uint64_t{33},
          std::uint64_t{44}, std::uint64_t{48}, payload_at - 1, payload_at, payload_at + cache::kBlockBytes - 1,
          payload_at + cache::kBlockBytes, payload_at + payload_bytes - 1}) {
        ASSERT_TRUE(cache->insert(key(1), chunk));
        flip_bit(chunk_files().front(), byte, static_cast<int>(byte % 8));
        EXPECT_FALSE(reads_back(1)) << byte;
        expect_gone_and_counted(1, ++flipped);
    }
}

TEST_F(DamageTest, IntactBlocksOfADamagedFileAreServedUntilTheDamageIsMet) {
    open_cache(100);
    const auto chunk = content(1, 3 * cache::kBlockBytes);
    ASSERT_TRUE(cache->insert(key(1), chunk));
    flip_bit(chunk_files().front(), cache::header_bytes(chunk.size()) + cache::kBlockBytes);
    auto reader = cache->open(key(1)).value();
    std::vector<std::byte> block(cache::kBlockBytes);
    EXPECT_TRUE(reader.read(0, block));
    EXPECT_FALSE(reader.read(cache::kBlockBytes, std::span(block).first(1)));
    EXPECT_FALSE(reader.read(cache::kBlockBytes, block)) << "again";
    EXPECT_TRUE(reader.read(2 * cache::kBlockBytes, block));
    EXPECT_EQ(cache->stats().corrupt, 1u) << "one entry, counted once";
    EXPECT_FALSE(has(1));
}

TEST_F(DamageTest, DamageWhileOpenIsFound) {
    open_cache(100);
    put(1, 40);
    auto reader = cache->open(key(1)).value();
    fs::resize_file(file_of(1), 70000);
    EXPECT_FALSE(reads_back(reader, 1));
    EXPECT_EQ(cache->stats().corrupt, 1u);
}

TEST_F(DamageTest, DamageOfAReplacedFileDoesNotTouchItsSuccessor) {
    open_cache(100);
    put(1, 20);
    auto reader = cache->open(key(1)).value();
    flip_bit(file_of(1), 30000);
    put(1, 20);
    EXPECT_FALSE(reads_back(reader, 1));
    EXPECT_TRUE(reads_back(1));
}

TEST_F(DamageTest, DeletedFileIsJustAMiss) {
    open_cache(10);
    put(1);
    fs::remove(file_of(1));
    EXPECT_FALSE(use(1));
    expect_gone_and_counted(1, 0);
}

TEST_F(DamageTest, DeletedWhileOpenStaysReadable) {
    open_cache(10);
    put(1, 5);
    auto reader = cache->open(key(1)).value();
    fs::remove(file_of(1));
    EXPECT_TRUE(reads_back(reader, 1));
    EXPECT_FALSE(use(1));
    EXPECT_EQ(cache->stats().bytes, 5 * kPage) << "the reader still holds it";
}

TEST_F(DamageTest, WholeDirectoryDeletedWhileRunningIsMadeAgain) {
    open_cache(10);
    put(1);
    fs::remove_all(directory());
    EXPECT_FALSE(use(1));
    EXPECT_TRUE(put(2));
    EXPECT_TRUE(reads_back(2));
}

TEST_F(DamageTest, FileUnderAnotherNameIsNotServedAsThatKey) {
    open_cache(10);
    put(1);
    put(257);  // same subdirectory, same size
    fs::copy_file(file_of(257), file_of(1), fs::copy_options::overwrite_existing);
    EXPECT_FALSE(use(1));
    EXPECT_EQ(cache->stats().corrupt, 1u);
    EXPECT_TRUE(reads_back(257));
}

TEST_F(DamageTest, LinkInPlaceOfAFileIsNotFollowed) {
    open_cache(10);
    put(1);
    const auto file = file_of(1);
    fs::rename(file, temporary.path() / "elsewhere");
    fs::create_symlink(temporary.path() / "elsewhere", file);
    EXPECT_FALSE(use(1));
    expect_gone_and_counted(1, 1);
}

TEST_F(DamageTest, DirectoryInPlaceOfAFileCostsOneChunkAndNoMore) {
    open_cache(2);
    put(1);
    const auto file = file_of(1);
    fs::remove(file);
    fs::create_directories(file / "inside");
    EXPECT_FALSE(use(1));
    EXPECT_FALSE(put(1)) << "its place is taken";
    EXPECT_TRUE(put(2));
    EXPECT_TRUE(put(3)) << "another victim is found";
}

TEST_F(DamageTest, VictimWhosePlaceIsTakenIsGoneAndCountsNoMore) {
    open_cache(3);
    for (const auto number : {1u, 2u, 3u}) put(number);
    const auto file = file_of(1);
    fs::remove(file);
    fs::create_directories(file / "inside");
    EXPECT_TRUE(put(4));
    EXPECT_EQ(survivors(1, 4), "2 3 4");
    EXPECT_TRUE(put(5));
    EXPECT_EQ(survivors(1, 5), "3 4 5");
    EXPECT_EQ(cache->stats().failed_writes, 0u);
}

TEST_F(DamageTest, LeftOverTemporaryFilesAreRemovedAtStart) {
    open_cache(10);
    put(1);
    auto left_over = file_of(1);
    left_over.replace_extension(".7.tmp");
    fs::copy_file(file_of(1), left_over);
    restart();
    EXPECT_FALSE(fs::exists(left_over));
    EXPECT_EQ(cache->stats().corrupt, 0u);
    EXPECT_TRUE(reads_back(1));
}

TEST_F(DamageTest, OfTwoFilesForOneKeyTheLaterCounts) {
    open_cache(10);
    put(1, 1);
    const auto saved = contents(file_of(1));
    const auto normal_name = file_of(1);
    ASSERT_TRUE(cache->insert(key(1), content(2, chunk_bytes(2)), cache::Keep::longer));
    std::ofstream(normal_name, std::ios::binary) << saved;
    fs::last_write_time(normal_name, fs::file_time_type::clock::now() - std::chrono::hours(1));
    restart();
    EXPECT_EQ(chunk_files().size(), 1u);
    EXPECT_EQ(cache->stats().bytes, 2 * kPage);
    auto reader = cache->open(key(1)).value();
    EXPECT_TRUE(reads_back(reader, 2));
}

TEST_F(DamageTest, ForeignFilesAreIgnoredAndLeftAlone) {
    open_cache(2);
    put(1);
    const auto subdirectory = file_of(1).parent_path();
    for (const char* name : {"README", "0.chunk", "01.tmp"})
        std::ofstream(subdirectory / name) << std::string(9999, 'x');
    std::ofstream(directory() / "note.txt") << std::string(9999, 'x');
    restart();
    EXPECT_EQ(cache->stats().entries, 1u);
    EXPECT_EQ(cache->stats().bytes, kPage);
    put(2);
    put(3);
    EXPECT_EQ(survivors(1, 3), "2 3");
    EXPECT_EQ(chunk_files().size(), 2u + 4u);
}

TEST_F(DamageTest, VerifyFindsAndRemovesWhatIsDamaged) {
    open_cache(200);
    for (std::uint32_t number = 1; number <= 5; ++number) put(number, 20);
    flip_bit(file_of(2), cache::file_bytes(chunk_bytes(20)) - 1);
    flip_bit(file_of(4), 45);
    fs::remove(file_of(5));
    EXPECT_EQ(cache->verify(), 2u);
    EXPECT_EQ(survivors(1, 5), "1 3");
    EXPECT_EQ(cache->verify(), 0u);
}

}  // namespace
}  // namespace lacquer::test
