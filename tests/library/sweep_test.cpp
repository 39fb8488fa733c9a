// What the library forgets, and what it never does.
#include "tests/library/fixture.h"

namespace lacquer::library::test {
namespace {

constexpr std::int64_t kDay = 24 * 3600;
constexpr std::int64_t kNow = 1'800'000'000;

class SweepTest : public LibraryTest {
protected:
    SweepTest() {
        for (const char* name : {"a", "b"}) {
            write_audio(music() / (std::string(name) + ".wav"), static_cast<std::uint32_t>(name[0]));
        }
        scan();
        for (const char* name : {"a", "b"}) {
            const Track track = track_of(std::string(name) + ".wav");
            library().store_profile_text(track, std::string("profile ") + name);
            for (const char* request : {"warm", "bright"})
                serve(track, request, std::string(name) + "'s recipe for " + request);
            serve(track, "same", "recipe of both");
        }
    }
    void serve(const Track& track, const std::string& request, const std::string& recipe_id) {
        library().store_recipe(recipe_id, "{}");
        library().set_served_recipe(track.content_id, request, {recipe_id, 0});
    }
    bool is_whole(const Track& track, const std::string& name) {
        return library().has_profile(track) && library().served_recipe(track.content_id, "warm") &&
               library().recipe(name + "'s recipe for warm") && library().recipe(name + "'s recipe for bright") &&
               library().recipe("recipe of both");
    }
};

TEST_F(SweepTest, WhatTheLibraryHasIsKeptForEver) {
    for (const std::int64_t days : {0, 29, 31, 10'000}) EXPECT_EQ(library().sweep(kNow + days * kDay).rows, 0);
    EXPECT_TRUE(is_whole(track_of("a.wav"), "a"));
    EXPECT_TRUE(is_whole(track_of("b.wav"), "b"));
}

TEST_F(SweepTest, VanishedContentIsForgottenAfterThirtyDays) {
    const Track gone = track_of("a.wav");
    fs::remove(gone.path);
    scan();
    EXPECT_EQ(library().sweep(kNow).rows, 0);
    close();
    EXPECT_EQ(library().sweep(kNow + 30 * kDay - 1).rows, 0);
    EXPECT_TRUE(library().has_profile(gone));
    EXPECT_EQ(library().sweep(kNow + 30 * kDay).rows, 1 + 3 + 2) << "a profile, three notes, the recipes of its own";
    EXPECT_FALSE(library().has_profile(gone));
    EXPECT_FALSE(library().served_recipe(gone.content_id, "warm"));
    EXPECT_FALSE(library().recipe("a's recipe for warm"));
    EXPECT_TRUE(is_whole(track_of("b.wav"), "b")) << "the shared recipe too";
    EXPECT_EQ(library().sweep(kNow + 99 * kDay).rows, 0);
}

TEST_F(SweepTest, TheCountingBeginsAnewWhenContentWasBackMeanwhile) {
    const Track track = track_of("a.wav");
    const auto away = folder() / "away.wav";
    fs::rename(track.path, away);
    scan();
    EXPECT_EQ(library().sweep(kNow).rows, 0);
    fs::rename(away, track.path);
    scan();
    EXPECT_EQ(library().sweep(kNow + 20 * kDay).rows, 0);
    fs::rename(track.path, away);
    scan();
    EXPECT_EQ(library().sweep(kNow + 40 * kDay).rows, 0);
    EXPECT_EQ(library().sweep(kNow + 69 * kDay).rows, 0);
    fs::rename(away, track.path);
    scan();
    EXPECT_EQ(library().sweep(kNow + 80 * kDay).rows, 0) << "back in time";
    EXPECT_TRUE(is_whole(track, "a"));
}

TEST_F(SweepTest, ContentReplacedInPlaceIsForgottenToo) {
    const Track before = track_of("a.wav");
    write_audio(music() / "a.wav", 99, 300);
    scan();
    EXPECT_EQ(track_of("a.wav").id, before.id);
    EXPECT_EQ(library().sweep(kNow).rows, 0);
    EXPECT_EQ(library().sweep(kNow + 31 * kDay).rows, 6);
    EXPECT_FALSE(library().has_profile(before));
}

TEST_F(SweepTest, AVanishedTrackKeepsItsId) {
    const Track before = track_of("a.wav");
    const auto away = folder() / "away.wav";
    fs::rename(before.path, away);
    scan();
    library().sweep(kNow);
    library().sweep(kNow + 31 * kDay);
    fs::rename(away, before.path);
    scan();
    EXPECT_EQ(track_of("a.wav").id, before.id);
}

TEST_F(SweepTest, ManyContentsGoSomeAtATime) {
    for (int i = 0; i < 250; ++i) library().set_served_recipe("gone " + std::to_string(i), "warm", {"none", 0});
    library().sweep(kNow);
    EXPECT_EQ(library().sweep(kNow + 31 * kDay).rows, 250);
}

TEST_F(SweepTest, ContentsAreThoseOfTracksThatCanBePlayed) {
    write_audio(music() / "copy" / "a.wav", 'a');
    set_mtime(music() / "a.wav", 1000);
    set_mtime(music() / "copy" / "a.wav", 1000);
    std::ofstream(music() / "broken.wav") << "no audio";
    fs::remove(music() / "b.wav");
    scan();
    const auto contents = library().contents();
    ASSERT_EQ(contents.size(), 1u);
    EXPECT_EQ(contents[0].content_id, track_of("a.wav").content_id);
    EXPECT_EQ(contents[0].decoder, track_of("a.wav").media.decoder);
}

TEST_F(SweepTest, OfDamagedDatabasesTheNewestTwoAreKept) {
    const auto aside = [&](const std::string& suffix) { return fs::path(database().native() + ".damaged-" + suffix); };
    const std::vector<std::string> oldest_first = {"20250101T000000Z", "20260101T000000Z", "20260101T000000Z-2",
                                                   "20260101T000000Z-10"};
    for (const std::string& suffix : oldest_first)
        for (const char* part : {"", "-wal", "-shm"}) std::ofstream(aside(suffix).native() + part) << "damaged";
    std::ofstream(database().parent_path() / "library.db.backup") << "mine";
    EXPECT_EQ(library().sweep(kNow).files, 2);
    for (const char* part : {"", "-wal", "-shm"}) {
        EXPECT_FALSE(fs::exists(aside("20250101T000000Z").native() + part));
        EXPECT_FALSE(fs::exists(aside("20260101T000000Z").native() + part));
        EXPECT_TRUE(fs::exists(aside("20260101T000000Z-2").native() + part));
        EXPECT_TRUE(fs::exists(aside("20260101T000000Z-10").native() + part));
    }
    EXPECT_TRUE(fs::exists(database().parent_path() / "library.db.backup"));
    EXPECT_EQ(library().sweep(kNow).files, 0);
}

}  // namespace
}  // namespace lacquer::library::test
