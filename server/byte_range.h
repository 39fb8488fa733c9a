// Byte ranges of RFC 9110, 14.1.2 and 14.2, as pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lacquer::server {

struct ByteRange {
    std::uint64_t offset_bytes = 0;
    std::uint64_t length_bytes = 0;
    bool operator==(const ByteRange&) const = default;
};

enum class RangeKind {
    whole,          // answer 200: no Range, or one that is ignored
    partial,        // answer 206 with `parts`
    unsatisfiable,  // answer 416
};

struct RangeAnswer {
    RangeKind kind = RangeKind::whole;
    std::vector<ByteRange> parts;  // partial: at least one, in the order asked for, each inside the representation
};

inline constexpr std::size_t max_range_parts = 8;

// Resolves the value of a Range header against a representation of `size_bytes`. Ends are clamped. Ignored (whole):
// another unit, bad syntax, more than max_range_parts ranges, and more than one overlapping pair of ranges.
RangeAnswer resolve_range(std::string_view header, std::uint64_t size_bytes);

// Whether the header asks for byte 0, as far as it can be told before the size is known: a suffix does not.
bool asks_for_first_byte(std::optional<std::string_view> header);

std::string content_range(ByteRange range, std::uint64_t size_bytes);  // "bytes 0-99/1000"

}  // namespace lacquer::server
