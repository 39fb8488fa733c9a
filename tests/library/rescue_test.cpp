// A damaged database stays where it is until a new one holds what could be read of it.
#include <algorithm>
#include <csignal>

#include <SQLiteCpp/Database.h>
#include <sys/resource.h>

#include "tests/library/fixture.h"

namespace lacquer::library::test {
namespace {

constexpr int kFiles = 300;

// No file grows beyond `bytes` while it lives: as on a full disk, a write fails.
class FullDisk {
public:
    explicit FullDisk(std::uintmax_t bytes) {
        std::signal(SIGXFSZ, SIG_IGN);
        EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
        const rlimit now{bytes, before_.rlim_max};
        EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &now), 0);
    }
    ~FullDisk() { EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before_), 0); }
    FullDisk(const FullDisk&) = delete;
    FullDisk& operator=(const FullDisk&) = delete;

private:
    rlimit before_{};
};

class RescueTest : public LibraryTest {
protected:
    RescueTest() {
        for (std::uint32_t i = 0; i < kFiles; ++i) write_audio(music() / (std::to_string(i) + ".wav"), i);
        fs::create_directories(folder() / "away");
        scan();
        // So that ids are not those of a first scan.
        fs::rename(music() / "0.wav", folder() / "away" / "0.wav");
        scan();
        write_audio(music() / "last.wav", 1000);
        scan();
        for (const Track& track : listed()) ids_[track.path] = track.id;
        library().store_preset("Mine", "{}");
        close();
    }
    void write(const std::string& sql) {
        SQLite::Database raw(database().native(), SQLite::OPEN_READWRITE);
        raw.exec("PRAGMA writable_schema = ON");
        raw.exec(sql);
    }
    // Only the check of the whole file finds it: an index without its entries.
    void damage() {
        write(
            "UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'roots') "
            "WHERE name = 'tracks_by_size'");
    }
    std::vector<std::string> state_files() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(database().parent_path()))
            names.push_back(entry.path().filename().native().substr(0, std::string("library.db.damaged").size()));
        std::sort(names.begin(), names.end());
        return names;
    }
    void expect_all_is_rescued() {
        EXPECT_NE(library().notice(), "");
        expect_all_is_there();
    }
    void expect_all_is_there() {
        scan();
        for (const Track& track : listed()) EXPECT_EQ(ids_.at(track.path), track.id) << track.path;
        EXPECT_EQ(listed().size(), ids_.size());
        EXPECT_EQ(library().preset("Mine"), "{}");
    }

    std::map<fs::path, std::int64_t> ids_;
};

TEST_F(RescueTest, OnAFullDiskTheDamagedDatabaseStaysWhereItIs) {
    damage();
    const auto before = fs::file_size(database());
    for (const std::uintmax_t bytes : {std::uintmax_t{0}, std::uintmax_t{8192}, before / 4, before / 2}) {
        SCOPED_TRACE(bytes);
        const FullDisk full(bytes);
        EXPECT_THROW(library(), std::runtime_error);
        EXPECT_EQ(fs::file_size(database()), before);
        for (const std::string& name : state_files()) EXPECT_EQ(name.find("damaged"), std::string::npos) << name;
    }
    expect_all_is_rescued();
}

TEST_F(RescueTest, OnAFullDiskARepairIsTriedAgain) {
    library();
    const auto before = fs::file_size(database());
    {
        const FullDisk full(before / 4);
        for (int i = 0; i < 3; ++i) EXPECT_THROW(library().repair(), std::runtime_error);
    }
    EXPECT_NE(library().repair().find(".damaged-"), std::string::npos);
    const auto files = state_files();
    EXPECT_EQ(std::count(files.begin(), files.end(), "library.db.damaged"), 1);
    expect_all_is_there();
}

TEST_F(RescueTest, WhatAnEndDuringTheRescueLeftIsBegunAnew) {
    damage();
    std::ofstream(database().native() + ".new") << "half of it";
    std::ofstream(database().native() + ".new-journal") << "and its journal";
    expect_all_is_rescued();
    EXPECT_EQ(state_files().front(), "library.db");
    const auto files = state_files();
    EXPECT_EQ(std::count(files.begin(), files.end(), "library.db.new"), 0);
}

TEST_F(RescueTest, WhatAnEndBetweenTheRenamesLeftIsAdopted) {
    fs::rename(database(), database().native() + ".new");
    std::ofstream(database().native() + "-wal") << "of the damaged one";
    EXPECT_EQ(library().notice(), "");
    expect_all_is_there();
}

TEST_F(RescueTest, AnEmptyFileIsRemovedNotKept) {
    for (int i = 0; i < 3; ++i) {
        std::ofstream(database(), std::ios::trunc);
        EXPECT_NE(library().notice().find("was empty"), std::string::npos) << library().notice();
        close();
    }
    EXPECT_EQ(state_files(), std::vector<std::string>{"library.db"});
}

TEST_F(RescueTest, IdsAreKeptWhateverTheSequenceSays) {
    for (const char* sql : {"DELETE FROM sqlite_sequence", "UPDATE sqlite_sequence SET seq = 20000000",
                            "UPDATE sqlite_sequence SET seq = 3", "UPDATE sqlite_sequence SET seq = 'x'"}) {
        SCOPED_TRACE(sql);
        write(sql);
        damage();
        expect_all_is_rescued();
        write_audio(music() / "new.wav", 2000);
        scan();
        EXPECT_GT(track_of("new.wav").id, ids_.at(music() / "last.wav")) << "never another track's";
        fs::remove(music() / "new.wav");
        scan();
        close();
    }
}

}  // namespace
}  // namespace lacquer::library::test
