#include "server/query.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>
#include <utility>

#include "server/sources.h"

namespace lacquer::server {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Bytes of the UTF-8 sequence at the front of `text`, 0 when it is none (RFC 3629: no overlong form, no surrogate).
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto is_tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return is_tail(1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        const bool overlong = lead == 0xE0 && byte(1) < 0xA0;
        const bool surrogate = lead == 0xED && byte(1) > 0x9F;
        return is_tail(1) && is_tail(2) && !overlong && !surrogate ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const bool overlong = lead == 0xF0 && byte(1) < 0x90;
        const bool too_high = lead == 0xF4 && byte(1) > 0x8F;
        return is_tail(1) && is_tail(2) && is_tail(3) && !overlong && !too_high ? 4 : 0;
    }
    return 0;
}

bool is_clean_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto c = static_cast<unsigned char>(text.front());
        const std::size_t length = utf8_length(text);
        if (length == 0 || c < 0x20 || c == 0x7F) return false;
        text.remove_prefix(length);
    }
    return true;
}

[[noreturn]] void refuse(const std::string& name, const std::string& detail, Json members = Json::object()) {
    members["field"] = name;
    throw HttpError(400, detail, std::move(members));
}

std::string range_text(double minimum, double maximum) {
    std::ostringstream text;
    text << minimum << " to " << maximum;
    return text.str();
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
    std::string result;
    result.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            result += text[i] == '+' && plus_is_space ? ' ' : text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0) return std::nullopt;
        result += static_cast<char>(high * 16 + low);
        i += 2;
    }
    if (!is_clean_utf8(result)) return std::nullopt;
    return result;
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    constexpr std::string_view unreserved = "-._~";
    std::string result;
    for (const char c : text) {
        const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              unreserved.find(c) != std::string_view::npos;
        if (is_plain) {
            result += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            result += {'%', digits[byte / 16U], digits[byte % 16U]};
        }
    }
    return result;
}

Query::Query(std::string_view raw, std::vector<std::string> allowed, std::vector<std::string> repeatable) {
    while (!raw.empty()) {
        const auto end = std::min(raw.find('&'), raw.size());
        const std::string_view pair = raw.substr(0, end);
        raw.remove_prefix(std::min(end + 1, raw.size()));
        if (pair.empty()) continue;
        const auto equals = std::min(pair.find('='), pair.size());
        const auto name = percent_decoded(pair.substr(0, equals), true);
        const auto value = percent_decoded(pair.substr(std::min(equals + 1, pair.size())), true);
        if (!name || !value) {
            throw HttpError(400, "the query is not percent-encoded UTF-8", {{"field", name.value_or("")}});
        }
        const bool repeats = contains(repeatable, *name);
        if (!repeats && !contains(allowed, *name) && *name != "token") {
            allowed.insert(allowed.end(), repeatable.begin(), repeatable.end());
            refuse(*name, "unknown parameter '" + *name + "'", {{"allowed", allowed}});
        }
        if (!repeats && values_.contains(*name)) refuse(*name, "parameter '" + *name + "' occurs twice");
        values_.emplace(*name, *value);
    }
}

std::optional<std::string> Query::text(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end() || found->second.empty()) return std::nullopt;
    return found->second;
}

bool Query::choice(const std::string& name, std::string_view yes, std::string_view no, bool fallback) const {
    const auto value = text(name);
    if (!value) return fallback;
    if (*value == yes) return true;
    if (*value == no) return false;
    refuse(name, name + " is '" + *value + "'; allowed: " + std::string(yes) + ", " + std::string(no),
           {{"allowed", {yes, no}}});
}

double Query::number(const std::string& name, double minimum, double maximum, double fallback) const {
    const auto value = text(name);
    if (!value) return fallback;
    double result = 0.0;
    const char* end = value->data() + value->size();
    const auto [stop, error] = std::from_chars(value->data(), end, result);
    if (error != std::errc() || stop != end || !std::isfinite(result)) {
        refuse(name, name + " is not a number: '" + *value + "'; allowed: " + range_text(minimum, maximum),
               {{"minimum", minimum}, {"maximum", maximum}});
    }
    if (result < minimum || result > maximum) {
        refuse(name, name + " is " + *value + "; allowed: " + range_text(minimum, maximum),
               {{"minimum", minimum}, {"maximum", maximum}});
    }
    return result;
}

std::int64_t Query::integer(const std::string& name, std::int64_t minimum, std::int64_t maximum,
                            std::int64_t fallback) const {
    const auto value = text(name);
    if (!value) return fallback;
    const auto result = parse_integer(*value);
    if (!result || *result < minimum || *result > maximum) {
        refuse(name,
               name + " is '" + *value + "'; allowed: whole numbers from " + std::to_string(minimum) + " to " +
                   std::to_string(maximum),
               {{"minimum", minimum}, {"maximum", maximum}});
    }
    return *result;
}

std::vector<std::int64_t> Query::ids(const std::string& name) const {
    std::vector<std::int64_t> result;
    const auto [begin, end] = values_.equal_range(name);
    for (auto entry = begin; entry != end; ++entry) {
        std::string_view rest = entry->second;
        while (!rest.empty()) {
            const auto comma = std::min(rest.find(','), rest.size());
            const auto id = parse_integer(rest.substr(0, comma));
            if (!id || *id < 1) refuse(name, name + " is not a positive number: '" + entry->second + "'");
            result.push_back(*id);
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
    }
    return result;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
    if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    std::int64_t result = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), result);
    if (error != std::errc()) return std::nullopt;
    return result;
}

}  // namespace lacquer::server
