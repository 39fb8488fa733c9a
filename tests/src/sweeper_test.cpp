#include "src/sweeper.h"

#include <fstream>

#include "tests/src/fixture.h"

namespace lacquer {
namespace {

namespace fs = std::filesystem;
using test::ByteVector;
using test::eventually;

// A library of one track, and a cache with chunks of it and of others, unused for two days.
class SweeperTest : public testing::Test {
protected:
    SweeperTest() {
        fs::create_directories(music());
        write(1);
        library = std::make_unique<library::Library>(folder.path() / "state" / "library.db", std::vector{music()});
        library->scan({});
        open_cache();
    }
    fs::path music() const { return folder.path() / "music"; }
    fs::path file() const { return music() / "track.wav"; }
    void write(std::uint64_t seed) {
        test::write_wav(file(), test::white_noise(seed, -12.0, 1.0, {8000, 2}).block(), 8000);
    }
    void open_cache() {
        sweeper.reset();
        cache.reset();
        cache = std::make_unique<cache::ChunkCache>(folder.path() / "cache", 10'000'000);
        sweeper = std::make_unique<Sweeper>(*cache, *library, dsp::GridSettings{});
    }
    // The key of a chunk of what the library now has at file(), on this engine unless told.
    cache::ChunkKey key(std::int64_t index, const dsp::GridSettings& grid = {}) {
        const library::Track track = library->tracks("", 0, 1).items.at(0);
        return make_plan({0, {}, track.content_id, track.media}, bypass_recipe(track.media), std::nullopt,
                         dsp::ChunkGrid(grid, 8000, 1'000'000), engine_id(grid, track.media))
            ->key(index);
    }
    void store(const cache::ChunkKey& key) { ASSERT_TRUE(cache->insert(key, ByteVector(100))); }
    void grow_old(std::chrono::hours age) {
        for (const auto& entry : fs::recursive_directory_iterator(folder.path() / "cache"))
            if (entry.is_regular_file()) fs::last_write_time(entry, fs::file_time_type::clock::now() - age);
        open_cache();
    }
    Swept sweep() { return sweeper->sweep({}); }

    test::TempDir folder;
    std::unique_ptr<library::Library> library;
    std::unique_ptr<cache::ChunkCache> cache;
    std::unique_ptr<Sweeper> sweeper;
};

TEST_F(SweeperTest, ChunksOfTheLibraryStayHoweverOld) {
    for (std::int64_t n = 0; n < 5; ++n) store(key(n));
    grow_old(std::chrono::hours(10'000));
    EXPECT_EQ(sweep().total(), 0u);
    EXPECT_EQ(cache->stats().entries, 5u);
}

TEST_F(SweeperTest, ChunksOfAnotherGridOfOlderEnginesAndOfNobodyGoAfterADay) {
    const auto live = key(0);
    store(live);
    store(key(0, {20.0, 1.0, 5.0}));
    store(cache::ChunkKey{std::byte{1}});
    grow_old(std::chrono::hours(23));
    EXPECT_EQ(sweep().total(), 0u);
    grow_old(std::chrono::hours(25));
    EXPECT_EQ(sweep().chunks, 2u);
    EXPECT_TRUE(cache->contains(live));
    EXPECT_EQ(cache->stats().entries, 1u);
    EXPECT_EQ(sweeper->totals().chunks, 2u);
}

TEST_F(SweeperTest, ChunksOfReplacedContentGoAfterADay) {
    store(key(0));
    grow_old(std::chrono::hours(25));
    write(2);
    library->scan({});
    const auto replaced = key(0);
    store(replaced);
    EXPECT_EQ(sweep().chunks, 1u);
    EXPECT_TRUE(cache->contains(replaced));
}

TEST_F(SweeperTest, ChunksOfVanishedTracksGoWhenTheirRowsDo) {
    store(key(0));
    grow_old(std::chrono::hours(25));
    fs::remove(file());
    library->scan({});
    EXPECT_EQ(sweep().chunks, 0u) << "perhaps its disk is mounted late";
    for (std::int64_t day = 0; day <= 31; ++day) library->sweep(2'000'000'000 + day * 24 * 3600);
    EXPECT_EQ(sweep().chunks, 1u);
    EXPECT_EQ(cache->stats().entries, 0u);
}

TEST_F(SweeperTest, AChunkThatSomeoneReadsStaysReadableAndGoesWhenItIsClosed) {
    const cache::ChunkKey strange{std::byte{1}};
    store(strange);
    grow_old(std::chrono::hours(25));
    auto reader = cache->open(strange);
    EXPECT_EQ(sweep().chunks, 0u) << "used just now";
    cache->remove(strange);
    ByteVector bytes(100);
    EXPECT_TRUE(reader->read(0, bytes));
    EXPECT_GT(cache->stats().bytes, 0u);
    reader.reset();
    EXPECT_EQ(cache->stats().bytes, 0u);
}

TEST_F(SweeperTest, WhileItIsNotKnownWhatTheLibraryHasNoChunkIsGivenUp) {
    store(key(0));
    grow_old(std::chrono::hours(25));
    library->repair();  // begins a new database
    EXPECT_EQ(sweep().chunks, 0u);
    fs::rename(music(), folder.path() / "away");
    library->scan({});
    EXPECT_EQ(sweep().chunks, 0u) << "a folder cannot be read";
    fs::rename(folder.path() / "away", music());
    library->scan({});
    EXPECT_EQ(sweep().chunks, 0u) << "it is of the library";
    EXPECT_TRUE(cache->contains(key(0)));
}

TEST_F(SweeperTest, StrayFilesOfTheCacheAreCounted) {
    store(key(0));
    fs::create_directories(folder.path() / "cache" / "00");
    std::ofstream(folder.path() / "cache" / "00" / (std::string(32, '0') + ".7.tmp")) << "left by a crash";
    EXPECT_EQ(sweep().files, 1u);
    EXPECT_EQ(sweep().files, 0u);
    EXPECT_EQ(sweeper->totals().files, 1u);
}

TEST_F(SweeperTest, NothingIsSweptBeforeTheLibraryIsCurrentAndThenItIsWithoutBeingAsked) {
    store(cache::ChunkKey{std::byte{1}});
    grow_old(std::chrono::hours(25));
    EXPECT_EQ(cache->stats().entries, 1u);
    sweeper->begin();
    EXPECT_TRUE(eventually([&] { return sweeper->totals().chunks == 1; }));
    EXPECT_EQ(cache->stats().entries, 0u);
}

}  // namespace
}  // namespace lacquer
