#include "src/player/status_line_builder.h"

#include "src/player/screen_text.h"

namespace lacquer::player {
namespace {

std::string_view code_of(Ink ink, bool color) {
    switch (ink) {
        case Ink::plain:
            return "";
        case Ink::bold:
            return "\x1b[1m";
        case Ink::dim:
            return "\x1b[2m";
        case Ink::accent:
            return color ? "\x1b[36m" : "\x1b[1m";
        case Ink::good:
            return color ? "\x1b[32m" : "";
        case Ink::warn:
            return color ? "\x1b[33m" : "\x1b[1m";
        case Ink::bad:
            return color ? "\x1b[31m" : "\x1b[1m";
        case Ink::reverse:
            return "\x1b[7m";
    }
    return "";
}

}  // namespace

void LineBuilder::add(Ink ink, std::string_view text) {
    if (left() <= 0 || text.empty()) return;
    const std::string shown = style_.unicode ? cut_to(text, left()) : ascii(cut_to(text, left()));
    const bool was_cut = columns_of(text) > left();
    used_ = was_cut ? columns_ : used_ + columns_of(shown);
    const std::string_view code = code_of(ink, style_.color);
    text_.append(code).append(shown);
    if (!code.empty()) text_ += "\x1b[0m";
}

void LineBuilder::fill_to(int column) {
    if (column <= used_ || column > columns_) return;
    text_.append(static_cast<std::size_t>(column - used_), ' ');
    used_ = column;
}

FieldLine::FieldLine(int columns, const Style& style)
    : line_(columns, style), separator_(style.unicode ? " · " : " | ") {
    line_.fill_to(2);
}

void FieldLine::field(Ink ink, std::string_view value, std::string_view label) {
    if (value.empty()) return;
    const int width = columns_of(value) + columns_of(label) + (label.empty() ? 0 : 1);
    const int gap = empty_ ? 0 : columns_of(separator_);
    if (!empty_ && width + gap > line_.left()) return;
    if (!empty_) line_.add(Ink::dim, separator_);
    empty_ = false;
    line_.add(Ink::dim, label);
    if (!label.empty()) line_.add(Ink::plain, " ");
    line_.add(ink, value);
}

}  // namespace lacquer::player
