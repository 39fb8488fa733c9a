// The operating system refuses: the chunk is lost, not the request, and the bytes are still counted right.
#include <functional>

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cache/fixture.h"

namespace lacquer::test {
namespace {

namespace fs = std::filesystem;

class FaultsTest : public ChunkCacheTest {
protected:
    void TearDown() override { EXPECT_EQ(cache->stats().bytes, meter.live_bytes()); }
};

TEST_F(FaultsTest, FullDiskLosesTheChunkNotTheRequest) {
    open_cache(10);
    put(1);
    for (const std::uint64_t free_bytes : {0ul, 100ul, 4000ul}) {
        faults.free_bytes = free_bytes;
        EXPECT_FALSE(put(2, 3));
        EXPECT_EQ(survivors(1, 2), "1");
        EXPECT_EQ(cache->stats().bytes, kPage);
        EXPECT_EQ(chunk_files().size(), 1u) << "the torn file is removed";
    }
    EXPECT_EQ(cache->stats().failed_writes, 3u);
    EXPECT_TRUE(reads_back(1));
    faults.free_bytes.reset();
    EXPECT_TRUE(put(2, 3));
}

TEST_F(FaultsTest, LostWritePermissionLosesNewChunksAndServesOldOnes) {
    open_cache(3);
    for (const auto number : {1u, 2u, 3u}) put(number);
    faults.may_write = faults.may_rename = faults.may_remove = false;
    for (std::uint32_t number = 4; number < 10; ++number) EXPECT_FALSE(put(number));
    EXPECT_EQ(survivors(1, 9), "1 2 3") << "what cannot be removed is not given up";
    EXPECT_TRUE(reads_back(1));
    EXPECT_EQ(cache->stats().failed_writes, 6u);
    faults = {};
    EXPECT_TRUE(put(4));
    EXPECT_EQ(cache->stats().entries, 3u);
}

TEST_F(FaultsTest, FailedRenameLeavesTheOldChunkAndNoFile) {
    open_cache(10);
    put(1);
    faults.may_rename = false;
    EXPECT_FALSE(cache->insert(key(1), content(2, chunk_bytes(2))));
    EXPECT_TRUE(reads_back(1));
    EXPECT_EQ(chunk_files().size(), 1u);
}

TEST_F(FaultsTest, TemporaryFileThatCannotBeRemovedCountsUntilItIs) {
    open_cache(4);
    faults.may_rename = faults.may_remove = false;
    EXPECT_FALSE(put(1, 3));
    EXPECT_EQ(cache->stats().bytes, 3 * kPage);
    EXPECT_FALSE(put(2, 2)) << "the disk is not that free";
    EXPECT_EQ(cache->stats().bytes, 3 * kPage);
    faults = {};
    EXPECT_TRUE(put(2, 4));
    EXPECT_EQ(cache->stats().bytes, 4 * kPage);
    EXPECT_EQ(chunk_files().size(), 1u);
}

TEST_F(FaultsTest, DroppedEntryThatCannotBeUnlinkedIsNotServedButCounts) {
    open_cache(4);
    put(1, 3);
    faults.may_remove = false;
    cache->remove(key(1));
    EXPECT_FALSE(use(1));
    EXPECT_EQ(cache->stats().bytes, 3 * kPage);
    put(1, 1);
    EXPECT_EQ(cache->stats().bytes, kPage) << "the new file took its name";
    faults = {};
    EXPECT_TRUE(put(2, 3));
    EXPECT_TRUE(reads_back(1)) << "and is not removed in its stead";
}

TEST_F(FaultsTest, FileThatCannotBeOpenedForNowIsAMissAndStays) {
    open_cache(4);
    put(1);
    faults.may_open = false;
    EXPECT_FALSE(use(1));
    EXPECT_EQ(cache->stats().misses, 1u);
    EXPECT_EQ(cache->stats().corrupt, 0u);
    faults = {};
    EXPECT_TRUE(reads_back(1));
}

TEST_F(FaultsTest, UnlinkedFileCountsUntilItIsReallyClosed) {
    open_cache(4);
    put(1, 3);
    auto reader = cache->open(key(1));
    cache->remove(key(1));
    std::uint64_t bytes_while_closing = 0;
    faults.on_close = [&] { bytes_while_closing = cache->stats().bytes; };
    reader.reset();
    EXPECT_EQ(bytes_while_closing, 3 * kPage);
    EXPECT_EQ(cache->stats().bytes, 0u);
}

// In a child: limits cannot be taken back.
bool in_child(const std::function<bool()>& work) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(work() ? 0 : 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST_F(FaultsTest, TheRealSystemOutOfFilesServesNothingAndLosesNothing) {
    open_cache(10);
    put(1);
    EXPECT_TRUE(in_child([&] {
        const rlimit none{3, 3};
        return ::setrlimit(RLIMIT_NOFILE, &none) == 0 && !use(1) && !put(2) && has(1) &&
               cache->stats().failed_writes == 1 && cache->stats().bytes == kPage && cache->tidy() == 0 && has(1);
    }));
    EXPECT_TRUE(reads_back(1));
}

TEST_F(FaultsTest, TheRealSystemCuttingAWriteShortLeavesNoFile) {
    open_cache(100);
    put(1);
    EXPECT_TRUE(in_child([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit small{70'000, 70'000};
        return ::setrlimit(RLIMIT_FSIZE, &small) == 0 && !put(2, 40) && cache->stats().bytes == kPage &&
               chunk_files().size() == 1 && put(3, 10) && reads_back(3);
    }));
    fs::remove(file_of(3));
    EXPECT_EQ(chunk_files().size(), 1u);
}

TEST_F(FaultsTest, AWriteThatLeftNothingDoesNotCountWhereNothingCanBeRemoved) {
    open_cache(10);
    put(1);
    faults.may_write = faults.may_remove = false;
    faults.reason = std::errc::read_only_file_system;
    for (std::uint32_t number = 2; number < 6; ++number) EXPECT_FALSE(put(number));
    EXPECT_EQ(cache->stats().bytes, kPage);
    EXPECT_EQ(cache->stats().failed_writes, 4u);
    EXPECT_TRUE(reads_back(1));
}

TEST_F(FaultsTest, UnreadableBlockDropsTheEntry) {
    open_cache(100);
    put(1, 40);
    auto reader = cache->open(key(1));
    faults.may_read = false;
    EXPECT_FALSE(reads_back(*reader, 1));
    EXPECT_FALSE(has(1));
    EXPECT_EQ(cache->stats().corrupt, 1u);
    reader.reset();
    EXPECT_EQ(cache->stats().bytes, 0u);
}

}  // namespace
}  // namespace lacquer::test
