#include "src/library/text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <locale.h>
#include <wctype.h>

namespace lacquer::library {
namespace {

constexpr std::size_t kMaxBytes = 1024;
constexpr char32_t kReplacement = 0xFFFD;

struct Decoded {
    char32_t character;
    std::size_t bytes;
};

bool allowed(char32_t character, std::size_t bytes) {
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    return character >= smallest[bytes] && character <= 0x10FFFF && (character < 0xD800 || character > 0xDFFF);
}

// The first character of `text`, which is not empty; kReplacement over one byte where it is not UTF-8.
Decoded decode(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return {first, 1};
    const std::size_t bytes = first >= 0xF0 && first < 0xF8 ? 4 : first >= 0xE0 && first < 0xF0 ? 3 : 2;
    if (first < 0xC0 || first >= 0xF8 || bytes > text.size()) return {kReplacement, 1};
    char32_t character = first & (0x7F >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return {kReplacement, 1};
        character = character << 6 | (byte(i) & 0x3F);
    }
    return allowed(character, bytes) ? Decoded{character, bytes} : Decoded{kReplacement, 1};
}

void append(std::string& text, char32_t character) {
    const auto byte = [&](char32_t value) { text += static_cast<char>(value); };
    if (character < 0x80) return byte(character);
    if (character < 0x800) {
        byte(0xC0 | character >> 6);
    } else {
        if (character < 0x10000) {
            byte(0xE0 | character >> 12);
        } else {
            byte(0xF0 | character >> 18);
            byte(0x80 | (character >> 12 & 0x3F));
        }
        byte(0x80 | (character >> 6 & 0x3F));
    }
    byte(0x80 | (character & 0x3F));
}

bool is_space(char32_t character) {
    return character <= 0x20 || character == 0x7F;
}

char32_t lower(char32_t character) {
    static const locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (character < 0x80 || unicode == nullptr)
        return character >= 'A' && character <= 'Z' ? character + ('a' - 'A') : character;
    return static_cast<char32_t>(towlower_l(static_cast<wint_t>(character), unicode));
}

}  // namespace

std::string clean_text(std::string_view bytes) {
    std::string text;
    while (!bytes.empty()) {
        const Decoded next = decode(bytes);
        bytes.remove_prefix(next.bytes);
        if (is_space(next.character) && text.empty()) continue;
        const std::size_t before = text.size();
        append(text, is_space(next.character) ? U' ' : next.character);
        if (text.size() > kMaxBytes) {
            text.resize(before);
            break;
        }
    }
    while (!text.empty() && text.back() == ' ') text.pop_back();
    return text;
}

std::string folded(std::string_view utf8) {
    std::string text;
    while (!utf8.empty()) {
        const Decoded next = decode(utf8);
        utf8.remove_prefix(next.bytes);
        append(text, lower(next.character));
    }
    return text;
}

std::vector<std::string> words(std::string_view text) {
    const auto space = [](char c) { return is_space(static_cast<unsigned char>(c)); };
    std::vector<std::string> found;
    for (auto at = text.begin(); at != text.end();) {
        const auto begin = std::find_if_not(at, text.end(), space);
        at = std::find_if(begin, text.end(), space);
        if (begin != at) found.emplace_back(begin, at);
    }
    return found;
}

}  // namespace lacquer::library
