#include "src/player/keys.h"

#include <cmath>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "dsp/preset.h"

namespace lacquer::player {
namespace {

using namespace std::chrono_literals;

std::string said(const PlayerCommand& command) {
    struct Say {
        std::string operator()(const TogglePause&) const { return "pause"; }
        std::string operator()(const SeekBy& seek) const { return "seek " + std::to_string(std::lround(seek.seconds)); }
        std::string operator()(const ToggleOriginal&) const { return "a/b"; }
        std::string operator()(const SelectPreset& preset) const { return preset.name; }
        std::string operator()(const ChangeIntensity& change) const {
            return "intensity " + std::to_string(std::lround(change.by * 10));
        }
        std::string operator()(const NextTrack&) const { return "next"; }
        std::string operator()(const PreviousTrack&) const { return "previous"; }
        std::string operator()(const Quit&) const { return "quit"; }
    };
    return std::visit(Say(), command);
}

std::string typed(KeyParser& parser, std::string_view bytes) {
    std::string text;
    for (const PlayerCommand& command : parser.parse(bytes)) text += (text.empty() ? "" : ",") + said(command);
    return text;
}

std::string typed(std::string_view bytes) {
    KeyParser parser;
    return typed(parser, bytes);
}

TEST(KeyParser, EveryKeyHasItsCommand) {
    EXPECT_EQ(typed(" anpq"), "pause,a/b,next,previous,quit");
    EXPECT_EQ(typed("[ ]"), "intensity -1,pause,intensity 1");
    EXPECT_EQ(typed("xyzQ09\r\n\t\x7f"), "");
}

TEST(KeyParser, DigitsSelectThePresetsOfTheTableInItsOrder) {
    const std::string_view digits = "12345678";
    ASSERT_EQ(dsp::presets().size(), digits.size());
    for (std::size_t i = 0; i < digits.size(); ++i) EXPECT_EQ(typed(digits.substr(i, 1)), dsp::presets()[i].name);
}

TEST(KeyParser, ArrowsSeekInBothForms) {
    for (const std::string start : {"\x1b[", "\x1bO"}) {
        EXPECT_EQ(typed(start + "A"), "seek 30");
        EXPECT_EQ(typed(start + "B"), "seek -30");
        EXPECT_EQ(typed(start + "C"), "seek 5");
        EXPECT_EQ(typed(start + "D"), "seek -5");
    }
}

TEST(KeyParser, SequencesMayBeSplitAnywhere) {
    const std::string all = "n\x1b[C\x1bOAp\x1b[15~\x1b]0;qqq\x1b\\a";
    const std::string whole = typed(all);
    EXPECT_EQ(whole, "next,seek 35,previous,a/b");
    for (std::size_t cut = 1; cut < all.size(); ++cut) {
        KeyParser parser;
        std::string parts = typed(parser, std::string_view(all).substr(0, cut));
        const std::string second = typed(parser, std::string_view(all).substr(cut));
        if (!parts.empty() && !second.empty()) parts += ",";
        parts += second;
        EXPECT_TRUE(parts == whole || parts == "next,seek 5,seek 30,previous,a/b") << cut << ": " << parts;
    }
}

TEST(KeyParser, HeldKeysAreAddedUpAndOtherKeysKeepTheirPlace) {
    EXPECT_EQ(typed("\x1b[C\x1b[C\x1b[A\x1b[D"), "seek 35");
    EXPECT_EQ(typed("]]]["), "intensity 2");
    EXPECT_EQ(typed("\x1b[C \x1b[C"), "seek 5,pause,seek 5");
    EXPECT_EQ(typed("aa"), "a/b,a/b");
}

TEST(KeyParser, UnknownSequencesLeaveNothingBehind) {
    for (const std::string_view unknown :
         {"\x1b[1;2C", "\x1b[3~", "\x1b[[A", "\x1b[[B", "\x1bOP", "\x1b[200~", "\x1b[?1;2c", "\x1b[<0;10;10M", "\x1bq",
          "\x1b]11;rgb:aaaa/nnnn/qqqq\x07", "\x1bPq1n2p\x1b\\", "\x1b_qq\x1b\\", "\x1b[12\x18", "\x1bO\x1a"}) {
        KeyParser parser;
        EXPECT_EQ(typed(parser, unknown), "") << unknown.substr(1);
        EXPECT_EQ(typed(parser, "n"), "next") << unknown.substr(1);
    }
}

TEST(KeyParser, TheKeyEscapeAloneIsForgottenOnceNothingFollows) {
    KeyParser parser;
    const KeyParser::Clock::time_point begin{};
    const auto commands = [&](std::string_view bytes, KeyParser::Clock::duration after) {
        return parser.parse(bytes, begin + after).size();
    };
    EXPECT_EQ(commands("\x1b", 1s), 0u);
    EXPECT_EQ(commands("", 1s + KeyParser::kPatience), 0u);
    EXPECT_EQ(commands("[C", 1s + KeyParser::kPatience), 1u);  // a slow line
    EXPECT_EQ(commands("\x1b", 2s), 0u);
    EXPECT_EQ(commands("q", 2s + 2 * KeyParser::kPatience), 1u);
    EXPECT_EQ(typed("\x1b\x1b[A"), "seek 30");
}

TEST(KeyParser, TextInUtf8IsNoKey) {
    EXPECT_EQ(typed("äßé日本"), "");
    EXPECT_EQ(typed("\x9bq"), "quit");  // 8-bit CSI is not sent by terminals that speak UTF-8
    EXPECT_EQ(typed("\x1b[\xc3\xa4n"), "next");
}

TEST(KeyParser, TheLineOfKeysIsToggled) {
    KeyParser parser;
    EXPECT_FALSE(parser.take_help());
    typed(parser, "?");
    EXPECT_TRUE(parser.take_help());
    EXPECT_FALSE(parser.take_help());
    typed(parser, "hh");
    EXPECT_FALSE(parser.take_help());
}

}  // namespace
}  // namespace lacquer::player
