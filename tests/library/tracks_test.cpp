// Searching and paging.
#include "tests/library/fixture.h"

namespace lacquer::library::test {
namespace {

class TracksTest : public LibraryTest {
protected:
    void add(const std::string& name, const Tags& tags) {
        write_audio(music() / (name + ".flac"), ++seed_);
        tag(music() / (name + ".flac"), tags);
    }
    using Titles = std::vector<std::string>;

private:
    std::uint32_t seed_ = 0;
};

TEST_F(TracksTest, EveryWordMustBeSomewhere) {
    add("one", {{"TITLE", "Blue Train"}, {"ARTIST", "John Coltrane"}, {"ALBUM", "Blue Train"}});
    add("two", {{"TITLE", "Blue in Green"}, {"ARTIST", "Miles Davis"}, {"ALBUM", "Kind of Blue"}});
    scan();
    EXPECT_EQ(titles("blue"), (Titles{"Blue Train", "Blue in Green"}));
    EXPECT_EQ(titles("GREEN blue"), Titles{"Blue in Green"});
    EXPECT_EQ(titles("olt rain"), Titles{"Blue Train"});
    EXPECT_EQ(titles("coltrane green"), Titles{});
    EXPECT_EQ(titles("two"), Titles{"Blue in Green"});  // the file's stem
    EXPECT_EQ(titles("flac"), Titles{});                // not its extension
    EXPECT_EQ(titles("  ").size(), 2u);
    EXPECT_EQ(library().tracks("blue", 0, 1).total, 2);
}

TEST_F(TracksTest, AWordIsNotFoundAcrossTwoFields) {
    add("one", {{"TITLE", "ab"}, {"ARTIST", "cd"}});
    scan();
    EXPECT_EQ(titles("abcd"), Titles{});
    EXPECT_EQ(titles("ab\ncd"), Titles{"ab"});
}

TEST_F(TracksTest, NoCharacterOfAQueryIsSpecial) {
    add("one", {{"TITLE", "100% of_it"}});
    add("two", {{"TITLE", "1000 often it's \"so\""}});
    add("three", {{"TITLE", "back\\slash * ; --"}});
    scan();
    EXPECT_EQ(titles("100%"), Titles{"100% of_it"});
    EXPECT_EQ(titles("%"), Titles{"100% of_it"});
    EXPECT_EQ(titles("of_"), Titles{"100% of_it"});
    EXPECT_EQ(titles("'"), Titles{"1000 often it's \"so\""});
    EXPECT_EQ(titles("\"so\""), Titles{"1000 often it's \"so\""});
    EXPECT_EQ(titles("\\"), Titles{"back\\slash * ; --"});
    EXPECT_EQ(titles("* ; --"), Titles{"back\\slash * ; --"});
    EXPECT_EQ(titles("' OR 1=1 --"), Titles{});
    EXPECT_EQ(titles(std::string(100'000, '%')), Titles{});
    EXPECT_EQ(titles(std::string("\xFF\xFE\0x", 4)), Titles{});
}

TEST_F(TracksTest, CaseDoesNotMatterInAnyScript) {
    add("one", {{"TITLE", "ÁRSTÍÐIR"}});
    add("two", {{"TITLE", "Лебединое озеро"}});
    scan();
    EXPECT_EQ(titles("árstíðir"), Titles{"ÁRSTÍÐIR"});
    EXPECT_EQ(titles("ОЗЕРО"), Titles{"Лебединое озеро"});
}

TEST_F(TracksTest, AreInAlbumOrder) {
    const auto track = [](std::string artist, std::string album, std::string disc, std::string number,
                          std::string title) {
        return Tags{
            {"ARTIST", artist}, {"ALBUM", album}, {"DISCNUMBER", disc}, {"TRACKNUMBER", number}, {"TITLE", title}};
    };
    add("1", track("b", "X", "1", "1", "last"));
    add("2", track("A", "Y", "2", "1", "fifth"));
    add("3", track("a", "Y", "1", "10", "fourth"));
    add("4", track("A", "y", "1", "9", "third"));
    add("5", track("a", "X", "1", "1", "Second"));
    add("6", track("a", "X", "1", "1", "first"));
    Tags compilation = track("zz", "W", "1", "1", "zeroth");
    compilation["ALBUMARTIST"] = "a";
    add("7", compilation);
    scan();
    EXPECT_EQ(titles(), (Titles{"zeroth", "first", "Second", "third", "fourth", "fifth", "last"}));
}

TEST_F(TracksTest, PagesPutTogetherAreTheWholeList) {
    for (std::uint32_t i = 0; i < 25; ++i) write_audio(music() / std::to_string(i % 3) / "same.wav", i);
    for (std::uint32_t i = 0; i < 22; ++i) write_audio(music() / (std::to_string(i) + ".wav"), i);
    scan();
    const std::vector<Track> all = listed();
    ASSERT_EQ(all.size(), 25u);
    std::vector<std::int64_t> ids;
    for (std::int64_t start = 0;; start += 7) {
        const TrackPage page = library().tracks("", start, 7);
        EXPECT_EQ(page.total, 25);
        if (page.items.empty()) break;
        for (const Track& track : page.items) ids.push_back(track.id);
    }
    ASSERT_EQ(ids.size(), all.size());
    for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], all[i].id);
}

TEST_F(TracksTest, APageOutsideTheListIsEmptyButKnowsTheTotal) {
    write_audio(music() / "a.wav", 1);
    scan();
    EXPECT_TRUE(library().tracks("", 1, 10).items.empty());
    EXPECT_EQ(library().tracks("", 5, 10).total, 1);
    EXPECT_TRUE(library().tracks("", 0, 0).items.empty());
    EXPECT_TRUE(library().tracks("", 0, -1).items.empty());
    EXPECT_EQ(library().tracks("", -3, 10).items.size(), 1u);
}

}  // namespace
}  // namespace lacquer::library::test
