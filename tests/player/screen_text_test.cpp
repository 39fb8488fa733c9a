#include "src/player/screen_text.h"

#include <gtest/gtest.h>

namespace lacquer::player {
namespace {

TEST(ScreenText, NothingThatATerminalObeysIsLeft) {
    EXPECT_EQ(printable("a\x1b[2Jb"), "a [2Jb");
    EXPECT_EQ(printable("\tx\r\ny\x7f"), "x  y");
    EXPECT_EQ(printable("c1 \xc2\x9b"
                        "1m, \xc2\x85"),
              "c1 1m,");
    EXPECT_EQ(printable("\xe2\x80\xae"
                        "cba\xe2\x81\xa6"),
              "cba");
    EXPECT_EQ(printable("line\xe2\x80\xa8separator"), "lineseparator");
    EXPECT_EQ(printable("not utf-8 \xff"), "not utf-8 \xef\xbf\xbd");
}

TEST(ScreenText, LettersOfEveryScriptStay) {
    for (const char* text : {"Händel - Музыка", "夜に駆ける", "e\u0301", "עברית", "🎵"})
        EXPECT_EQ(printable(text), text);
}

TEST(ScreenText, ColumnsAreThoseOfATerminal) {
    EXPECT_EQ(columns_of("abc"), 3);
    EXPECT_EQ(columns_of("äöü"), 3);
    EXPECT_EQ(columns_of("夜に"), 4);
    EXPECT_EQ(columns_of("e\u0301"), 1);
    EXPECT_EQ(columns_of("🎵"), 2);
    EXPECT_EQ(columns_of(""), 0);
}

TEST(ScreenText, IsCutByColumns) {
    EXPECT_EQ(cut_to("abcdef", 6), "abcdef");
    EXPECT_EQ(cut_to("abcdef", 5), "abcd…");
    EXPECT_EQ(cut_to("夜に駆ける", 10), "夜に駆ける");
    EXPECT_EQ(cut_to("夜に駆ける", 6), "夜に…");
    EXPECT_EQ(cut_to("夜に駆ける", 5), "夜に…");
    EXPECT_EQ(cut_to("夜に駆ける", 4), "夜…");
    EXPECT_EQ(cut_to("e\u0301e\u0301e\u0301", 2), "e\u0301…");
    EXPECT_EQ(cut_to("abc", 1), "…");
    EXPECT_EQ(cut_to("abc", 0), "");
}

TEST(ScreenText, AsciiKeepsTheColumns) {
    for (const char* text : {"Händel", "夜に駆ける", "e\u0301a", "cut…"}) {
        EXPECT_EQ(static_cast<int>(ascii(text).size()), columns_of(text)) << text;
    }
}

}  // namespace
}  // namespace lacquer::player
