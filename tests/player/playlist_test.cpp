#include "src/player/playlist.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lacquer::player {
namespace {

using testing::ElementsAre;

std::vector<std::string> read(std::string_view text, PlaylistKind kind = PlaylistKind::m3u) {
    std::vector<std::string> lines;
    for (const PlaylistEntry& entry : parse_playlist(text, kind)) {
        lines.push_back(entry.location + (entry.title.empty() ? "" : "|" + entry.title));
    }
    return lines;
}

TEST(Playlist, M3uIsReadAsOtherPlayersReadIt) {
    EXPECT_THAT(read("\xef\xbb\xbf#EXTM3U\r\n#EXTINF:61,Artist - Title\r\na.flac\r\n\r\n# a comment\r\n  b c.mp3 \t\r\n"
                     "http://h/x?a=b#c\r\n"),
                ElementsAre("a.flac|Artist - Title", "b c.mp3", "http://h/x?a=b#c"));
    EXPECT_THAT(read("one\rtwo\nthree"), ElementsAre("one", "two", "three"));
    EXPECT_THAT(read("#EXTINF:-1 logo=\"a,b\" x=\"c\",The Title, with comma\nx"),
                ElementsAre("x|The Title, with comma"));
    EXPECT_THAT(read("#EXTINF:5,one\n#EXTINF:6,two\nx\ny"), ElementsAre("x|two", "y"));
    EXPECT_THAT(read(""), ElementsAre());
}

TEST(Playlist, TitlesInLatin1AreReadAndLocationsAreLeftAsTheyAre) {
    EXPECT_THAT(read("#EXTINF:1,H\xe4ndel\nH\xe4ndel.mp3"), ElementsAre("H\xe4ndel.mp3|Händel"));
    EXPECT_THAT(read("#EXTINF:1,Händel\nHändel.mp3"), ElementsAre("Händel.mp3|Händel"));
    EXPECT_EQ(from_latin1("H\xe4ndel"), "Händel");
    EXPECT_TRUE(is_utf8("\xef\xbf\xbd"));
    EXPECT_FALSE(is_utf8("\xef\xbf"));
}

TEST(Playlist, PlsIsInTheOrderOfItsNumbers) {
    EXPECT_THAT(
        read("[playlist]\r\nFile10=ten.mp3\r\nfile2 = two.mp3\r\nTitle2=Two\r\nLength2=5\r\nFILE1=http://h/1\r\n"
             "Title7=nothing\r\nNumberOfEntries=3\r\nVersion=2\r\nFile=x\r\nFilex=y\r\n",
             PlaylistKind::pls),
        ElementsAre("http://h/1", "two.mp3|Two", "ten.mp3"));
}

TEST(Playlist, HlsIsNotAListOfTracks) {
    EXPECT_THROW(read("#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nseg1.ts"), PlaylistError);
    EXPECT_THROW(read("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8"), PlaylistError);
}

TEST(Playlist, IsBounded) {
    std::string lines;
    for (std::size_t i = 0; i < kMaxPlaylistEntries; ++i) lines += "a\n";
    EXPECT_EQ(read(lines).size(), kMaxPlaylistEntries);
    EXPECT_THROW(read(lines + "b\n"), PlaylistError);
    EXPECT_THROW(read(std::string(kMaxPlaylistBytes + 1, '\n')), PlaylistError);
    EXPECT_THAT(read(std::string(10'000, 'x') + "\ny\n" + std::string("z\0z", 3)), ElementsAre("y"));
}

TEST(Playlist, IsKnownByItsName) {
    EXPECT_EQ(playlist_kind("a.M3U"), PlaylistKind::m3u);
    EXPECT_EQ(playlist_kind("/x/a.m3u8"), PlaylistKind::m3u);
    EXPECT_EQ(playlist_kind("a.pls"), PlaylistKind::pls);
    EXPECT_FALSE(playlist_kind("a.cue"));
    EXPECT_FALSE(playlist_kind("m3u"));
    EXPECT_FALSE(playlist_kind(""));
}

}  // namespace
}  // namespace lacquer::player
