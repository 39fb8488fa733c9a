#include "src/player/status_lines.h"

#include <cstdlib>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/player/screen_text.h"
#include "tests/player/small_screen.h"
#include "tests/player/some_status.h"

namespace lacquer::player {
namespace {

using std::chrono_literals::operator""ms;
using test::some_status;
using testing::HasSubstr;
using testing::Not;

constexpr std::array kHeld{-2.4, -3.9};

std::vector<std::string> seen(const PlayerStatus& status, int columns, const Style& style = {}) {
    std::vector<std::string> lines;
    for (const std::string& line : status_lines(status, kHeld, columns, style)) {
        test::SmallScreen screen(1000);
        screen.show(line);
        EXPECT_EQ(screen.lines().size(), 1u);
        lines.push_back(screen.lines()[0]);
    }
    return lines;
}

std::string all(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

TEST(StatusLines, AnOrdinaryTerminalShowsEverything) {
    const auto lines = seen(some_status(), 80);
    ASSERT_EQ(lines.size(), 6u);
    EXPECT_EQ(lines[0], "► Nina Simone - Feeling Good                                               3/12");
    EXPECT_EQ(lines[1], "  1:02 ━━━━━━━━━━━━━━━━━━━━━━━╸─────────────────────────────────────────── 2:54");
    EXPECT_EQ(lines[2], "  L ■■■■■■■■■■■■■■■■■■■■■■··│·  -2.4   R ■■■■■■■■■■■■■■■■■■■■■■··│·  -3.9 dBFS");
    EXPECT_EQ(lines[3], "  warm 80 % · M -13.8 · I -14.2 LUFS · comp  -2.1 · limit  -0.4 dB");
    EXPECT_EQ(lines[4], "  HDA Intel PCH · 48 kHz from 44.1 · buffer 2.4 s · 52 ms · no dropouts");
    EXPECT_THAT(lines[5], HasSubstr("q quit"));
}

TEST(StatusLines, AHalfOfAScreenShowsLevelsDeviceAndKeys) {
    const auto lines = seen(some_status(), 40);
    ASSERT_EQ(lines.size(), 6u);
    EXPECT_THAT(lines[2], HasSubstr("peak ■■■■■"));
    EXPECT_EQ(lines[3], "  warm 80 % · M -13.8 · I -14.2 LUFS");
    EXPECT_THAT(lines[4], HasSubstr("48 kHz from 44.1"));
    EXPECT_THAT(lines[5], HasSubstr("q quit"));
}

TEST(StatusLines, EverySwitchAndTroubleIsSeenOn80Columns) {
    PlayerStatus status = some_status();
    status.original = true;
    status.match_gain_db = 4.7;
    status.underruns = 2;
    status.xruns = 1;
    status.state = PlayerStatus::State::waiting_for_device;
    const std::string text = all(seen(status, 80));
    EXPECT_THAT(text, HasSubstr("ORIGINAL +4.7 dB"));
    EXPECT_THAT(text, HasSubstr("2 underruns, 1 xrun"));
    EXPECT_THAT(text, HasSubstr("waiting for device"));
    EXPECT_THAT(text, Not(HasSubstr("comp")));
    status.original = false;
    status.reduction.reset();
    EXPECT_THAT(all(seen(status, 80)), Not(HasSubstr("comp")));
}

TEST(StatusLines, NoLineIsWiderThanTheTerminalWhateverTheWidth) {
    PlayerStatus status = some_status();
    for (const std::string title :
         {"Short", "夜に駆ける - ずっと真夜中でいいのに。夜に駆ける - ずっと真夜中でいいのに。",
          "e\u0301e\u0301e\u0301"}) {
        status.track.title = title;
        status.device = title + title + title;
        for (const bool unicode : {true, false}) {
            for (int columns = 1; columns <= 200; ++columns) {
                Style style;
                style.unicode = unicode;
                for (const std::string& line : seen(status, columns, style)) {
                    EXPECT_LE(columns_of(line), std::max(1, columns - 1)) << columns << ": " << line;
                    EXPECT_TRUE(unicode || std::all_of(line.begin(), line.end(), [](char c) { return c > 0; }));
                }
            }
        }
    }
}

TEST(StatusLines, LeavesARowOfASmallTerminalForWhatIsAbove) {
    for (int rows = 1; rows <= 8; ++rows) {
        Style style;
        style.rows = rows;
        EXPECT_EQ(status_lines(some_status(), kHeld, 80, style).size(),
                  static_cast<std::size_t>(std::clamp(rows - 1, 1, 6)));
    }
    EXPECT_EQ(seen(some_status(), 10).size(), 1u);
    Style style;
    style.keys = false;
    EXPECT_EQ(seen(some_status(), 80, style).size(), 5u);
}

TEST(StatusLines, TitlesCannotSteerTheTerminal) {
    PlayerStatus status = some_status();
    status.track.title =
        "a\x1b[2Jb\x07\xc2\x9b"
        "31mc\xe2\x80\xae"
        "d\r\ne\x1b]0;owned\x07 \xff";
    status.device = status.track.bound = status.preset = status.track.title;
    for (const std::string& line : status_lines(status, kHeld, 120, {.color = false})) {
        std::string rest = line;
        for (const std::string ours : {"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[7m"}) {
            for (std::size_t at; (at = rest.find(ours)) != std::string::npos;) rest.erase(at, ours.size());
        }
        for (const char c : rest) EXPECT_GE(static_cast<unsigned char>(c), 0x20u) << rest;
        EXPECT_EQ(rest.find("\xc2\x9b"), std::string::npos);
        EXPECT_EQ(rest.find("\xe2\x80\xae"), std::string::npos);
    }
}

TEST(StatusLines, NumbersThatAreNoneDoNotHurt) {
    PlayerStatus status = some_status();
    for (const double odd :
         {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -1e300, 1e300}) {
        status.position_seconds = status.track.length_seconds = status.meters.momentary_lufs = odd;
        status.meters.peak_dbfs = {odd, odd};
        for (const int columns : {20, 50, 80}) EXPECT_FALSE(seen(status, columns).empty());
        EXPECT_FALSE(status_lines(status, {odd, odd}, 80, {}).empty());
    }
}

TEST(StatusLines, TheMeterIsInProportion) {
    PlayerStatus status = some_status();
    for (const auto& [dbfs, share] : {std::pair{-60.0, 0.0}, {-30.0, 0.5}, {-200.0, 0.0}, {0.0, 1.0}, {3.0, 1.0}}) {
        status.meters.peak_dbfs = {dbfs, dbfs};
        const std::string line = status_lines(status, {-200.0, -200.0}, 80, {.color = false})[2];
        const auto count = [&](const std::string& mark) {
            int times = 0;
            for (std::size_t at = 0; (at = line.find(mark, at)) != std::string::npos; at += mark.size()) ++times;
            return times;
        };
        EXPECT_NEAR(count("■"), share * (count("■") + count("·")), 2.0) << dbfs;
    }
}

TEST(StatusLines, NoColorIsHonoured) {
    ::setenv("NO_COLOR", "1", 1);
    EXPECT_FALSE(style_of_environment().color);
    ::setenv("NO_COLOR", "", 1);
    EXPECT_TRUE(style_of_environment().color);
    ::unsetenv("NO_COLOR");
    EXPECT_TRUE(style_of_environment().color);
    for (const std::string& line : status_lines(some_status(), kHeld, 80, {.color = false})) {
        EXPECT_THAT(line, Not(HasSubstr("\x1b[3")));
    }
    EXPECT_THAT(all(status_lines(some_status(), kHeld, 80, {})), HasSubstr("\x1b[3"));
}

TEST(StatusLines, OnlyALocaleOfUtf8GetsUtf8) {
    for (const auto& [locale, is_utf8] : {std::pair{"C.UTF-8", true}, {"C", false}, {"no_such_locale", false}}) {
        ::setenv("LC_ALL", locale, 1);
        EXPECT_EQ(style_of_environment().unicode, is_utf8) << locale;
    }
    ::unsetenv("LC_ALL");
}

TEST(PeakHold, HoldsThenFalls) {
    PeakHold hold;
    const PeakHold::Clock::time_point begin{};
    hold.update({-6.0, -20.0}, begin);
    hold.update({-50.0, -10.0}, begin + 1000ms);
    EXPECT_EQ(hold.dbfs(), (std::array{-6.0, -10.0}));
    hold.update({-50.0, -50.0}, begin + 1600ms);
    EXPECT_LT(hold.dbfs()[0], -6.0);
    EXPECT_EQ(hold.dbfs()[1], -10.0);
    for (int i = 0; i < 100; ++i) hold.update({-50.0, -50.0}, begin + 3000ms);
    EXPECT_EQ(hold.dbfs(), (std::array{-50.0, -50.0}));
}

TEST(TimeText, IsAsPeopleWriteIt) {
    EXPECT_EQ(time_text(0.0), "0:00");
    EXPECT_EQ(time_text(59.99), "0:59");
    EXPECT_EQ(time_text(3599.0), "59:59");
    EXPECT_EQ(time_text(3661.0), "1:01:01");
}

}  // namespace
}  // namespace lacquer::player
