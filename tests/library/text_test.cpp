#include "src/library/text.h"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

namespace lacquer::library {
namespace {

constexpr const char* kReplacement = "\xEF\xBF\xBD";

TEST(Text, ValidTextIsLeftAlone) {
    for (const char* text : {"", "plain", "Björk", "\xE6\x97\xA5\xE6\x9C\xAC", "\xF0\x9F\x8E\xB5 note", "a  b"})
        EXPECT_EQ(clean_text(text), text);
}

TEST(Text, WhatIsNotUtf8IsReplaced) {
    EXPECT_EQ(clean_text("caf\xE9"), std::string("caf") + kReplacement);
    EXPECT_EQ(clean_text("\xC0\xAF"), std::string(kReplacement) + kReplacement);         // overlong
    EXPECT_EQ(clean_text("\xED\xA0\x80").substr(0, 3), kReplacement);                    // surrogate
    EXPECT_EQ(clean_text("\xF4\x90\x80\x80").substr(0, 3), kReplacement);                // above U+10FFFF
    EXPECT_EQ(clean_text("x\xE2\x82"), std::string("x") + kReplacement + kReplacement);  // cut short
}

TEST(Text, AnyBytesMakeValidJson) {
    std::uint32_t seed = 1;
    for (int round = 0; round < 2000; ++round) {
        std::string bytes(static_cast<std::size_t>(round % 40), '\0');
        for (char& byte : bytes) byte = static_cast<char>((seed = seed * 1664525u + 1013904223u) >> 24);
        // nlohmann's strict dump throws on anything that is not UTF-8.
        EXPECT_NO_THROW(static_cast<void>(nlohmann::json(clean_text(bytes)).dump())) << "round " << round;
        EXPECT_NO_THROW(static_cast<void>(nlohmann::json(folded(clean_text(bytes))).dump())) << "round " << round;
    }
}

TEST(Text, ControlCharactersBecomeSpacesAndTheEndsAreTrimmed) {
    EXPECT_EQ(clean_text(std::string_view("\0 a\nb\x7F"
                                          "c \0\t",
                                          10)),
              "a b c");
}

TEST(Text, LongTextIsCutBetweenCharacters) {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "\xE6\x97\xA5";
    EXPECT_EQ(clean_text(text).size(), 1023u);
    EXPECT_EQ(clean_text(std::string(5000, 'a')).size(), 1024u);
}

TEST(Text, CaseIsFoldedInEveryScript) {
    EXPECT_EQ(folded("ABC xyz 123"), "abc xyz 123");
    EXPECT_EQ(folded("BJÖRK"), "björk");
    EXPECT_EQ(folded("ЧАЙКОВСКИЙ"), "чайковский");
    EXPECT_EQ(folded("ΜΊΚΗΣ"), folded("μίκησ"));
}

TEST(Text, WordsAreWhatIsBetweenSpaces) {
    EXPECT_EQ(words("  one two\tthree "), (std::vector<std::string>{"one", "two", "three"}));
    EXPECT_TRUE(words(" ").empty());
    EXPECT_TRUE(words("").empty());
}

}  // namespace
}  // namespace lacquer::library
