#include "server/byte_range.h"

#include <algorithm>
#include <limits>

#include "server/request.h"

namespace lacquer::server {
namespace {

constexpr std::uint64_t endless = std::numeric_limits<std::uint64_t>::max();

struct Spec {
    std::optional<std::uint64_t> first;  // absent: a suffix of `last` bytes
    std::uint64_t last = endless;
};

std::optional<std::uint64_t> parse_digits(std::string_view text) {
    if (text.empty()) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        value = value > (endless - digit) / 10 ? endless : value * 10 + digit;
    }
    return value;
}

std::optional<Spec> parse_spec(std::string_view text) {
    const auto dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const std::string_view first = text.substr(0, dash);
    const std::string_view last = text.substr(dash + 1);
    Spec spec;
    if (!last.empty() || first.empty()) {
        const auto value = parse_digits(last);
        if (!value) return std::nullopt;
        spec.last = *value;
    }
    if (first.empty()) return spec;
    spec.first = parse_digits(first);
    if (!spec.first || *spec.first > spec.last) return std::nullopt;
    return spec;
}

std::optional<std::vector<Spec>> parse_range(std::string_view header) {
    const auto equals = header.find('=');
    if (equals == std::string_view::npos || !equals_ignoring_case(trimmed(header.substr(0, equals)), "bytes")) {
        return std::nullopt;
    }
    std::vector<Spec> specs;
    std::string_view rest = header.substr(equals + 1);
    while (!rest.empty()) {
        const auto comma = std::min(rest.find(','), rest.size());
        const std::string_view element = trimmed(rest.substr(0, comma));
        rest.remove_prefix(std::min(comma + 1, rest.size()));
        if (element.empty()) continue;
        const auto spec = parse_spec(element);
        if (!spec || specs.size() == max_range_parts) return std::nullopt;
        specs.push_back(*spec);
    }
    if (specs.empty()) return std::nullopt;
    return specs;
}

ByteRange resolve(const Spec& spec, std::uint64_t size_bytes) {
    if (!spec.first) {
        const std::uint64_t length = std::min(spec.last, size_bytes);
        return {size_bytes - length, length};
    }
    if (*spec.first >= size_bytes) return {};
    return {*spec.first, std::min(spec.last, size_bytes - 1) - *spec.first + 1};
}

bool overlap(const ByteRange& a, const ByteRange& b) {
    return a.offset_bytes < b.offset_bytes + b.length_bytes && b.offset_bytes < a.offset_bytes + a.length_bytes;
}

std::size_t overlapping_pairs(const std::vector<ByteRange>& parts) {
    std::size_t pairs = 0;
    for (std::size_t a = 0; a < parts.size(); ++a)
        for (std::size_t b = a + 1; b < parts.size(); ++b) pairs += overlap(parts[a], parts[b]) ? 1 : 0;
    return pairs;
}

}  // namespace

RangeAnswer resolve_range(std::string_view header, std::uint64_t size_bytes) {
    const auto specs = parse_range(header);
    if (!specs) return {};
    std::vector<ByteRange> parts;
    for (const Spec& spec : *specs) {
        const bool empty_suffix = size_bytes == 0 && !spec.first && spec.last > 0;
        if (empty_suffix) return {};  // satisfiable, yet Content-Range cannot express it
        const ByteRange part = resolve(spec, size_bytes);
        if (part.length_bytes > 0) parts.push_back(part);
    }
    if (parts.empty()) return {RangeKind::unsatisfiable, {}};
    if (overlapping_pairs(parts) > 1) return {};
    return {RangeKind::partial, std::move(parts)};
}

bool asks_for_first_byte(std::optional<std::string_view> header) {
    if (!header) return true;
    const auto specs = parse_range(*header);
    if (!specs) return true;
    return std::any_of(specs->begin(), specs->end(), [](const Spec& spec) { return spec.first == 0U; });
}

std::string content_range(ByteRange range, std::uint64_t size_bytes) {
    return "bytes " + std::to_string(range.offset_bytes) + "-" +
           std::to_string(range.offset_bytes + range.length_bytes - 1) + "/" + std::to_string(size_bytes);
}

}  // namespace lacquer::server
