// A damaged database costs measuring, never the daemon and never a track: moved aside, said so, found again.
#include <map>
#include <random>
#include <set>

#include <SQLiteCpp/Database.h>

#include "tests/library/fixture.h"

namespace lacquer::library::test {
namespace {

constexpr int kFiles = 60;

class DamageTest : public LibraryTest {
protected:
    DamageTest() {
        for (std::uint32_t i = 0; i < kFiles; ++i) write_audio(music() / (std::to_string(i) + ".wav"), i);
        scan();
        close();
        healthy_ = bytes();
    }
    std::string bytes() const {
        std::ifstream stream(database(), std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
    void write(const std::string& content) const { std::ofstream(database(), std::ios::binary) << content; }
    void write_damaged(std::size_t at, char flipped) const {
        std::string damaged = healthy_;
        damaged[at] = static_cast<char>(damaged[at] ^ flipped);
        write(damaged);
    }
    std::size_t moved_aside() const {
        std::size_t count = 0;
        for (const auto& entry : fs::directory_iterator(database().parent_path()))
            count += entry.path().native().find(".damaged-") != std::string::npos ? 1 : 0;
        return count;
    }
    void begin_again() {
        close();
        fs::remove_all(database().parent_path());
        fs::create_directories(database().parent_path());
    }
    // As the keeper of a daemon does.
    void keep() {
        for (int round = 0; round < 3; ++round) {
            try {
                if (library().damaged()) library().repair();
                scan();
                if (!library().damaged()) return;
            } catch (const SQLite::Exception& error) {
                EXPECT_TRUE(library().damaged()) << error.what();
            }
        }
        ADD_FAILURE() << "the damage stays";
    }
    void expect_every_track() {
        std::set<fs::path> found;
        for (const Track& track : listed()) found.insert(track.path);
        EXPECT_EQ(found.size(), static_cast<std::size_t>(kFiles));
        for (const auto& entry : fs::directory_iterator(music())) EXPECT_TRUE(found.contains(entry.path()));
    }

    std::string healthy_;
};

TEST_F(DamageTest, WhateverIsInTheDatabasesPlaceIsMovedAsideAndSaidSo) {
    const std::vector<std::pair<std::string, std::function<void()>>> damages = {
        {"empty", [&] { write(""); }},
        {"one byte", [&] { write("S"); }},
        {"the header alone", [&] { write(healthy_.substr(0, 100)); }},
        {"the first page alone", [&] { write(healthy_.substr(0, 4096)); }},
        {"cut in the middle", [&] { write(healthy_.substr(0, healthy_.size() / 2)); }},
        {"cut inside a page", [&] { write(healthy_.substr(0, healthy_.size() - 1000)); }},
        {"a foreign file", [&] { write(std::string(20'000, 'x')); }},
        {"zeros", [&] { write(std::string(healthy_.size(), '\0')); }},
        {"magic flipped", [&] { write_damaged(3, 1); }},
        {"page size flipped", [&] { write_damaged(16, 4); }},
        {"file format flipped", [&] { write_damaged(19, 64); }},
        {"payload fraction flipped", [&] { write_damaged(21, 1); }},
        {"schema page's type flipped", [&] { write_damaged(100, 64); }},
        {"a directory", [&] { fs::create_directories(database() / "inside"); }},
    };
    for (const auto& [name, inflict] : damages) {
        SCOPED_TRACE(name);
        begin_again();
        inflict();
        EXPECT_NE(library().notice().find(database().native()), std::string::npos) << library().notice();
        EXPECT_EQ(moved_aside(), name == "empty" ? 0u : 1u);
        scan();
        expect_every_track();
        close();
        EXPECT_EQ(library().notice(), "") << "once";
    }
}

TEST_F(DamageTest, AfterAnyFlippedBitEveryTrackIsFound) {
    std::mt19937 random(20261120);
    for (int round = 0; round < 150; ++round) {
        const std::size_t at = random() % healthy_.size();
        SCOPED_TRACE(at);
        begin_again();
        write_damaged(at, static_cast<char>(1 << random() % 8));
        keep();
        expect_every_track();
    }
}

TEST_F(DamageTest, DamageMetWhileRunningIsSaidAndRepaired) {
    library();
    std::fstream file(database(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(healthy_.size() - 4096, '\x5A');
    file.close();
    EXPECT_FALSE(library().damaged());
    // Whoever writes makes the other connection look at the file again.
    EXPECT_THROW(
        {
            library().store_preset("x", "{}");
            listed();
        },
        std::runtime_error);
    EXPECT_TRUE(library().damaged());
    EXPECT_NE(library().repair().find(".damaged-"), std::string::npos);
    EXPECT_FALSE(library().damaged());
    EXPECT_EQ(moved_aside(), 1u);
    EXPECT_EQ(scan().added, kFiles);
    expect_every_track();
    close();
    EXPECT_EQ(library().notice(), "");
    expect_every_track();
}

TEST_F(DamageTest, TracksKeepTheirIdsAndPresetsStayAsFarAsTheyCanBeRead) {
    std::map<fs::path, std::int64_t> ids;
    scan();
    fs::remove(music() / "59.wav");  // so that ids are not simply counted anew
    write_audio(music() / "0 new.wav", 77);
    scan();
    for (const Track& track : listed()) ids[track.path] = track.id;
    library().store_preset("Mine", "{\"a\":1}");
    library().store_recipe("r1", "{\"b\":2}");
    close();
    // The last page: some of the table, or an index.
    std::fstream file(database(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(fs::file_size(database())) - 4096);
    file << std::string(4096, '\x5A');
    file.close();
    EXPECT_NE(library().notice(), "");
    int served = 0;
    for (const auto& [path, id] : ids) {
        const auto track = library().fresh_track(id);
        served += track && track->path == path && track->error.empty() ? 1 : 0;
    }
    EXPECT_GT(served, kFiles / 2) << "before the scan has come to them";
    scan();
    int kept = 0;
    for (const Track& track : listed()) {
        kept += ids.at(track.path) == track.id ? 1 : 0;
        EXPECT_TRUE(ids.at(track.path) == track.id || track.id > kFiles + 1) << "never another track's";
    }
    EXPECT_GT(kept, kFiles / 2);
    EXPECT_EQ(listed().size(), ids.size());
    EXPECT_EQ(library().preset("Mine"), "{\"a\":1}");
    EXPECT_EQ(library().recipe("r1"), "{\"b\":2}");
    EXPECT_EQ(track_of("0 new.wav").title, "0 new");
}

TEST_F(DamageTest, ARepairThatFailsIsTriedAgain) {
    library();
    const auto state = database().parent_path();
    fs::rename(state, folder() / "away");
    EXPECT_THROW(library().repair(), std::runtime_error);
    EXPECT_THROW(listed(), std::runtime_error) << "and nothing crashes";
    EXPECT_THROW(library().profile_text({}), std::runtime_error);
    fs::rename(folder() / "away", state);
    library().repair();
    scan();
    expect_every_track();
}

}  // namespace
}  // namespace lacquer::library::test
