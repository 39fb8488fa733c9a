// As much of a terminal as the status block needs, so that tests see what a person would.
#pragma once

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "src/player/screen_text.h"

namespace lacquer::test {

class SmallScreen {
public:
    explicit SmallScreen(int columns) : columns_(columns), rows_(1) {}

    void show(const std::string& bytes) {
        for (std::size_t i = 0; i < bytes.size();) {
            if (bytes[i] == '\x1b') {
                i = obey(bytes, i);
            } else if (bytes[i] == '\r') {
                column_ = 0;
                ++i;
            } else if (bytes[i] == '\n') {
                down();
                ++i;
            } else {
                i = put(bytes, i);
            }
        }
    }
    // Lines without the spaces at their ends, from the first ever written to the last.
    std::vector<std::string> lines() const {
        std::vector<std::string> texts;
        for (const auto& row : rows_) {
            std::string text;
            for (const std::string& cell : row) text += cell.empty() ? " " : cell == "wide" ? "" : cell;
            texts.push_back(text.substr(0, text.find_last_not_of(' ') + 1));
        }
        return texts;
    }
    std::size_t row() const { return row_; }
    bool cursor_shown() const { return cursor_shown_; }
    bool wraps() const { return wraps_; }

private:
    using Row = std::vector<std::string>;  // UTF-8 per cell

    void down() {
        if (++row_ == rows_.size()) rows_.emplace_back();
    }
    std::size_t put(const std::string& bytes, std::size_t at) {
        std::size_t end = at + 1;
        while (end < bytes.size() && (static_cast<unsigned char>(bytes[end]) & 0xC0) == 0x80) ++end;
        const std::string glyph = bytes.substr(at, end - at);
        if (static_cast<unsigned char>(glyph[0]) < 0x20) throw std::runtime_error("a control character on the screen");
        const int width = player::columns_of(glyph);
        if (width == 0) {
            if (column_ > 0) rows_[row_][static_cast<std::size_t>(column_) - 1] += glyph;
            return end;
        }
        if (column_ + width > columns_) {
            if (!wraps_) return end;
            column_ = 0;
            down();
        }
        Row& row = rows_[row_];
        row.resize(static_cast<std::size_t>(std::max<int>(column_ + width, static_cast<int>(row.size()))));
        row[static_cast<std::size_t>(column_)] = glyph;
        if (width == 2) row[static_cast<std::size_t>(column_) + 1] = "wide";
        column_ += width;
        return end;
    }
    std::size_t obey(const std::string& bytes, std::size_t at) {
        const std::size_t last = bytes.find_first_of("mhlAKJ", at + 2);
        const std::string sequence = bytes.substr(at + 2, last - at - 2);
        switch (bytes.at(last)) {
            case 'A':
                row_ -= std::min<std::size_t>(row_, std::stoul(sequence));
                break;
            case 'J':
                rows_.resize(row_ + 1);
                [[fallthrough]];
            case 'K':
                if (rows_[row_].size() > static_cast<std::size_t>(column_)) {
                    rows_[row_].resize(static_cast<std::size_t>(column_));
                }
                break;
            case 'h':
            case 'l':
                if (sequence == "?25") cursor_shown_ = bytes[last] == 'h';
                if (sequence == "?7") wraps_ = bytes[last] == 'h';
                break;
            default:
                break;
        }
        return last + 1;
    }

    int columns_;
    std::vector<Row> rows_;
    std::size_t row_ = 0;
    int column_ = 0;
    bool cursor_shown_ = true;
    bool wraps_ = true;
};

}  // namespace lacquer::test
