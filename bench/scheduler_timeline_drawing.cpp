#include "bench/scheduler_timeline_drawing.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ostream.h>

namespace lacquer::bench {
namespace {

using test::VirtualListener;
using Run = test::VirtualWorkers::Run;

struct Look {
    const char* name;
    const char* colour;
    char letter;
};
constexpr std::array<Look, kTaskClasses> kLooks{{{"listener", "#c0392b", 'L'},
                                                 {"look-ahead", "#e59866", 'a'},
                                                 {"rest of track", "#5b8db8", 'r'},
                                                 {"batch", "#58a55c", 'b'},
                                                 {"measuring", "#b0a8b9", 'm'}}};

constexpr double kWidth = 1100, kLeft = 96, kTop = 60, kLane = 30, kRow = 20, kGap = 34;

const Look& look_of(const Run& run) {
    return kLooks[static_cast<std::size_t>(run.urgency.task_class)];
}

double seconds(Deadline time) {
    return std::chrono::duration<double>(time.time_since_epoch()).count();
}

bool is_behind(const VirtualListener::Heard& heard) {
    return !heard.first && heard.at > heard.due;
}

// Until what is heard next, or the end of the listening, or of the picture.
Deadline plays_until(const Scenario& scenario, const VirtualListener& listener, std::size_t i) {
    Deadline end = listener.heard()[i].at + scenario.chunks().costs().audio;
    if (i + 1 < listener.heard().size()) end = std::min(end, listener.heard()[i + 1].due);
    return std::min({end, listener.left().value_or(end), scenario.workers().now()});
}

class Svg {
public:
    Svg(const Scenario& scenario, std::ostream& out)
        : scenario_(scenario), out_(out), end_(scenario.wish().seconds), scale_((kWidth - kLeft - 24) / end_) {}

    void draw() {
        const double lanes = kLane * scenario_.wish().workers;
        const double rows = kRow * static_cast<double>(scenario_.listeners().size());
        const double height = kTop + lanes + kGap + rows + 30;
        fmt::print(out_,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
                   "font-family=\"sans-serif\" font-size=\"12\">\n"
                   "<style>.grid{{stroke:#ddd}}.x{{text-anchor:middle;fill:#555}}.y{{text-anchor:end}}"
                   ".play{{fill:#e8eef2}}.due{{stroke:#222;stroke-width:1.5}}.behind{{fill:#f0f}}</style>\n"
                   "<rect width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>\n",
                   kWidth, height);
        legend();
        grid(kTop + lanes + kGap + rows);
        for (const Run& run : scenario_.workers().runs()) lane(run);
        for (int worker = 0; worker < scenario_.wish().workers; ++worker) {
            label(kTop + kLane * (worker + 0.65), fmt::format("worker {}", worker + 1));
        }
        for (std::size_t i = 0; i < scenario_.listeners().size(); ++i) {
            row(scenario_.listeners()[i], kTop + lanes + kGap + kRow * static_cast<double>(i));
        }
        fmt::print(out_, "</svg>\n");
    }

private:
    double x(double time) const { return kLeft + scale_ * std::clamp(time, 0.0, end_); }
    double x(Deadline time) const { return x(seconds(time)); }
    void label(double y, const std::string& text) {
        fmt::print(out_, "<text x=\"{}\" y=\"{:.0f}\" class=\"y\">{}</text>\n", kLeft - 8, y, text);
    }
    void box(double from, double to, double y, double height, const std::string& look) {
        if (to <= from) return;
        fmt::print(out_, "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" {}/>\n", from, y,
                   to - from, height, look);
    }
    void legend() {
        double at = kLeft;
        for (const Look& look : kLooks) {
            box(at, at + 14, 12, 14, fmt::format("fill=\"{}\"", look.colour));
            fmt::print(out_, "<text x=\"{}\" y=\"23\">{}</text>\n", at + 20, look.name);
            at += 116;
        }
        fmt::print(out_,
                   "<path d=\"M{0} 12v14\" class=\"due\"/><text x=\"{1}\" y=\"23\">a chunk is due</text>"
                   "<rect x=\"{2}\" y=\"12\" width=\"30\" height=\"14\" class=\"play\"/>"
                   "<text x=\"{3}\" y=\"23\">it plays</text>"
                   "<rect x=\"{4}\" y=\"12\" width=\"14\" height=\"14\" class=\"behind\"/>"
                   "<text x=\"{5}\" y=\"23\">behind</text>\n",
                   at, at + 8, at + 110, at + 146, at + 210, at + 230);
    }
    void grid(double bottom) {
        const int step = end_ > 200 ? 60 : 10;
        for (int time = 0; time <= static_cast<int>(end_); time += step) {
            fmt::print(out_,
                       "<path d=\"M{0:.1f} {1}V{2:.1f}\" class=\"grid\"/><text x=\"{0:.1f}\" y=\"{3:.0f}\" "
                       "class=\"x\">{4} s</text>\n",
                       x(time), kTop - 6, bottom, bottom + 18, time);
        }
    }
    void lane(const Run& run) {
        const double y = kTop + kLane * static_cast<double>(run.worker);
        box(x(run.started), x(run.finished) - 0.6, y + 2, kLane - 4, fmt::format("fill=\"{}\"", look_of(run).colour));
        if (run.urgency.task_class != TaskClass::batch || x(run.finished) - x(run.started) < 8) return;
        fmt::print(out_, "<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"x\" style=\"fill:#fff\">{}</text>\n",
                   (x(run.started) + x(run.finished)) / 2, y + kLane * 0.65, run.urgency.job);
    }
    void row(const VirtualListener& listener, double y) {
        label(y + kRow * 0.7, fmt::format("listener {}", listener.track() + 1));
        for (std::size_t i = 0; i < listener.heard().size(); ++i) {
            box(x(listener.heard()[i].at), x(plays_until(scenario_, listener, i)), y + 3, kRow - 6, "class=\"play\"");
        }
        for (const auto& [chunk, run] : scenario_.chunks().renders()) {
            if (chunk.track != listener.track()) continue;
            box(x(run.started), x(run.finished), y + 6, kRow - 12, fmt::format("fill=\"{}\"", look_of(run).colour));
        }
        for (const VirtualListener::Heard& heard : listener.heard()) {
            if (is_behind(heard)) box(x(heard.due), x(heard.at), y + 3, kRow - 6, "class=\"behind\"");
            fmt::print(out_, "<path d=\"M{:.1f} {:.1f}v{:.0f}\" class=\"due\"/>\n", x(heard.due), y + 2, kRow - 4);
        }
    }

    const Scenario& scenario_;
    std::ostream& out_;
    const double end_;
    const double scale_;  // pixels per second
};

constexpr int kColumns = 150;

// One line: what happens in the middle of each column.
std::string line(const Scenario& scenario, const std::function<char(Deadline)>& letter) {
    std::string text;
    for (int column = 0; column < kColumns; ++column) {
        const double time = (column + 0.5) * scenario.wish().seconds / kColumns;
        text += letter(Deadline{} + std::chrono::microseconds(static_cast<std::int64_t>(time * 1e6)));
    }
    return text;
}

char listener_letter(const Scenario& scenario, const VirtualListener& listener, Deadline time) {
    const auto column = std::chrono::microseconds(scenario.wish().seconds * 1'000'000LL / kColumns);
    char letter = ' ';
    for (std::size_t i = 0; i < listener.heard().size(); ++i) {
        const VirtualListener::Heard& heard = listener.heard()[i];
        if (time >= heard.at && time < plays_until(scenario, listener, i)) letter = '-';
        if (time >= heard.due && time < heard.due + column) letter = '|';
        if (is_behind(heard) && time >= heard.due && time < heard.at) letter = '!';
    }
    return letter;
}

}  // namespace

void draw_svg(const Scenario& scenario, std::ostream& out) {
    Svg(scenario, out).draw();
}

void draw_text(const Scenario& scenario, std::ostream& out) {
    for (const Look& look : kLooks) fmt::print(out, "{} {}   ", look.letter, look.name);
    fmt::print(out, "| a chunk is due   - it plays   ! behind\n\n");
    for (std::size_t worker = 0; worker < scenario.workers().workers().size(); ++worker) {
        const auto letter = [&](Deadline time) {
            for (const Run& run : scenario.workers().runs()) {
                if (run.worker == worker && run.started <= time && time < run.finished) return look_of(run).letter;
            }
            return '.';
        };
        fmt::print(out, "worker {:<4} {}\n", worker + 1, line(scenario, letter));
    }
    for (const VirtualListener& listener : scenario.listeners()) {
        const auto letter = [&](Deadline time) { return listener_letter(scenario, listener, time); };
        fmt::print(out, "listener {:<2} {}\n", listener.track() + 1, line(scenario, letter));
    }
    fmt::print(out, "\n");
}

void print_summary(const Scenario& scenario, std::ostream& out) {
    std::vector<double> first_ms;
    std::size_t behind = 0, due = 0;
    for (const VirtualListener& listener : scenario.listeners()) {
        for (const VirtualListener::Heard& heard : listener.heard()) {
            if (heard.first) first_ms.push_back((seconds(heard.at) - seconds(heard.due)) * 1e3);
            due += heard.first ? 0 : 1;
            behind += is_behind(heard) ? 1 : 0;
        }
    }
    std::sort(first_ms.begin(), first_ms.end());
    std::array<std::size_t, kTaskClasses> started{};
    double busy = 0.0;
    for (const Run& run : scenario.workers().runs()) {
        ++started[static_cast<std::size_t>(run.urgency.task_class)];
        busy += std::min(seconds(run.finished), 1.0 * scenario.wish().seconds) - seconds(run.started);
    }
    fmt::print(out, "{} of {} chunks behind; workers busy {:.0f} % of the time\n", behind, due,
               100.0 * busy / scenario.wish().workers / scenario.wish().seconds);
    if (!first_ms.empty()) {
        fmt::print(out, "first byte of a start or seek: median {:.0f} ms, longest {:.0f} ms\n",
                   first_ms[first_ms.size() / 2], first_ms.back());
    }
    for (std::size_t c = 0; c < kTaskClasses; ++c) fmt::print(out, "{} {}   ", kLooks[c].name, started[c]);
    fmt::print(out, "\n");
}

}  // namespace lacquer::bench
