// What tags in real files become.
#include <nlohmann/json.hpp>

#include "tests/library/fixture.h"

namespace lacquer::library::test {
namespace {

using TagsTest = LibraryTest;

TEST_F(TagsTest, AreReadFromEveryFormat) {
    for (const char* name : {"a.wav", "b.flac", "c.ogg"}) {
        write_audio(music() / name, 1, 8000, 44'100);
        tag(music() / name, {{"TITLE", std::string("Jóga ") + name},
                             {"ARTIST", "Björk"},
                             {"ALBUM", "Homogenic"},
                             {"ALBUMARTIST", "Björk Guðmundsdóttir"},
                             {"GENRE", "Electronic"},
                             {"TRACKNUMBER", "2/10"},
                             {"DISCNUMBER", "1/2"},
                             {"DATE", "1997-09-22"}});
    }
    scan();
    for (const char* name : {"a.wav", "b.flac", "c.ogg"}) {
        const Track track = track_of(name);
        EXPECT_EQ(track.title, std::string("Jóga ") + name);
        EXPECT_EQ(track.artist, "Björk");
        EXPECT_EQ(track.album, "Homogenic");
        EXPECT_EQ(track.album_artist, "Björk Guðmundsdóttir");
        EXPECT_EQ(track.genre, "Electronic");
        EXPECT_EQ(track.track_number, 2);
        EXPECT_EQ(track.disc_number, 1);
        EXPECT_EQ(track.year, 1997);
        EXPECT_EQ(track.media.frame_count, 8000) << name;
    }
}

TEST_F(TagsTest, NumbersThatAreNoneAreUnknown) {
    write_audio(music() / "a.flac", 1);
    tag(music() / "a.flac", {{"TRACKNUMBER", "A3"}, {"DISCNUMBER", "-1"}, {"DATE", "99999999999999999999"}});
    scan();
    EXPECT_EQ(track_of("a.flac").track_number, 0);
    EXPECT_EQ(track_of("a.flac").disc_number, 0);
    EXPECT_EQ(track_of("a.flac").year, 9999);
}

TEST_F(TagsTest, WithoutATitleTheStemIsTheTitle) {
    write_audio(music() / "03 - My.Song.flac", 1);
    scan();
    EXPECT_EQ(listed().at(0).title, "03 - My.Song");
}

TEST_F(TagsTest, AFileNameThatIsNoUtf8IsKeptOnDiskAndReplacedInTheTitle) {
    const fs::path file = music() / "caf\xE9.wav";
    write_audio(file, 1);
    scan();
    const Track track = listed().at(0);
    EXPECT_EQ(track.path, file);
    EXPECT_EQ(track.title, "caf\xEF\xBF\xBD");
    EXPECT_NO_THROW(static_cast<void>(nlohmann::json(track.title).dump()));
    EXPECT_TRUE(library().fresh_track(track.id));
    EXPECT_EQ(scan().unchanged, 1);
}

TEST_F(TagsTest, BrokenUtf8InATagIsNotPassedOn) {
    write_audio(music() / "a.flac", 1);
    tag(music() / "a.flac", {{"TITLE", "abcdXX"}});
    std::ifstream input(music() / "a.flac", std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(input), {}};
    bytes.replace(bytes.find("abcdXX"), 6, "abcd\xFF\xC3");
    std::ofstream(music() / "a.flac", std::ios::binary) << bytes;
    scan();
    EXPECT_NE(track_of("a.flac").title, "");
    EXPECT_NO_THROW(static_cast<void>(nlohmann::json(track_of("a.flac").title).dump()));
}

TEST_F(TagsTest, TheFileIsLeftAsItIs) {
    write_audio(music() / "a.flac", 1);
    tag(music() / "a.flac", {{"TITLE", "x"}});
    const std::string before = content_id(music() / "a.flac");
    scan();
    EXPECT_EQ(content_id(music() / "a.flac"), before);
}

}  // namespace
}  // namespace lacquer::library::test
