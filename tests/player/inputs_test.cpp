#include "src/player/inputs.h"

#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "src/player/natural_order.h"
#include "src/player/playlist.h"
#include "tests/support/temp_dir.h"

namespace lacquer::player {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class InputsTest : public testing::Test {
protected:
    void file(const std::string& name, const std::string& text = "") {
        fs::create_directories((folder / name).parent_path());
        std::ofstream(folder / name, std::ios::binary) << text;
    }
    Inputs expand(const std::vector<std::string>& given) {
        return expand_inputs(given, {.fetch = [this](const Url& url) {
                                 const auto found = pages.find(url.text());
                                 if (found == pages.end()) throw std::runtime_error(url.text() + ": 404 Not Found");
                                 const auto moved = moved_to.find(url.text());
                                 return FetchedText{found->second, moved == moved_to.end() ? url : moved->second};
                             }});
    }
    // What is played, below the folder, and every problem after a "!".
    std::vector<std::string> played(const std::vector<std::string>& given) {
        const Inputs inputs = expand(given);
        std::vector<std::string> lines;
        for (const Input& input : inputs.items) {
            const auto* path = std::get_if<fs::path>(&input.source);
            lines.push_back(path != nullptr ? path->lexically_relative(fs::canonical(folder.path())).string()
                                            : std::get<Url>(input.source).text());
        }
        for (const InputProblem& problem : inputs.problems) lines.push_back("!" + problem.reason);
        return lines;
    }
    std::string at(const std::string& name) const { return (folder / name).string(); }

    test::TempDir folder;
    std::map<std::string, std::string> pages;
    std::map<std::string, Url> moved_to;
};

TEST_F(InputsTest, AFolderIsPlayedInNaturalOrder) {
    for (const char* name : {"m/10.flac", "m/9.mp3", "m/Disc 2/1.wav", "m/disc 1/2.wav", "m/disc 1/11.wav",
                             "m/cover.jpg", "m/._9.mp3", "m/list.m3u", "m/disc 10/1.ogg"}) {
        file(name);
    }
    EXPECT_THAT(played({at("m")}), ElementsAre("m/9.mp3", "m/10.flac", "m/disc 1/2.wav", "m/disc 1/11.wav",
                                               "m/Disc 2/1.wav", "m/disc 10/1.ogg"));
    EXPECT_EQ(expand({at("m")}).items[2].name, at("m/disc 1/2.wav"));
}

TEST_F(InputsTest, LinksThatAreGivenAreResolvedAndThoseInsideAreNotFollowed) {
    file("real/a.flac");
    file("music/b.flac");
    fs::create_symlink(folder / "real/a.flac", folder / "given.flac");
    fs::create_directory_symlink(folder / "real", folder / "music/inside");
    fs::create_symlink(folder / "real/a.flac", folder / "music/c.flac");
    fs::create_directory_symlink(folder / "music", folder / "link");
    EXPECT_THAT(played({at("given.flac"), at("link")}), ElementsAre("real/a.flac", "music/b.flac"));
}

TEST_F(InputsTest, WhatCannotBeHadIsAProblemOfItsOwn) {
    file("a.flac");
    file("odd.txt");
    fs::create_directories(folder / "empty");
    ASSERT_EQ(::mkfifo(at("pipe.wav").c_str(), 0600), 0);
    EXPECT_THAT(played({at("none.flac"), at("a.flac"), at("empty"), at("pipe.wav"), at("odd.txt"), "ftp://h/x"}),
                ElementsAre("a.flac", "odd.txt", "!No such file or directory", "!no audio files in this folder",
                            "!neither a file nor a folder", "!not an address of http or https"));
}

TEST_F(InputsTest, PlaylistsNameFilesFoldersAndUrls) {
    file("music/a b.flac");
    file("music/more/c.mp3");
    file("Händel.mp3");
    file("lists/all.m3u",
         "#EXTINF:1,The Title\r\n../music/a b.flac\r\n..\\music\\more\r\nhttp://h/x.wav?token=1\r\n../H\xe4ndel.mp3\r\n"
         "../music/a%20b.flac\r\nfile://" +
             at("music/more/c.mp3") + "\r\ngone.mp3\r\n");
    EXPECT_THAT(played({at("lists/all.m3u")}),
                ElementsAre("music/a b.flac", "music/more/c.mp3", "http://h/x.wav?token=1", "Händel.mp3",
                            "music/a b.flac", "music/more/c.mp3", "!No such file or directory"));
    const Inputs inputs = expand({at("lists/all.m3u")});
    EXPECT_EQ(inputs.items[0].title, "The Title");
    EXPECT_EQ(inputs.items[2].name, "http://h/x.wav?token=***");
    EXPECT_EQ(inputs.problems[0].name, at("lists/gone.mp3"));
}

TEST_F(InputsTest, PlaylistsWithinPlaylistsEnd) {
    file("a.flac");
    file("x.m3u", "a.flac\ny.m3u\nx.m3u\n");
    file("y.m3u", "a.flac\nx.m3u\n./y.m3u\n");
    EXPECT_THAT(played({at("x.m3u"), at("x.m3u")}),
                ElementsAre("a.flac", "a.flac", "a.flac", "a.flac", "!a playlist that contains itself",
                            "!a playlist that contains itself", "!a playlist that contains itself",
                            "!a playlist that contains itself", "!a playlist that contains itself",
                            "!a playlist that contains itself"));
    for (int i = 0; i < 20; ++i) file(std::to_string(i) + ".m3u", std::to_string(i + 1) + ".m3u\na.flac\n");
    EXPECT_THAT(expand({at("0.m3u")}).items, SizeIs(8));
}

TEST_F(InputsTest, PlaylistsThatMultiplyAreBounded) {
    file("a.flac");
    for (int level = 0; level < 7; ++level) {
        std::string text;
        for (int i = 0; i < 100; ++i) text += level == 6 ? "a.flac\n" : std::to_string(level + 1) + ".m3u\n";
        file(std::to_string(level) + ".m3u", text);
    }
    const Inputs inputs = expand({at("0.m3u")});
    EXPECT_LE(inputs.items.size(), kMaxInputs);
    EXPECT_THAT(inputs.problems, Contains(testing::Field(&InputProblem::reason, "too many playlists")));
}

TEST_F(InputsTest, EntriesAreRelativeToWhereThePlaylistWasFoundAtLast) {
    pages["http://nas/list.m3u"] = "1.wav\n/2.wav\nhttp://k/3.wav\nlist.m3u\n";
    moved_to["http://nas/list.m3u"] = parse_url("http://cdn/music/list.m3u").value();
    EXPECT_THAT(played({"http://nas/list.m3u"}),
                ElementsAre("http://cdn/music/1.wav", "http://cdn/2.wav", "http://k/3.wav",
                            "!http://cdn/music/list.m3u: 404 Not Found"));
}

TEST_F(InputsTest, APlaylistFromElsewhereOpensNoFileOfThisMachine) {
    file("a.flac");
    pages["http://u:p@h/l/list.m3u8"] =
        "#EXTM3U\n#EXTINF:3,One\n1.wav\n" + at("a.flac") + "\nfile://" + at("a.flac") + "\n../other.pls\n";
    pages["http://u:p@h/other.pls"] = "[playlist]\nFile1=//k/2.wav\nFile2=l/list.m3u8\nFile3=gone.m3u\n";
    EXPECT_THAT(played({"http://u:p@h/l/list.m3u8"}),
                ElementsAre("http://u:p@h/l/1.wav", "http://u:p@h" + at("a.flac"), "http://k/2.wav",
                            "!not an address of http or https", "!a playlist that contains itself",
                            "!http://***@h/gone.m3u: 404 Not Found"));
    for (const Input& input : expand({"http://u:p@h/l/list.m3u8"}).items) {
        EXPECT_EQ(input.name.find("u:p"), std::string::npos);
    }
}

TEST_F(InputsTest, CancellingEndsIt) {
    file("a.flac");
    const std::vector<std::string> given{at("a.flac"), at("a.flac"), at("a.flac")};
    int asked = 0;
    EXPECT_THAT(expand_inputs(given, {.fetch = {}, .cancelled = [&] { return ++asked > 2; }}).items, SizeIs(2));
}

TEST(NaturalOrder, IsATotalOrderThatPeopleExpect) {
    const std::vector<std::string> sorted{"",        "1",        "01",      "1a", "2",   "10", "a",      "A1/z",
                                          "a/2.wav", "a/10.wav", "a 1.wav", "a1", "a01", "b",  "track9", "Track10"};
    for (const std::string& a : sorted) {
        EXPECT_FALSE(natural_less(a, a));
        for (const std::string& b : sorted) {
            EXPECT_TRUE(a == b || natural_less(a, b) != natural_less(b, a)) << a << " " << b;
            for (const std::string& c : sorted) {
                const bool is_chain = natural_less(a, b) && natural_less(b, c);
                EXPECT_TRUE(!is_chain || natural_less(a, c)) << a << b << c;
            }
        }
    }
    EXPECT_TRUE(natural_less("track9", "Track10"));
    EXPECT_TRUE(natural_less("a/2", "a/10"));
    EXPECT_TRUE(natural_less("a/z", "a b/a"));
    EXPECT_TRUE(natural_less("99999999999999999999998", "99999999999999999999999"));
}

}  // namespace
}  // namespace lacquer::player
