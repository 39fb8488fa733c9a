// A line that is not wider than it may be, in the terminal's colours.
#pragma once

#include <string>
#include <string_view>

#include "src/player/status_lines.h"

namespace lacquer::player {

enum class Ink { plain, bold, dim, accent, good, warn, bad, reverse };

class LineBuilder {
public:
    LineBuilder(int columns, const Style& style) : columns_(columns), style_(style) {}

    int left() const noexcept { return columns_ - used_; }
    // As printable() gives it; cut where there is no room. What comes after a cut is left out.
    void add(Ink ink, std::string_view text);
    void fill_to(int column);  // with spaces; nothing when it is there already
    std::string text() const { return text_; }

private:
    int columns_;
    Style style_;
    int used_ = 0;
    std::string text_;
};

// Parts that are there as a whole or not at all, a separator between them.
class FieldLine {
public:
    FieldLine(int columns, const Style& style);
    // `label` in dim, then `value`; left out when there is no room, as is an empty value.
    void field(Ink ink, std::string_view value, std::string_view label = "");
    std::string text() const { return line_.text(); }

private:
    LineBuilder line_;
    std::string separator_;
    bool empty_ = true;
};

}  // namespace lacquer::player
