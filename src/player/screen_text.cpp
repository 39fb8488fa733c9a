#include "src/player/screen_text.h"

#include <cstddef>
#include <cwchar>

#include <locale.h>
#include <wchar.h>

#include "src/library/text.h"

namespace lacquer::player {
namespace {

// wcwidth() and mbrtowc() know no locale but the thread's.
class InUtf8 {
public:
    InUtf8() {
        static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
        if (utf8 != nullptr) before_ = uselocale(utf8);
    }
    ~InUtf8() {
        if (before_ != nullptr) uselocale(before_);
    }
    InUtf8(const InUtf8&) = delete;
    InUtf8& operator=(const InUtf8&) = delete;

private:
    locale_t before_ = nullptr;
};

struct Glyph {
    char32_t character = 0;
    std::size_t bytes = 0;
    int columns = 0;  // -1: not printable
};

// The first of `text`, which is not empty. Needs InUtf8.
Glyph first_glyph(std::string_view text) {
    wchar_t character = 0;
    std::mbstate_t state{};
    const std::size_t bytes = std::mbrtowc(&character, text.data(), text.size(), &state);
    if (bytes == 0 || bytes > text.size()) return {0xFFFD, 1, -1};
    return {static_cast<char32_t>(character), bytes, ::wcwidth(character)};
}

bool turns_direction(char32_t c) {
    return c == 0x61C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

template <typename Take>
void for_each_glyph(std::string_view text, Take take) {
    const InUtf8 locale;
    while (!text.empty()) {
        const Glyph glyph = first_glyph(text);
        if (!take(glyph, text.substr(0, glyph.bytes))) return;
        text.remove_prefix(glyph.bytes);
    }
}

}  // namespace

std::string printable(std::string_view bytes) {
    std::string text;
    for_each_glyph(library::clean_text(bytes), [&](const Glyph& glyph, std::string_view encoded) {
        if (glyph.columns >= 0 && !turns_direction(glyph.character)) text += encoded;
        return true;
    });
    return library::clean_text(text);
}

int columns_of(std::string_view text) {
    int columns = 0;
    for_each_glyph(text, [&](const Glyph& glyph, std::string_view) {
        columns += glyph.columns > 0 ? glyph.columns : 0;
        return true;
    });
    return columns;
}

std::string cut_to(std::string_view text, int columns) {
    if (columns_of(text) <= columns) return std::string(text);
    if (columns <= 0) return {};
    std::string cut;
    int used = 0;
    for_each_glyph(text, [&](const Glyph& glyph, std::string_view encoded) {
        if (used + glyph.columns > columns - 1) return false;
        used += glyph.columns;
        cut += encoded;
        return true;
    });
    while (!cut.empty() && cut.back() == ' ') cut.pop_back();
    return cut + "…";
}

std::string ascii(std::string_view text) {
    std::string plain;
    for_each_glyph(text, [&](const Glyph& glyph, std::string_view encoded) {
        if (glyph.columns > 0 && encoded.size() > 1) {
            plain += glyph.character == 0x2026 ? "~" : "?";
            if (glyph.columns == 2) plain += "?";
        } else if (encoded.size() == 1) {
            plain += encoded;
        }
        return true;
    });
    return plain;
}

}  // namespace lacquer::player
