// While it runs, the cache makes its directory and its books agree again.
#include <chrono>
#include <stdexcept>
#include <thread>

#include "tests/cache/fixture.h"

namespace lacquer::test {
namespace {

namespace fs = std::filesystem;

class TidyTest : public ChunkCacheTest {
protected:
    void expect_exact_books() {
        EXPECT_EQ(cache->stats().bytes, allocated_on_disk());
        EXPECT_EQ(cache->stats().entries, chunk_files().size());
    }
};

TEST_F(TidyTest, AHealthyCacheIsLeftAsItIs) {
    open_cache(10);
    for (const auto number : {1u, 2u, 3u, 255u}) put(number, 2);
    const auto before = cache->stats();
    EXPECT_EQ(cache->tidy(), 0u);
    EXPECT_EQ(survivors(1, 255), "1 2 3 255");
    EXPECT_EQ(cache->stats().hits + cache->stats().misses + cache->stats().corrupt, 0u);
    EXPECT_EQ(cache->stats().bytes, before.bytes);
}

TEST_F(TidyTest, FilesWithOurNamesThatNobodyKnowsAreRemovedAndForeignOnesAreNot) {
    open_cache(10);
    put(1);
    const auto file = file_of(1);
    const auto subdirectory = file.parent_path();
    for (const char* extension : {".99.tmp", ".kept"}) fs::copy_file(file, fs::path(file).replace_extension(extension));
    for (const char* name : {"README", "01.tmp"}) std::ofstream(subdirectory / name) << "mine";
    EXPECT_EQ(cache->tidy(), 2u);
    EXPECT_EQ(chunk_files().size(), 3u);
    EXPECT_TRUE(reads_back(1));
    EXPECT_EQ(cache->tidy(), 0u);
}

TEST_F(TidyTest, AFileThatIsBeingWrittenIsLeftAlone) {
    open_cache(10);
    faults.on_written = [&] {
        faults.on_written = {};
        EXPECT_EQ(chunk_files().size(), 1u);
        EXPECT_EQ(cache->tidy(), 0u);
    };
    EXPECT_TRUE(put(1));
    EXPECT_TRUE(reads_back(1));
}

TEST_F(TidyTest, WhatOthersTookAwayOrCutIsForgotten) {
    open_cache(100);
    for (const auto number : {1u, 2u, 3u, 4u}) put(number, 20);
    fs::remove(file_of(1));
    fs::resize_file(file_of(2), 5000);
    std::ofstream(file_of(3), std::ios::app) << std::string(100'000, 'x');
    EXPECT_EQ(cache->tidy(), 0u);
    EXPECT_EQ(survivors(1, 4), "4");
    EXPECT_EQ(cache->stats().corrupt, 2u) << "a deleted file is no damage";
    EXPECT_EQ(cache->stats().misses, 0u) << "nobody asked";
    expect_exact_books();
}

TEST_F(TidyTest, WhatCouldNotBeRemovedGoesWhenTheDiskAllowsIt) {
    open_cache(10);
    put(1, 3);
    put(2, 3);
    faults.may_remove = false;
    cache->remove(key(1));
    EXPECT_EQ(cache->tidy(), 0u);
    EXPECT_EQ(cache->stats().bytes, 6 * kPage);
    faults = {};
    EXPECT_EQ(cache->tidy(), 1u);
    EXPECT_EQ(survivors(1, 2), "2");
    expect_exact_books();
}

TEST_F(TidyTest, ADirectoryThatCannotBeListedJustNowCostsNothing) {
    open_cache(10);
    put(1);
    faults.may_list = false;
    faults.reason = std::errc::too_many_files_open;
    EXPECT_EQ(cache->tidy(), 0u);
    EXPECT_TRUE(reads_back(1));
}

TEST_F(TidyTest, AFileInUseThatSomebodyTookAwayCountsUntilItIsClosed) {
    open_cache(10);
    put(1, 3);
    auto reader = cache->open(key(1));
    fs::remove(file_of(1));
    EXPECT_EQ(cache->tidy(), 0u);
    EXPECT_EQ(cache->stats().bytes, 3 * kPage);
    EXPECT_TRUE(reads_back(*reader, 1));
    reader.reset();
    EXPECT_EQ(cache->stats().bytes, 0u);
}

TEST_F(TidyTest, ASubdirectoryThatCannotBeReadIsNoReasonToForgetTheCap) {
    open_cache(10);
    put(1);
    cache.reset();
    faults.may_list = false;
    try {
        open_cache(10);
        FAIL() << "what cannot be seen cannot be counted";
    } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string(error.what()).find((directory() / "00").string()), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find("Permission denied"), std::string::npos) << error.what();
    }
    faults = {};
    open_cache(10);
    EXPECT_TRUE(reads_back(1));
}

TEST_F(TidyTest, NothingIsListedOrWrittenThroughALink) {
    open_cache(10);
    put(1);
    const auto subdirectory = file_of(1).parent_path();
    const auto elsewhere = temporary.path() / "elsewhere";
    fs::rename(subdirectory, elsewhere);
    fs::create_directory_symlink(elsewhere, subdirectory);
    restart();
    EXPECT_EQ(cache->stats().entries, 0u);
    EXPECT_FALSE(put(1)) << "it would never be found again";
    EXPECT_TRUE(put(2));
    EXPECT_EQ(cache->tidy(), 0u);
    EXPECT_EQ(std::distance(fs::directory_iterator(elsewhere), {}), 1);
}

TEST_F(TidyTest, UsesTellHowLongEachEntryWasIdle) {
    open_cache(10);
    for (const auto number : {1u, 2u, 3u}) put(number);
    fs::last_write_time(file_of(2), fs::file_time_type::clock::now() - std::chrono::hours(48));
    restart();
    use(1);
    const auto uses = cache->uses();
    ASSERT_EQ(uses.size(), 3u);
    EXPECT_EQ(uses[0].key, key(1));
    EXPECT_EQ(uses[1].key, key(3));
    EXPECT_EQ(uses[2].key, key(2));
    EXPECT_GE(uses[0].idle.count(), 0);
    EXPECT_GE(uses[2].idle, std::chrono::hours(48));
    EXPECT_LT(uses[1].idle, std::chrono::hours(1));
}

TEST_F(TidyTest, IdleTimesAreByTheOrderOfUseWhenTheClockWasSetBack) {
    open_cache(10);
    put(1);
    put(2);
    fs::last_write_time(file_of(2), fs::file_time_type::clock::now() + std::chrono::years(1));
    restart();
    put(3);
    for (const auto& use : cache->uses()) EXPECT_GE(use.idle.count(), 0);
    EXPECT_LT(cache->uses().front().idle, std::chrono::hours(1)) << "it was used just now, whatever the clock says";
}

}  // namespace
}  // namespace lacquer::test
