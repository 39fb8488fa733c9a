#include "src/player/status_lines.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>
#include <langinfo.h>
#include <locale.h>

#include "src/player/screen_text.h"
#include "src/player/status_line_builder.h"

namespace lacquer::player {
namespace {

constexpr double kMeterFloorDbfs = -60.0;
constexpr double kMeterWarmDbfs = -12.0;
constexpr double kMeterHotDbfs = -3.0;
constexpr std::chrono::milliseconds kHoldFor{1500};
constexpr double kFallDb = 1.5;  // per update, once held long enough
constexpr int kIndent = 2;
constexpr int kWideColumns = 60;    // from here on both meters, with their numbers, stand in one line
constexpr int kNarrowColumns = 30;  // below: no meters, no device, no keys

struct Marks {
    std::string_view playing, paused, waiting;
    std::string_view done, head, rest;  // of the bar
    std::string_view lit, unlit, hold;  // of a meter
    std::string_view arrows;            // keys
};
constexpr Marks kUnicode{"►", "‖", "…", "━", "╸", "─", "■", "·", "│", "←→↑↓"};
constexpr Marks kAscii{">", "=", ".", "=", ">", "-", "#", ".", "|", "arrows"};

const Marks& marks_of(const Style& style) {
    return style.unicode ? kUnicode : kAscii;
}

std::string repeated(std::string_view mark, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += mark;
    return text;
}

std::string level_text(double db) {
    return db <= -99.95 ? "-inf" : fmt::format("{:.1f}", db == 0.0 ? 0.0 : db);
}

std::string_view state_word(PlayerStatus::State state) {
    switch (state) {
        case PlayerStatus::State::loading:
            return "loading";
        case PlayerStatus::State::playing:
            return "";
        case PlayerStatus::State::paused:
            return "paused";
        case PlayerStatus::State::waiting_for_device:
            return "waiting for device";
        case PlayerStatus::State::ended:
            return "ended";
    }
    return "";
}

std::string title_line(const PlayerStatus& status, int columns, const Style& style) {
    const Marks& marks = marks_of(style);
    const bool playing = status.state == PlayerStatus::State::playing;
    const bool paused = status.state == PlayerStatus::State::paused;
    std::string number;
    if (status.track.of > 1) number = fmt::format("{}/{}", status.track.number, status.track.of);
    const std::string word(state_word(status.state));
    const int end_columns = columns_of(word) + (word.empty() ? 0 : 2) + columns_of(number) + (number.empty() ? 0 : 2);
    const std::string title = printable(status.track.title.empty() ? status.track.name : status.track.title);

    LineBuilder line(columns, style);
    line.add(playing ? Ink::good : Ink::warn, playing ? marks.playing : paused ? marks.paused : marks.waiting);
    line.fill_to(kIndent);
    const bool has_room = line.left() - end_columns >= 8;
    line.add(Ink::bold, cut_to(title, has_room ? line.left() - end_columns : line.left()));
    if (!has_room) return line.text();
    line.fill_to(columns - end_columns);
    if (!word.empty()) line.add(Ink::warn, "  " + word);
    if (!number.empty()) line.add(Ink::dim, "  " + number);
    return line.text();
}

std::string time_line(const PlayerStatus& status, int columns, const Style& style) {
    const Marks& marks = marks_of(style);
    const double length = status.track.length_seconds;
    const std::string at = time_text(status.position_seconds);
    const std::string end = time_text(length);
    LineBuilder line(columns, style);
    line.fill_to(kIndent);
    line.add(Ink::plain, fmt::format("{:>{}}", at, end.size()));
    const int bar = line.left() - static_cast<int>(end.size()) - 2;
    if (bar < 5) {
        line.add(Ink::dim, " / " + end);
        return line.text();
    }
    const double ratio = status.position_seconds / length;
    const double share = std::isfinite(ratio) ? std::clamp(ratio, 0.0, 1.0) : 0.0;
    const int done = std::min(bar, static_cast<int>(share * bar));
    line.add(Ink::plain, " ");
    line.add(Ink::accent, repeated(marks.done, done));
    if (done < bar) line.add(Ink::accent, marks.head);
    line.add(Ink::dim, repeated(marks.rest, bar - done - 1));
    line.add(Ink::plain, " ");
    line.add(Ink::dim, end);
    return line.text();
}

Ink ink_at(double dbfs) {
    return dbfs >= kMeterHotDbfs ? Ink::bad : dbfs >= kMeterWarmDbfs ? Ink::warn : Ink::good;
}

// One of `cells` cells stands for the levels from its own lower end up.
int cell_of(double dbfs, int cells) {
    const double bounded = std::clamp(std::isnan(dbfs) ? -200.0 : dbfs, -200.0, 0.0);
    return static_cast<int>(std::floor((1.0 - bounded / kMeterFloorDbfs) * cells));
}

void add_meter(LineBuilder& line, std::string_view name, double peak, double held, int cells, const Style& style) {
    const Marks& marks = marks_of(style);
    const int lit = std::clamp(cell_of(peak, cells), 0, cells);
    const int hold = std::clamp(cell_of(held, cells), -1, cells - 1);
    line.add(Ink::dim, std::string(name) + " ");
    for (int cell = 0; cell < cells;) {  // runs of one ink
        const double level = kMeterFloorDbfs * (1.0 - (cell + 0.5) / cells);
        if (cell == hold && hold >= 0 && hold >= lit) {
            line.add(ink_at(held), marks.hold);
            ++cell;
            continue;
        }
        const bool is_lit = cell < lit;
        const Ink ink = is_lit ? ink_at(level) : Ink::dim;
        int run = 1;
        while (cell + run < cells && cell + run != hold && (cell + run < lit) == is_lit &&
               (!is_lit || ink_at(kMeterFloorDbfs * (1.0 - (cell + run + 0.5) / cells)) == ink)) {
            ++run;
        }
        line.add(ink, repeated(is_lit ? marks.lit : marks.unlit, run));
        cell += run;
    }
    line.add(held >= 0.0 ? Ink::bad : Ink::plain, fmt::format(" {:>5}", level_text(held)));
}

std::string meter_line(const PlayerStatus& status, const std::array<double, 2>& held, int columns, const Style& style) {
    const auto& peak = status.meters.peak_dbfs;
    LineBuilder line(columns, style);
    line.fill_to(kIndent);
    if (columns < kWideColumns) {
        add_meter(line, "peak", std::max(peak[0], peak[1]), std::max(held[0], held[1]), columns - kIndent - 11, style);
        return line.text();
    }
    const int cells = (columns - kIndent - 2 * 8 - 3 - 5) / 2;  // names, numbers, a gap, the unit
    add_meter(line, "L", peak[0], held[0], cells, style);
    line.add(Ink::plain, "   ");
    add_meter(line, "R", peak[1], held[1], cells, style);
    line.add(Ink::dim, " dBFS");
    return line.text();
}

std::string reduction_text(double db) {
    return level_text(db > 0.05 ? -db : 0.0);
}

std::string sound_line(const PlayerStatus& status, int columns, const Style& style) {
    FieldLine line(columns, style);
    line.field(status.original ? Ink::reverse : Ink::accent, printable(preset_text(status)));
    line.field(Ink::plain, fmt::format("{:>5}", level_text(std::max(status.meters.momentary_lufs, -70.0))), "M");
    line.field(Ink::plain, fmt::format("{:>5} LUFS", level_text(std::max(status.meters.integrated_lufs, -70.0))), "I");
    if (status.reduction && !status.original) {
        line.field(Ink::plain, fmt::format("{:>5}", reduction_text(status.reduction->compressor_db)), "comp");
        line.field(Ink::plain, fmt::format("{:>5} dB", reduction_text(status.reduction->limiter_db)), "limit");
    }
    if (!status.original) line.field(Ink::dim, printable(status.track.bound), "bound by");
    return line.text();
}

std::string dropouts_text(const PlayerStatus& status) {
    std::string text;
    if (status.underruns > 0) text = fmt::format("{} underrun{}", status.underruns, status.underruns == 1 ? "" : "s");
    if (status.xruns > 0) {
        text += fmt::format("{}{} xrun{}", text.empty() ? "" : ", ", status.xruns, status.xruns == 1 ? "" : "s");
    }
    return text;
}

std::string device_line(const PlayerStatus& status, int columns, const Style& style) {
    const std::string dropouts = dropouts_text(status);
    FieldLine line(columns, style);
    line.field(Ink::dim, cut_to(printable(status.device), columns / 4));
    line.field(Ink::warn, dropouts);
    if (status.device_rate_hz > 0) line.field(Ink::dim, rate_text(status));
    line.field(Ink::dim, fmt::format("buffer {:.1f} s", status.buffered_seconds));
    if (status.latency_ms > 0.0) line.field(Ink::dim, fmt::format("{:.0f} ms", status.latency_ms));
    if (dropouts.empty()) line.field(Ink::dim, "no dropouts");
    return line.text();
}

std::string keys_line(int columns, const Style& style) {
    LineBuilder line(columns, style);
    line.fill_to(kIndent);
    std::string text;
    for (const std::string& key :
         {std::string("space pause"), std::string("q quit"), std::string(marks_of(style).arrows) + " seek",
          std::string("a A/B"), std::string("1-8 preset"), std::string("[ ] intensity"), std::string("n p track"),
          std::string("? hide")}) {
        const std::string longer = text + (text.empty() ? "" : "  ") + key;
        if (columns_of(longer) > line.left()) break;
        text = longer;
    }
    line.add(Ink::dim, text);
    return line.text();
}

std::string charset() {
    const locale_t user = newlocale(LC_CTYPE_MASK, "", nullptr);
    if (user == nullptr) return "";
    const std::string name = nl_langinfo_l(CODESET, user);
    freelocale(user);
    return name;
}

}  // namespace

Style style_of_environment() {
    const char* no_color = std::getenv("NO_COLOR");
    Style style;
    style.color = no_color == nullptr || *no_color == '\0';
    style.unicode = charset() == "UTF-8";
    return style;
}

void PeakHold::update(const std::array<double, 2>& peak_dbfs, Clock::time_point now) {
    for (std::size_t side = 0; side < held_.size(); ++side) {
        if (peak_dbfs[side] >= held_[side]) {
            held_[side] = peak_dbfs[side];
            since_[side] = now;
        } else if (now - since_[side] > kHoldFor) {
            held_[side] = std::max(peak_dbfs[side], held_[side] - kFallDb);
        }
    }
}

std::string time_text(double seconds) {
    const double bounded = std::isfinite(seconds) ? std::clamp(seconds, 0.0, 359'999.0) : 0.0;
    const int all = static_cast<int>(bounded);
    if (all < 3600) return fmt::format("{}:{:02}", all / 60, all % 60);
    return fmt::format("{}:{:02}:{:02}", all / 3600, all / 60 % 60, all % 60);
}

std::string preset_text(const PlayerStatus& status) {
    const std::string match =
        std::abs(status.match_gain_db) < 0.05 ? "" : fmt::format(" {:+.1f} dB", status.match_gain_db);
    if (status.original) return "ORIGINAL" + match;
    return fmt::format("{} {:.0f} %{}", status.preset, status.intensity * 100.0, match);
}

std::string rate_text(const PlayerStatus& status) {
    const std::string device = fmt::format("{} kHz", status.device_rate_hz / 1000.0);
    return status.resampled ? device + fmt::format(" from {}", status.track.sample_rate_hz / 1000.0) : device;
}

std::vector<std::string> status_lines(const PlayerStatus& status, const std::array<double, 2>& held_dbfs, int columns,
                                      const Style& style) {
    const int width = std::max(1, columns - 1);
    std::vector<std::string> lines{title_line(status, width, style)};
    if (width >= 12) lines.push_back(time_line(status, width, style));
    if (width >= kNarrowColumns) lines.push_back(meter_line(status, held_dbfs, width, style));
    if (width >= 12) lines.push_back(sound_line(status, width, style));
    if (width >= kNarrowColumns) lines.push_back(device_line(status, width, style));
    if (style.keys && width >= kNarrowColumns) lines.push_back(keys_line(width, style));
    const auto most = static_cast<std::size_t>(std::max(1, style.rows - 1));
    if (lines.size() > most) lines.resize(most);
    return lines;
}

}  // namespace lacquer::player
