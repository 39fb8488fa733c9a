// The status block as text: pure functions of what there is to show.
//
//     ► Nina Simone - Feeling Good                                              3/12
//       1:02 ━━━━━━━━━━━━━━━━━━━━━━━╸─────────────────────────────────────────── 2:54
//       L ■■■■■■■■■■■■■■■■■■■■■■··│·  -2.4   R ■■■■■■■■■■■■■■■■■■■■■■··│·  -3.9 dBFS
//       warm 80 % · M -13.8 · I -14.2 LUFS · comp  -2.1 · limit  -0.4 dB
//       HDA Intel PCH · 48 kHz from 44.1 · buffer 2.4 s · 52 ms · no dropouts
//       space pause  q quit  ←→↑↓ seek  a A/B  1-8 preset  [ ] intensity  n p track
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "src/player/player_status.h"

namespace lacquer::player {

struct Style {
    bool color = true;    // false: bold and dim at most ($NO_COLOR)
    bool unicode = true;  // false: ASCII
    bool keys = true;     // the line that explains them
    int rows = 24;        // of the terminal; the block takes at most all but one
};
// As the environment ($NO_COLOR, $LC_ALL, $LC_CTYPE, $LANG) has it.
Style style_of_environment();

// The highest peaks of the last while, as meters show them.
class PeakHold {
public:
    using Clock = std::chrono::steady_clock;
    void update(const std::array<double, 2>& peak_dbfs, Clock::time_point now);
    const std::array<double, 2>& dbfs() const noexcept { return held_; }

private:
    std::array<double, 2> held_{-200.0, -200.0};
    std::array<Clock::time_point, 2> since_{};
};

// From 1 to 6 lines without line ends, none wider than `columns` - 1 (the last column makes some terminals wrap), the
// less important ones and parts left out where there is no room.
std::vector<std::string> status_lines(const PlayerStatus& status, const std::array<double, 2>& held_dbfs, int columns,
                                      const Style& style);

// For lines of text: "1:02", "1:02:03"; "0:00" for what is no time.
std::string time_text(double seconds);
std::string preset_text(const PlayerStatus& status);  // "warm 80 %", "ORIGINAL", with the gain that matches
std::string rate_text(const PlayerStatus& status);    // "48 kHz from 44.1"

}  // namespace lacquer::player
