#include "src/library_keeper.h"

#include <fstream>

#include <SQLiteCpp/Database.h>

#include "tests/src/faulty_decoder.h"
#include "tests/src/fixture.h"

namespace lacquer {
namespace {

namespace fs = std::filesystem;
using test::eventually;

class LibraryKeeperTest : public testing::Test {
protected:
    LibraryKeeperTest() {
        fs::create_directories(folder / "music");
        test::write_wav(folder / "music" / "track.wav", test::white_noise(1, -12.0, 2.0, {8000, 2}).block(), 8000);
        library = std::make_unique<library::Library>(database(), std::vector{folder / "music"});
    }
    fs::path database() const { return folder / "state" / "library.db"; }
    void keep() {
        measurer = std::make_unique<TrackMeasurer>(scheduler, test::DecoderFaults::opener(faults));
        recipes = std::make_unique<RecipeBook>(*library, *measurer, dsp::GridSettings{5, 1, 1});
        keeper = std::make_unique<LibraryKeeper>(
            *library, *recipes, [this](const library::ScanResult&) { ++scans; }, [] { return true; });
    }
    bool is_measured() {
        try {
            const auto tracks = library->tracks("", 0, 10).items;
            return tracks.size() == 1 && library->has_profile(tracks[0]);
        } catch (const std::runtime_error&) {  // damaged, and not yet repaired
            return false;
        }
    }
    // Everything but the first page, noticed by whoever comes next.
    void damage_the_database() {
        SQLite::Database raw(database().native(), SQLite::OPEN_READWRITE, 10'000);
        raw.exec("PRAGMA wal_checkpoint(TRUNCATE)");
        std::fstream file(database(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(4096);
        file << std::string(fs::file_size(database()) - 4096, '\x5A');
        file.close();
        EXPECT_FALSE(is_measured());
    }

    test::TempDir folder;
    std::unique_ptr<library::Library> library;
    std::shared_ptr<test::DecoderFaults> faults = std::make_shared<test::DecoderFaults>();
    std::atomic<int> scans = 0;
    Scheduler scheduler{2};
    std::unique_ptr<TrackMeasurer> measurer;
    std::unique_ptr<RecipeBook> recipes;
    std::unique_ptr<LibraryKeeper> keeper;
};

TEST_F(LibraryKeeperTest, AfterARepairEveryTrackIsMeasuredAgain) {
    keep();
    ASSERT_TRUE(eventually([&] { return is_measured(); }));
    damage_the_database();
    ASSERT_TRUE(eventually([&] { return scans == 2; }));
    EXPECT_TRUE(eventually([&] { return is_measured(); }));
}

TEST_F(LibraryKeeperTest, AfterARepairWhatCouldNotBeMeasuredIsTriedToo) {
    faults->set({});
    keep();
    ASSERT_TRUE(eventually([&] { return faults->opened() > 0 && scans == 1; }));
    damage_the_database();
    faults->clear();
    ASSERT_TRUE(eventually([&] { return scans == 2; }));
    EXPECT_TRUE(eventually([&] { return is_measured(); }));
}

TEST_F(LibraryKeeperTest, WhereNoWorkIsTakenOnFilesAreFingerprintedAllTheSame) {
    scheduler.stop();
    keep();
    EXPECT_TRUE(eventually([&] {
        SQLite::Database raw(database().native(), SQLite::OPEN_READONLY, 1000);
        return raw.execAndGet("SELECT count(*) FROM tracks WHERE sha256 IS NOT NULL").getInt() == 1;
    }));
    EXPECT_FALSE(is_measured());
}

}  // namespace
}  // namespace lacquer
