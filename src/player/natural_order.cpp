#include "src/player/natural_order.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "src/library/text.h"

namespace lacquer::player {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// The digits at the front, without leading zeros.
std::string_view take_number(std::string_view& text) {
    const auto count = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
    std::string_view number = text.substr(0, count);
    text.remove_prefix(count);
    number.remove_prefix(std::min(number.find_first_not_of('0'), number.size()));
    return number;
}

// Folders end before anything else goes on.
int rank(char c) {
    return c == '/' ? -1 : static_cast<unsigned char>(c);
}

int compare(std::string_view a, std::string_view b) {
    while (!a.empty() && !b.empty()) {
        if (is_digit(a.front()) && is_digit(b.front())) {
            const std::string_view first = take_number(a);
            const std::string_view second = take_number(b);
            if (first.size() != second.size()) return first.size() < second.size() ? -1 : 1;
            if (const int order = first.compare(second); order != 0) return order;
        } else {
            if (a.front() != b.front()) return rank(a.front()) < rank(b.front()) ? -1 : 1;
            a.remove_prefix(1);
            b.remove_prefix(1);
        }
    }
    return static_cast<int>(b.empty()) - static_cast<int>(a.empty());
}

}  // namespace

bool natural_less(std::string_view a, std::string_view b) {
    const int order = compare(library::folded(a), library::folded(b));
    return order != 0 ? order < 0 : a < b;
}

void sort_naturally(std::vector<std::filesystem::path>& paths) {
    struct Keyed {
        std::string key;
        std::filesystem::path path;
    };
    std::vector<Keyed> keyed;
    keyed.reserve(paths.size());
    for (auto& path : paths) keyed.push_back({library::folded(path.native()), std::move(path)});
    std::sort(keyed.begin(), keyed.end(), [](const Keyed& a, const Keyed& b) {
        const int order = compare(a.key, b.key);
        return order != 0 ? order < 0 : a.path.native() < b.path.native();
    });
    std::transform(keyed.begin(), keyed.end(), paths.begin(), [](Keyed& one) { return std::move(one.path); });
}

}  // namespace lacquer::player
