// What the database holds over restarts, and what becomes of a broken one.
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include "src/library/schema.h"
#include "tests/library/fixture.h"

namespace lacquer::library::test {
namespace {

class DatabaseTest : public LibraryTest {
protected:
    std::vector<fs::path> damaged_files() const {
        std::vector<fs::path> found;
        for (const auto& entry : fs::directory_iterator(database().parent_path()))
            if (entry.path().filename().native().starts_with("library.db.damaged-")) found.push_back(entry.path());
        return found;
    }
    SQLite::Database raw() const { return SQLite::Database(database().native(), SQLite::OPEN_READWRITE); }
    std::string failure() {
        try {
            library();
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return "";
    }
};

TEST_F(DatabaseTest, TheStateFolderIsForItsOwnerOnly) {
    library();
    EXPECT_EQ(fs::status(database().parent_path()).permissions(), fs::perms::owner_all);
}

TEST_F(DatabaseTest, IsInWalModeAtTheNewestVersionWithStrictTables) {
    library();
    SQLite::Database database = raw();
    EXPECT_EQ(database.execAndGet("PRAGMA journal_mode").getString(), "wal");
    EXPECT_EQ(database.execAndGet("PRAGMA user_version").getInt(), static_cast<int>(migrations().size()));
    EXPECT_EQ(database
                  .execAndGet("SELECT count(*) FROM pragma_table_list WHERE strict = 0 AND type = 'table' AND "
                              "name NOT LIKE 'sqlite_%'")
                  .getInt(),
              0);
}

TEST_F(DatabaseTest, TracksSurviveARestart) {
    write_audio(music() / "a.wav", 1);
    scan();
    const Track before = track_of("a.wav");
    close();
    const Track after = track_of("a.wav");
    EXPECT_EQ(after.id, before.id);
    EXPECT_EQ(after.content_id, before.content_id);
    EXPECT_EQ(after.origin, "library");
}

TEST_F(DatabaseTest, ADamagedFileIsMovedAsideAndANewOneBegun) {
    for (std::uint32_t i = 0; i < 200; ++i) write_audio(music() / (std::to_string(i) + ".wav"), i);
    scan();
    EXPECT_EQ(library().notice(), "");
    close();
    // Whole pages in the middle: the header stays good, only a check finds it.
    std::fstream file(database(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(16'384, '\x5A');
    file.close();
    EXPECT_NE(library().notice().find(database().native()), std::string::npos);
    ASSERT_EQ(damaged_files().size(), 1u);
    EXPECT_NE(library().notice().find(damaged_files().front().native()), std::string::npos);
    EXPECT_TRUE(listed().empty());
    EXPECT_EQ(scan().added, 200);
    close();
    EXPECT_EQ(library().notice(), "");
}

TEST_F(DatabaseTest, AFileThatIsNoDatabaseIsMovedAside) {
    for (int i = 0; i < 2; ++i) {
        fs::create_directories(database().parent_path());
        std::ofstream(database(), std::ios::trunc) << std::string(5000, 'x');
        EXPECT_NE(library().notice(), "");
        close();
    }
    EXPECT_EQ(damaged_files().size(), 2u);
}

TEST_F(DatabaseTest, ATruncatedFileIsMovedAside) {
    for (std::uint32_t i = 0; i < 200; ++i) write_audio(music() / (std::to_string(i) + ".wav"), i);
    scan();
    close();
    fs::resize_file(database(), fs::file_size(database()) / 2);
    EXPECT_NE(library().notice(), "");
    EXPECT_TRUE(listed().empty());
}

TEST_F(DatabaseTest, ANewerSchemaIsRefusedNotDestroyed) {
    library();
    close();
    raw().exec("PRAGMA user_version = 1000");
    EXPECT_NE(failure().find("newer"), std::string::npos) << failure();
    EXPECT_NE(failure().find(database().native()), std::string::npos) << failure();
    EXPECT_TRUE(damaged_files().empty());
}

TEST_F(DatabaseTest, AFileThatCannotBeOpenedIsNamed) {
    fs::create_directories(database().parent_path());
    fs::create_symlink("nowhere/else.db", database());
    EXPECT_NE(failure().find(database().native()), std::string::npos) << failure();
    EXPECT_TRUE(damaged_files().empty()) << "that may pass";
}

TEST_F(DatabaseTest, ProfilesBelongToContentAndDecoder) {
    write_audio(music() / "a.wav", 1);
    scan();
    Track track = track_of("a.wav");
    EXPECT_FALSE(library().profile_text(track));
    EXPECT_FALSE(library().has_profile(track));
    library().store_profile_text(track, "first");
    library().store_profile_text(track, "{\"second\":true}");
    close();
    EXPECT_EQ(library().profile_text(track), "{\"second\":true}");
    EXPECT_TRUE(library().has_profile(track));
    EXPECT_TRUE(library().unmeasured().empty());
    track.media.decoder = "another";
    EXPECT_FALSE(library().has_profile(track));
}

TEST_F(DatabaseTest, AProfileFollowsARenamedFile) {
    write_audio(music() / "a.wav", 1);
    scan();
    library().store_profile_text(track_of("a.wav"), "measured");
    fs::rename(music() / "a.wav", music() / "b.wav");
    scan();
    EXPECT_EQ(library().profile_text(track_of("b.wav")), "measured");
}

TEST_F(DatabaseTest, ARecipeIsNeverChangedOnceStored) {
    EXPECT_FALSE(library().recipe("r1"));
    library().store_recipe("r1", "{\"gain_db\":1}");
    library().store_recipe("r1", "{\"gain_db\":2}");
    close();
    EXPECT_EQ(library().recipe("r1"), "{\"gain_db\":1}");
}

TEST_F(DatabaseTest, TheServedRecipeIsTheLastOneSet) {
    EXPECT_FALSE(library().served_recipe("c", "warm 1.0"));
    library().set_served_recipe("c", "warm 1.0", {"r1", 100});
    library().set_served_recipe("c", "warm 1.0", {"r2", 5'000'000'000});
    library().set_served_recipe("c", "warm 0.5", {"r3", 7});
    close();
    const auto served = library().served_recipe("c", "warm 1.0");
    ASSERT_TRUE(served);
    EXPECT_EQ(served->recipe_id, "r2");
    EXPECT_EQ(served->last_served_unix_s, 5'000'000'000);
    EXPECT_FALSE(library().served_recipe("d", "warm 1.0"));
}

TEST_F(DatabaseTest, PresetsAreKeptByNameUntilRemoved) {
    EXPECT_FALSE(library().preset("Mine"));
    EXPECT_TRUE(library().store_preset("Mine", "{\"a\":1}"));
    EXPECT_FALSE(library().store_preset("mine", "{}")) << "only the case differs";
    EXPECT_TRUE(library().store_preset("Ander\xC3\xA9", "{}"));
    close();
    EXPECT_EQ(library().preset("Mine"), "{\"a\":1}");
    EXPECT_FALSE(library().preset("mine"));
    EXPECT_EQ(preset_in(database(), "Mine"), "{\"a\":1}");
    EXPECT_EQ(library().presets().size(), 2u);
    EXPECT_FALSE(library().remove_preset("mine"));
    EXPECT_TRUE(library().remove_preset("Mine"));
    EXPECT_FALSE(library().remove_preset("Mine"));
    EXPECT_FALSE(preset_in(database(), "Mine"));
    EXPECT_FALSE(preset_in(music() / "nowhere.db", "Mine"));
}

TEST_F(DatabaseTest, ADatabaseOfTheFirstVersionGetsTheNewTables) {
    write_audio(music() / "a.wav", 1);
    scan();
    close();
    raw().exec("DROP TABLE reference_presets; DROP TABLE absent_contents; DROP TABLE upkeep; PRAGMA user_version = 1");
    EXPECT_FALSE(preset_in(database(), "x")) << "beside an older daemon";
    EXPECT_TRUE(library().store_preset("x", "{}"));
    EXPECT_EQ(listed().size(), 1u);
}

}  // namespace
}  // namespace lacquer::library::test
