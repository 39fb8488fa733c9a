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
    // As a daemon does, though not as often: at kNow and daily from then on. How many rows went.
    std::int64_t sweep_until(std::int64_t day) {
        std::int64_t rows = 0;
        while (swept_ <= day) rows += library().sweep(kNow + swept_++ * kDay).rows;
        return rows;
    }
    bool is_whole(const Track& track, const std::string& name) {
        return library().has_profile(track) && library().served_recipe(track.content_id, "warm") &&
               library().recipe(name + "'s recipe for warm") && library().recipe(name + "'s recipe for bright") &&
               library().recipe("recipe of both");
    }

private:
    std::int64_t swept_ = 0;
};

TEST_F(SweepTest, WhatTheLibraryHasIsKeptForEver) {
    EXPECT_EQ(sweep_until(99), 0);
    EXPECT_TRUE(is_whole(track_of("a.wav"), "a"));
    EXPECT_TRUE(is_whole(track_of("b.wav"), "b"));
}

TEST_F(SweepTest, VanishedContentIsForgottenAfterThirtyDays) {
    const Track gone = track_of("a.wav");
    fs::remove(gone.path);
    scan();
    EXPECT_EQ(sweep_until(15), 0);
    close();
    EXPECT_EQ(sweep_until(29), 0);
    EXPECT_EQ(library().sweep(kNow + 30 * kDay - 1).rows, 0);
    EXPECT_TRUE(library().has_profile(gone));
    EXPECT_EQ(library().contents()->size(), 2u) << "nor do its chunks go before";
    EXPECT_EQ(sweep_until(30), 1 + 3) << "a profile, three notes";
    EXPECT_FALSE(library().has_profile(gone));
    EXPECT_FALSE(library().served_recipe(gone.content_id, "warm"));
    EXPECT_EQ(library().contents()->size(), 1u);
    EXPECT_TRUE(is_whole(track_of("b.wav"), "b"));
    EXPECT_EQ(sweep_until(99), 0);
    EXPECT_EQ(library().contents()->size(), 1u) << "for good";
}

TEST_F(SweepTest, TheCountingBeginsAnewWhenContentWasBackMeanwhile) {
    const Track track = track_of("a.wav");
    const auto away = folder() / "away.wav";
    fs::rename(track.path, away);
    scan();
    EXPECT_EQ(sweep_until(19), 0);
    fs::rename(away, track.path);
    scan();
    EXPECT_EQ(sweep_until(20), 0);
    fs::rename(track.path, away);
    scan();
    EXPECT_EQ(sweep_until(50), 0);
    fs::rename(away, track.path);
    scan();
    EXPECT_EQ(sweep_until(80), 0) << "back in time";
    EXPECT_TRUE(is_whole(track, "a"));
}

TEST_F(SweepTest, AClockThatJumpsMakesNothingOld) {
    const Track gone = track_of("a.wav");
    fs::remove(gone.path);
    scan();
    // No clock of its own: the time of its last shutdown, or none at all, until the network tells.
    for (const std::int64_t now : {std::int64_t{0}, kNow, kNow - 100 * kDay, kNow + 400 * kDay, std::int64_t{1}, kNow})
        EXPECT_EQ(library().sweep(now).rows, 0) << now;
    EXPECT_TRUE(library().has_profile(gone));
    EXPECT_EQ(library().contents()->size(), 2u);
}

TEST_F(SweepTest, ContentReplacedInPlaceIsForgottenButForItsRecipes) {
    const Track before = track_of("a.wav");
    write_audio(music() / "a.wav", 99, 300);
    scan();
    EXPECT_EQ(track_of("a.wav").id, before.id);
    EXPECT_EQ(sweep_until(29), 0);
    EXPECT_EQ(sweep_until(31), 4);
    EXPECT_FALSE(library().has_profile(before));
    EXPECT_FALSE(library().served_recipe(before.content_id, "warm"));
    EXPECT_TRUE(library().recipe("a's recipe for warm")) << "a playlist pins it: the track only got other tags";
}

TEST_F(SweepTest, AVanishedTrackKeepsItsId) {
    const Track before = track_of("a.wav");
    const auto away = folder() / "away.wav";
    fs::rename(before.path, away);
    scan();
    sweep_until(31);
    fs::rename(away, before.path);
    scan();
    EXPECT_EQ(track_of("a.wav").id, before.id);
}

TEST_F(SweepTest, ManyContentsGoSomeAtATime) {
    for (int i = 0; i < 250; ++i) library().set_served_recipe("gone " + std::to_string(i), "warm", {"none", 0});
    EXPECT_EQ(sweep_until(31), 250);
}

TEST_F(SweepTest, ContentsAreThoseOfTracksThatCanBePlayed) {
    write_audio(music() / "copy" / "a.wav", 'a');
    set_mtime(music() / "a.wav", 1000);
    set_mtime(music() / "copy" / "a.wav", 1000);
    std::ofstream(music() / "broken.wav") << "no audio";
    fs::remove(music() / "b.wav");
    scan();
    EXPECT_EQ(library().contents()->size(), 2u);
    sweep_until(30);
    const auto contents = library().contents().value();
    ASSERT_EQ(contents.size(), 1u);
    EXPECT_EQ(contents[0].content_id, track_of("a.wav").content_id);
    EXPECT_EQ(contents[0].decoder, track_of("a.wav").media.decoder);
}

TEST_F(SweepTest, ContentsAreNotKnownBeforeOneScanOfTheDatabaseHasSeenEveryFolder) {
    EXPECT_TRUE(library().contents());
    library().repair();
    EXPECT_FALSE(library().contents());
    fs::rename(music(), folder() / "away");
    scan();
    EXPECT_FALSE(library().contents());
    fs::rename(folder() / "away", music());
    scan();
    EXPECT_TRUE(library().contents());
    fs::rename(music(), folder() / "away");
    scan();
    EXPECT_EQ(library().contents()->size(), 2u) << "those it knows";
    fs::rename(folder() / "away", music());
    close();
    EXPECT_EQ(library().contents()->size(), 2u);
}

TEST_F(SweepTest, AFolderOfSomebodyElsesDoesNotKeepContentsUnknown) {
    fs::create_directories(music() / "lost+found");
    library();
    const OrdinaryUser user(folder());
    fs::permissions(music() / "lost+found", fs::perms::none);
    library().repair();
    EXPECT_EQ(scan().unreadable_folders, 1);
    EXPECT_EQ(library().contents()->size(), 2u);
    library().repair();
    fs::permissions(music(), fs::perms::none);
    scan();
    EXPECT_FALSE(library().contents()) << "the root itself is another matter";
    fs::permissions(music(), fs::perms::owner_all);
    fs::permissions(music() / "lost+found", fs::perms::owner_all);
}

TEST_F(SweepTest, WhatADiskMountedTooLateHidStaysContent) {
    write_audio(music() / "disk" / "c.wav", 'c');
    scan();
    fs::rename(music() / "disk", folder() / "unmounted");
    write_audio(music() / "disk" / "placeholder.wav", 'p');
    EXPECT_EQ(scan().removed, 1);
    sweep_until(10);
    EXPECT_EQ(library().contents()->size(), 4u);
}

TEST_F(SweepTest, OfDamagedDatabasesTheNewestTwoAreKept) {
    const auto aside = [&](const std::string& suffix) { return fs::path(database().native() + ".damaged-" + suffix); };
    const std::vector<std::string> oldest_first = {"20250101T000000Z", "20260101T000000Z", "20260101T000000Z-2",
                                                   "20260101T000000Z-10"};
    for (const std::string& suffix : oldest_first)
        for (const char* part : {"", "-wal", "-shm"}) std::ofstream(aside(suffix).native() + part) << "damaged";
    const std::vector<std::string> of_somebody = {"20240101T000000Z.bak", "before-upgrade", "20240101",
                                                  "20240101T000000Z-"};
    for (const std::string& suffix : of_somebody) std::ofstream(aside(suffix)) << "mine";
    for (const char* suffix : {"20270101T000000Z", "20270101T000000Z-2"}) std::ofstream(aside(suffix)).flush();
    std::ofstream(database().parent_path() / "library.db.backup") << "mine";
    EXPECT_EQ(library().sweep(kNow).files, 2 + 2) << "the two old ones, and two that are empty";
    for (const std::string& suffix : of_somebody) EXPECT_TRUE(fs::exists(aside(suffix))) << suffix;
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
