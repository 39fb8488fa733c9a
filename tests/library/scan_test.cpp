// What a track's id and its place in the list survive, on real folders.
#include <csignal>
#include <set>
#include <thread>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <sys/wait.h>

#include "src/library/examine.h"
#include "tests/library/fixture.h"

namespace lacquer::library::test {
namespace {

using ScanTest = LibraryTest;

void expect_counts(const ScanResult& result, ScanResult expected) {
    EXPECT_EQ(result.added, expected.added);
    EXPECT_EQ(result.changed, expected.changed);
    EXPECT_EQ(result.moved, expected.moved);
    EXPECT_EQ(result.unchanged, expected.unchanged);
    EXPECT_EQ(result.removed, expected.removed);
    EXPECT_EQ(result.undecodable, expected.undecodable);
    EXPECT_EQ(result.unreadable_folders, expected.unreadable_folders);
}

TEST_F(ScanTest, FindsEveryAudioFileInEveryFolderAndNothingElse) {
    write_audio(music() / "a.wav", 1);
    write_audio(music() / "deep" / "er" / "b.flac", 2);
    std::ofstream(music() / "cover.jpg") << "not audio";
    std::ofstream(music() / "._a.wav") << "left by another system";
    fs::create_directories(music() / "folder.wav");
    expect_counts(scan(), {.added = 2});
    EXPECT_EQ(titles(), (std::vector<std::string>{"a", "b"}));
}

TEST_F(ScanTest, KnowsExactlyWhatAFileHolds) {
    write_audio(music() / "a.wav", 1, 12'345, 44'100);
    scan();
    const Track track = track_of("a.wav");
    const media::MediaInfo truth = media::probe(music() / "a.wav");
    EXPECT_EQ(track.media.frame_count, 12'345);
    EXPECT_EQ(track.media.promised_frames, truth.promised_frames);
    EXPECT_EQ(track.media.sample_rate_hz, 44'100u);
    EXPECT_EQ(track.media.source_channels, 1u);
    EXPECT_EQ(track.media.channels, 1u);
    EXPECT_EQ(track.media.integer_bits, 16);
    EXPECT_EQ(track.media.format, truth.format);
    EXPECT_EQ(track.media.decoder, truth.decoder);
    EXPECT_EQ(track.content_id, content_id(music() / "a.wav"));
    EXPECT_NEAR(track.duration_seconds(), 0.279932, 1e-6);
}

TEST_F(ScanTest, ARenamedFileKeepsItsId) {
    write_audio(music() / "a.wav", 1);
    write_audio(music() / "b.wav", 2);
    scan();
    const std::int64_t id = track_of("b.wav").id;
    fs::create_directories(music() / "sub");
    fs::rename(music() / "b.wav", music() / "sub" / "c.wav");
    expect_counts(scan(), {.moved = 1, .unchanged = 1});
    EXPECT_EQ(track_of("sub/c.wav").id, id);
    EXPECT_EQ(track_of("sub/c.wav").title, "c");
}

TEST_F(ScanTest, ARenamedFolderKeepsAllIds) {
    std::map<fs::path, std::int64_t> ids;
    for (std::uint32_t i = 0; i < 250; ++i) write_audio(music() / "old" / (std::to_string(i) + ".wav"), i);
    scan();
    for (const Track& track : listed()) ids[track.path.filename()] = track.id;
    fs::rename(music() / "old", music() / "new");
    expect_counts(scan(), {.moved = 250});
    for (const Track& track : listed()) EXPECT_EQ(ids[track.path.filename()], track.id);
}

TEST_F(ScanTest, AFileMovedToAnotherRootKeepsItsId) {
    const fs::path other = folder() / "other";
    fs::create_directories(other);
    open({music(), other});
    write_audio(music() / "a.wav", 1);
    scan();
    const std::int64_t id = track_of("a.wav").id;
    fs::rename(music() / "a.wav", other / "a.wav");
    expect_counts(scan(), {.moved = 1});
    EXPECT_EQ(track_of(other / "a.wav").id, id);
}

TEST_F(ScanTest, ACopyBesideItsOriginalGetsAnIdOfItsOwn) {
    write_audio(music() / "a.wav", 1);
    scan();
    const Track original = track_of("a.wav");
    fs::copy_file(music() / "a.wav", music() / "b.wav");
    fs::last_write_time(music() / "b.wav", fs::last_write_time(music() / "a.wav"));
    expect_counts(scan(), {.added = 1, .unchanged = 1});
    EXPECT_EQ(track_of("a.wav").id, original.id);
    EXPECT_NE(track_of("b.wav").id, original.id);
    EXPECT_EQ(track_of("b.wav").content_id, original.content_id);
}

TEST_F(ScanTest, OfTwoCopiesOfAVanishedFileOneTakesItsIdOver) {
    write_audio(music() / "a.wav", 1);
    scan();
    const Track original = track_of("a.wav");
    for (const char* name : {"b.wav", "c.wav"}) {
        fs::copy_file(music() / "a.wav", music() / name);
        fs::last_write_time(music() / name, fs::last_write_time(music() / "a.wav"));
    }
    fs::remove(music() / "a.wav");
    expect_counts(scan(), {.added = 1, .moved = 1});
    EXPECT_EQ(track_of("b.wav").id, original.id);
    EXPECT_NE(track_of("c.wav").id, original.id);
}

TEST_F(ScanTest, NewContentKeepsTheIdAndIsUnmeasuredAgain) {
    write_audio(music() / "a.wav", 1);
    scan();
    const Track before = track_of("a.wav");
    library().store_profile_text(before, "{}");
    EXPECT_TRUE(library().unmeasured().empty());
    write_audio(music() / "a.wav", 2, 300);
    expect_counts(scan(), {.changed = 1});
    const Track after = track_of("a.wav");
    EXPECT_EQ(after.id, before.id);
    EXPECT_NE(after.content_id, before.content_id);
    EXPECT_EQ(after.media.frame_count, 300);
    EXPECT_FALSE(library().has_profile(after));
    EXPECT_EQ(library().unmeasured(), std::vector{after.id});
}

TEST_F(ScanTest, AnUnchangedFileIsNotOpened) {
    write_audio(music() / "a.wav", 1);
    set_mtime(music() / "a.wav", 1'600'000'000, 123'456'789);
    scan();
    const Track before = track_of("a.wav");
    write_audio(music() / "a.wav", 2);  // same size, other content
    set_mtime(music() / "a.wav", 1'600'000'000, 123'456'789);
    ASSERT_NE(content_id(music() / "a.wav"), before.content_id);
    expect_counts(scan(), {.unchanged = 1});
    EXPECT_EQ(track_of("a.wav").content_id, before.content_id);
    set_mtime(music() / "a.wav", 1'600'000'000, 123'456'790);  // a nanosecond later
    expect_counts(scan(), {.changed = 1});
    EXPECT_EQ(track_of("a.wav").content_id, content_id(music() / "a.wav"));
}

TEST_F(ScanTest, AVanishedFileLeavesTheListAndComesBackWithItsId) {
    write_audio(music() / "a.wav", 1);
    write_audio(music() / "b.wav", 2);
    scan();
    const Track before = track_of("b.wav");
    fs::rename(music() / "b.wav", folder() / "elsewhere.wav");
    expect_counts(scan(), {.unchanged = 1, .removed = 1});
    EXPECT_EQ(titles(), std::vector<std::string>{"a"});
    EXPECT_EQ(library().tracks("", 0, 10).total, 1);
    EXPECT_FALSE(library().track(before.id));
    EXPECT_FALSE(library().fresh_track(before.id));
    EXPECT_EQ(library().unmeasured().size(), 1u);
    expect_counts(scan(), {.unchanged = 1});  // gone is counted once

    fs::rename(folder() / "elsewhere.wav", music() / "b.wav");
    std::vector<std::int64_t> told;
    expect_counts(library().scan({}, [&](const Track& track) { told.push_back(track.id); }),
                  {.added = 1, .unchanged = 1});
    EXPECT_EQ(told, std::vector{before.id});
    EXPECT_EQ(track_of("b.wav").id, before.id);
}

TEST_F(ScanTest, AVanishedFileThatComesBackUnderAnotherNameHasItsId) {
    write_audio(music() / "a.wav", 1);
    scan();
    const std::int64_t id = track_of("a.wav").id;
    fs::rename(music() / "a.wav", folder() / "elsewhere.wav");
    scan();
    fs::rename(folder() / "elsewhere.wav", music() / "z.wav");
    expect_counts(scan(), {.moved = 1});
    EXPECT_EQ(track_of("z.wav").id, id);
}

TEST_F(ScanTest, AMoveThatLostTheModificationTimeIsRecognisedByItsSha256) {
    write_audio(music() / "a.wav", 1);
    write_audio(music() / "b.wav", 2);
    scan();
    const Track before = track_of("a.wav");
    library().store_profile_text(before, "measured");
    library().set_served_recipe(before.content_id, "warm", {"r1", 5});
    EXPECT_TRUE(library().hash_one({}));
    EXPECT_TRUE(library().hash_one({}));
    EXPECT_FALSE(library().hash_one({}));
    fs::copy_file(music() / "a.wav", music() / "c.wav");
    set_mtime(music() / "c.wav", 1'700'000'000);
    fs::remove(music() / "a.wav");
    expect_counts(scan(), {.moved = 1, .unchanged = 1});
    const Track after = track_of("c.wav");
    EXPECT_EQ(after.id, before.id);
    EXPECT_NE(after.content_id, before.content_id);
    EXPECT_EQ(library().profile_text(after), "measured");
    ASSERT_TRUE(library().served_recipe(after.content_id, "warm"));
    EXPECT_FALSE(library().hash_one({}));  // the hash moved along
}

TEST_F(ScanTest, TheSameSizeAloneIsNoReasonToTakeAnIdOver) {
    write_audio(music() / "a.wav", 1);
    scan();
    const std::int64_t id = track_of("a.wav").id;
    while (library().hash_one({})) {}
    fs::remove(music() / "a.wav");
    write_audio(music() / "b.wav", 2);
    expect_counts(scan(), {.added = 1, .removed = 1});
    EXPECT_NE(track_of("b.wav").id, id);
}

TEST_F(ScanTest, HashingPassesOverAFileThatIsGoneAndStopsWhenAsked) {
    write_audio(music() / "a.wav", 1);
    write_audio(music() / "b.wav", 2);
    scan();
    fs::remove(music() / "a.wav");
    std::stop_source stopped;
    stopped.request_stop();
    EXPECT_FALSE(library().hash_one(stopped.get_token()));
    EXPECT_TRUE(library().hash_one({}));
    EXPECT_FALSE(library().hash_one({}));
}

TEST_F(ScanTest, AnUndecodableFileIsListedWithTheReason) {
    write_audio(music() / "good.wav", 1);
    std::ofstream(music() / "bad.wav") << "this is no audio at all";
    expect_counts(scan(), {.added = 2, .undecodable = 1});
    EXPECT_NE(track_of("bad.wav").error, "");
    EXPECT_EQ(track_of("good.wav").error, "");
    EXPECT_EQ(library().unmeasured(), std::vector{track_of("good.wav").id});
    expect_counts(scan(), {.unchanged = 2, .undecodable = 1});
    write_audio(music() / "bad.wav", 3);
    expect_counts(scan(), {.changed = 1, .unchanged = 1});
    EXPECT_EQ(track_of("bad.wav").error, "");
}

TEST_F(ScanTest, AFolderThatCannotBeReadIsSkippedAndItsTracksStay) {
    write_audio(music() / "a.wav", 1);
    write_audio(music() / "locked" / "b.wav", 2);
    scan();
    close();
    const OrdinaryUser user(folder());
    fs::permissions(music() / "locked", fs::perms::none);
    expect_counts(scan(), {.unchanged = 1, .unreadable_folders = 1});
    EXPECT_EQ(titles(), (std::vector<std::string>{"a", "b"}));
    fs::permissions(music() / "locked", fs::perms::owner_all);
    expect_counts(scan(), {.unchanged = 2});
}

TEST_F(ScanTest, AFileThatMayNotBeReadIsTriedAgain) {
    write_audio(music() / "a.wav", 1);
    const OrdinaryUser user(folder());
    fs::permissions(music() / "a.wav", fs::perms::none);
    expect_counts(scan(), {.added = 1, .undecodable = 1});
    EXPECT_NE(track_of("a.wav").error, "");
    fs::permissions(music() / "a.wav", fs::perms::owner_read);
    expect_counts(scan(), {.changed = 1});
    EXPECT_EQ(track_of("a.wav").error, "");
}

TEST_F(ScanTest, AMissingRootKeepsItsTracks) {
    const fs::path other = folder() / "other";
    fs::create_directories(other);
    open({music(), other});
    write_audio(music() / "a.wav", 1);
    write_audio(other / "b.wav", 2);
    scan();
    fs::rename(other, folder() / "unmounted");
    expect_counts(scan(), {.unchanged = 1, .unreadable_folders = 1});
    EXPECT_EQ(titles(), (std::vector<std::string>{"a", "b"}));
    EXPECT_FALSE(library().fresh_track(track_of(other / "b.wav").id));
    fs::rename(folder() / "unmounted", other);
    expect_counts(scan(), {.unchanged = 2});
}

TEST_F(ScanTest, AnEmptyRootOnAnotherDeviceIsTakenForUnmounted) {
    write_audio(music() / "a.wav", 1);
    scan();
    SQLite::Database(database().native(), SQLite::OPEN_READWRITE).exec("UPDATE roots SET device = device + 1");
    fs::rename(music() / "a.wav", folder() / "a.wav");
    expect_counts(scan(), {.unreadable_folders = 1});
    EXPECT_EQ(titles(), std::vector<std::string>{"a"});
}

TEST_F(ScanTest, AnEmptyRootOnTheSameDeviceIsEmpty) {
    write_audio(music() / "a.wav", 1);
    scan();
    fs::remove(music() / "a.wav");
    expect_counts(scan(), {.removed = 1});
}

TEST_F(ScanTest, ARootThatDoesNotExistIsNamed) {
    try {
        open({music(), folder() / "nowhere"});
        FAIL() << "opened";
    } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string(error.what()).find((folder() / "nowhere").native()), std::string::npos) << error.what();
    }
}

TEST_F(ScanTest, RootsInsideEachOtherListAFileOnce) {
    write_audio(music() / "sub" / "a.wav", 1);
    open({music(), music() / "sub", music()});
    expect_counts(scan(), {.added = 1});
}

TEST_F(ScanTest, SymbolicLinksAreNotFollowed) {
    write_audio(folder() / "outside" / "secret.wav", 1);
    write_audio(music() / "a.wav", 2);
    fs::create_symlink(folder() / "outside", music() / "linked");
    fs::create_symlink(folder() / "outside" / "secret.wav", music() / "linked.wav");
    fs::create_symlink(music(), music() / "loop");
    expect_counts(scan(), {.added = 1});
}

TEST_F(ScanTest, ATrackWhoseFolderBecameALinkIsNotServed) {
    write_audio(music() / "sub" / "a.wav", 1);
    scan();
    const std::int64_t id = track_of("sub/a.wav").id;
    fs::rename(music() / "sub", folder() / "outside");
    fs::create_symlink(folder() / "outside", music() / "sub");
    EXPECT_FALSE(library().fresh_track(id));
}

TEST_F(ScanTest, ATrackReplacedByALinkIsNeitherServedNorExamined) {
    write_audio(folder() / "outside" / "secret.wav", 1);
    write_audio(music() / "a.wav", 2);
    scan();
    const Track track = track_of("a.wav");
    fs::remove(music() / "a.wav");
    fs::create_symlink(folder() / "outside" / "secret.wav", music() / "a.wav");
    EXPECT_FALSE(library().fresh_track(track.id));
    const Track now = examine(track.path);
    EXPECT_TRUE(now.content_id.empty());
    EXPECT_FALSE(now.error.empty());
    expect_counts(scan(), {.removed = 1});
}

TEST_F(ScanTest, WhatIsNoFileIsPassedOverWithoutWaiting) {
    ASSERT_EQ(::mkfifo((music() / "pipe.wav").c_str(), 0600), 0);
    write_audio(music() / "a.wav", 1);
    expect_counts(scan(), {.added = 1});
    const std::int64_t id = track_of("a.wav").id;
    fs::remove(music() / "a.wav");
    ASSERT_EQ(::mkfifo((music() / "a.wav").c_str(), 0600), 0);
    EXPECT_FALSE(library().fresh_track(id));
    EXPECT_FALSE(examine(music() / "a.wav").error.empty());
}

TEST_F(ScanTest, TracksOfAFolderThatIsNotServedAnyMoreAreGoneAtOnce) {
    write_audio(folder() / "other" / "a.wav", 1);
    fs::create_directories(folder() / "othermusic");
    open({folder() / "other"});
    scan();
    const std::int64_t id = listed().at(0).id;
    EXPECT_TRUE(library().fresh_track(id));
    open({music(), folder() / "othermusic"});
    EXPECT_FALSE(library().fresh_track(id));
}

TEST_F(ScanTest, FreshTrackSeesTheChangeOfOneFile) {
    write_audio(music() / "a.wav", 1);
    write_audio(music() / "b.wav", 2);
    scan();
    const Track before = track_of("a.wav");
    ASSERT_TRUE(library().fresh_track(before.id));
    EXPECT_EQ(library().fresh_track(before.id)->content_id, before.content_id);
    write_audio(music() / "a.wav", 3, 300);
    write_audio(music() / "b.wav", 4, 300);
    const auto fresh = library().fresh_track(before.id);
    ASSERT_TRUE(fresh);
    EXPECT_EQ(fresh->id, before.id);
    EXPECT_EQ(fresh->media.frame_count, 300);
    EXPECT_EQ(fresh->content_id, content_id(music() / "a.wav"));
    EXPECT_EQ(track_of("a.wav").media.frame_count, 300);
    EXPECT_EQ(track_of("b.wav").media.frame_count, 200);
    EXPECT_FALSE(library().fresh_track(999));
}

TEST_F(ScanTest, ANewDecoderExaminesItsTracksAgain) {
    write_audio(music() / "a.wav", 1);
    scan();
    close();
    SQLite::Database(database().native(), SQLite::OPEN_READWRITE).exec("UPDATE tracks SET decoder = 'older'");
    expect_counts(scan(), {.changed = 1});
    EXPECT_EQ(track_of("a.wav").media.decoder, media::probe(music() / "a.wav").decoder);
    close();
    expect_counts(scan(), {.unchanged = 1});
}

TEST_F(ScanTest, TellsOfEachTrackOnceItCanBeAskedFor) {
    for (std::uint32_t i = 0; i < 120; ++i) write_audio(music() / (std::to_string(i) + ".wav"), i);
    std::set<std::int64_t> told;
    library().scan({}, [&](const Track& track) {
        EXPECT_TRUE(library().track(track.id));
        told.insert(track.id);
    });
    EXPECT_EQ(told.size(), 120u);
}

TEST_F(ScanTest, AStoppedScanKeepsWhatItHasAndLosesNoTrack) {
    for (std::uint32_t i = 0; i < 350; ++i) write_audio(music() / (std::to_string(i) + ".wav"), i);
    std::stop_source stop;
    library().scan(stop.get_token(), [&](const Track&) { stop.request_stop(); });
    const auto first = listed();
    EXPECT_EQ(first.size(), 100u);
    close();
    const ScanResult rest = scan();
    EXPECT_EQ(rest.unchanged, 100);
    EXPECT_EQ(rest.added, 250);
    for (const Track& track : first) EXPECT_EQ(library().track(track.id)->path, track.path);

    fs::remove(first.front().path);
    std::stop_source at_once;
    at_once.request_stop();
    expect_counts(library().scan(at_once.get_token()), {});
    EXPECT_EQ(listed().size(), 350u);
}

TEST_F(ScanTest, AStoppedScanMarksNothingAsVanished) {
    write_audio(music() / "a.wav", 1);
    scan();
    fs::remove(music() / "a.wav");
    write_audio(music() / "b.wav", 2);
    std::stop_source stop;
    expect_counts(library().scan(stop.get_token(), [&](const Track&) { stop.request_stop(); }), {.added = 1});
    EXPECT_EQ(titles(), (std::vector<std::string>{"a", "b"}));
}

TEST_F(ScanTest, AKilledScanLosesAtMostTheLastHundredFiles) {
    for (std::uint32_t i = 0; i < 350; ++i) write_audio(music() / (std::to_string(i) + ".wav"), i);
    const pid_t child = ::fork();
    if (child == 0) {
        int told = 0;
        Library(database(), {music()}).scan({}, [&](const Track&) {
            if (++told == 201) ::kill(::getpid(), SIGKILL);
        });
        ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(library().notice(), "");
    EXPECT_EQ(listed().size(), 300u);
    expect_counts(scan(), {.added = 50, .unchanged = 300});
}

TEST_F(ScanTest, TwoThousandFilesAreFoundAndFoundAgain) {
    for (std::uint32_t i = 0; i < 2000; ++i)
        write_audio(music() / std::to_string(i % 40) / (std::to_string(i) + ".wav"), i, 32);
    expect_counts(scan(), {.added = 2000});
    expect_counts(scan(), {.unchanged = 2000});
    EXPECT_EQ(library().unmeasured().size(), 2000u);
}

TEST_F(ScanTest, EveryoneIsAnsweredWhileAScanRuns) {
    for (std::uint32_t i = 0; i < 400; ++i) write_audio(music() / (std::to_string(i) + ".wav"), i);
    std::atomic<bool> done = false;
    const auto ask = [&] {
        std::int64_t seen = 0;
        while (!done) {
            const TrackPage page = library().tracks("", seen / 2, 5);
            EXPECT_GE(page.total, seen);
            seen = page.total;
            for (const Track& track : page.items) {
                EXPECT_EQ(library().fresh_track(track.id)->content_id, track.content_id);
                library().store_profile_text(track, "{}");
            }
            library().hash_one({});
        }
    };
    library();
    std::vector<std::jthread> listeners;
    for (int i = 0; i < 3; ++i) listeners.emplace_back(ask);
    std::jthread second_scan([&] { scan(); });
    const ScanResult result = scan();
    second_scan.join();
    done = true;
    listeners.clear();
    EXPECT_EQ(result.added + result.unchanged, 400);
    EXPECT_EQ(library().tracks("", 0, 1).total, 400);
}

}  // namespace
}  // namespace lacquer::library::test
