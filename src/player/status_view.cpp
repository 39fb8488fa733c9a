#include "src/player/status_view.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "src/player/event_text.h"
#include "src/player/screen_text.h"

namespace lacquer::player {
namespace {

constexpr std::size_t kMaxMessages = 100;  // while in the background
constexpr const char* kBeginFrame = "\x1b[?2026h\x1b[?25l";
constexpr const char* kEndFrame = "\x1b[?2026l";
constexpr const char* kEraseLine = "\x1b[K";     // from the cursor on
constexpr const char* kEraseBelow = "\x1b[J";    // the same, and all lines below
constexpr const char* kNoWrapping = "\x1b[?7l";  // a block that is too wide is cut, not folded
constexpr const char* kWrapping = "\x1b[?7h";

// Without the sequences that colour it.
std::string bare(const std::string& line) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] != '\x1b') {
            text += line[i];
        } else {
            i = std::min(line.find('m', i), line.size());
        }
    }
    return text;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        lines.push_back(printable(std::string_view(text).substr(begin, end - begin)));
        begin = end + 1;
    }
    return lines;
}

}  // namespace

StatusView::StatusView(Terminal& terminal, const Style& style, std::function<Clock::time_point()> now)
    : terminal_(terminal), style_(style), now_(std::move(now)), shows_keys_(style.keys) {}

StatusView::~StatusView() {
    if (!drawn_.empty() && terminal_.in_foreground()) terminal_.write("\r\n");
}

void StatusView::toggle_keys() noexcept {
    shows_keys_ = !shows_keys_;
}

void StatusView::track_started(const PlayerStatus& status) {
    ++played_;
    tick(status);
}

void StatusView::track_skipped(const std::string& name, const std::string& reason) {
    ++skipped_;
    say("skipped " + skipped_text(name, reason));
}

void StatusView::switched(const PlayerStatus& status, const PlayerCommand&) {
    tick(status);
}

void StatusView::refused(const PlayerCommand&, const std::string& reason) {
    say(reason);
}

void StatusView::underrun(const PlayerStatus& status) {
    tick(status);
}

void StatusView::device_lost(const std::string& device, const std::string& reason) {
    device_is_lost_ = true;
    say(lost_text(device, reason));
}

void StatusView::device_opened(const PlayerStatus& status) {
    if (std::exchange(device_is_lost_, false)) say(opened_text(status));
    tick(status);
}

void StatusView::message(const std::string& text) {
    say(text);
}

void StatusView::tick(const PlayerStatus& status) {
    has_begun_ = true;
    status_ = status;
    held_.update(status.meters.peak_dbfs, now_());
    draw();
}

void StatusView::ended(const PlayerStatus& status) {
    status_ = status;
    has_ended_ = true;
    say(ended_text(played_, skipped_, status));
}

void StatusView::say(const std::string& text) {
    for (std::string& line : lines_of(text)) {
        if (messages_.size() < kMaxMessages) messages_.push_back(std::move(line));
    }
    draw();
}

void StatusView::draw() {
    if (terminal_.take_resumed()) drawn_.clear();  // others wrote below it
    if (!terminal_.in_foreground()) return;
    const TerminalSize size = terminal_.size();
    Style style = style_;
    style.keys = shows_keys_;
    style.rows = size.rows;
    std::vector<std::string> lines;
    if (has_begun_ && !has_ended_) lines = status_lines(status_, held_.dbfs(), size.columns, style);
    if (messages_.empty() && lines == drawn_ && size.columns == drawn_columns_) return;
    put(lines, size.columns);
}

// Terminals that fold lines anew when they become narrower have made more rows of the block.
std::string StatusView::to_first_row(int columns) const {
    if (drawn_.empty()) return "\r";
    int rows = 0;
    for (const std::string& line : drawn_) {
        const int width = columns < drawn_columns_ ? columns_of(bare(line)) : 1;
        rows += std::max(1, (width + columns - 1) / columns);
    }
    return rows == 1 ? "\r" : fmt::format("\r\x1b[{}A", rows - 1);
}

void StatusView::put(const std::vector<std::string>& lines, int columns) {
    std::string frame = kBeginFrame + to_first_row(columns);
    if (!messages_.empty()) frame += kEraseBelow;
    for (const std::string& message : messages_) frame += (style_.unicode ? message : ascii(message)) + "\r\n";
    frame += kNoWrapping;
    for (std::size_t i = 0; i < lines.size(); ++i) frame += (i == 0 ? "" : "\r\n") + lines[i] + kEraseLine;
    frame += kWrapping;
    frame += lines.empty() ? "" : kEraseBelow;
    terminal_.write(frame + kEndFrame);
    messages_.clear();
    drawn_ = lines;
    drawn_columns_ = columns;
}

}  // namespace lacquer::player
