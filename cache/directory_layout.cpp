#include "cache/directory_layout.h"

#include <algorithm>

namespace lacquer::cache {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kNormalExtension = ".chunk";
constexpr std::string_view kLongerExtension = ".kept";
constexpr std::string_view kTemporaryExtension = ".tmp";

std::string hex(const ChunkKey& key) {
    std::string text;
    for (const std::byte byte : key) text += subdirectory_name(std::to_integer<std::size_t>(byte));
    return text;
}

std::optional<ChunkKey> parse_hex(std::string_view text) {
    ChunkKey key{};
    if (text.size() != 2 * key.size()) return std::nullopt;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto digit = kHexDigits.find(text[i]);
        if (digit == std::string_view::npos) return std::nullopt;
        key[i / 2] = key[i / 2] << 4 | static_cast<std::byte>(digit);
    }
    return key;
}

// ".123.tmp"
bool is_temporary_suffix(std::string_view suffix) {
    if (!suffix.starts_with('.') || !suffix.ends_with(kTemporaryExtension)) return false;
    if (suffix.size() <= 1 + kTemporaryExtension.size()) return false;
    suffix = suffix.substr(1, suffix.size() - 1 - kTemporaryExtension.size());
    return std::all_of(suffix.begin(), suffix.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string subdirectory_name(std::size_t first_byte) {
    return {kHexDigits[first_byte >> 4], kHexDigits[first_byte & 15]};
}

std::string chunk_file_name(const ChunkKey& key, Keep keep) {
    return hex(key).append(keep == Keep::longer ? kLongerExtension : kNormalExtension);
}

std::string temporary_file_name(const ChunkKey& key, std::uint64_t number) {
    return (hex(key) + '.' + std::to_string(number)).append(kTemporaryExtension);
}

std::optional<ChunkName> parse_file_name(std::size_t first_byte, std::string_view name) {
    constexpr std::size_t kHexLength = 2 * sizeof(ChunkKey);
    const auto key = parse_hex(name.substr(0, kHexLength));
    if (!key || std::to_integer<std::size_t>(key->front()) != first_byte) return std::nullopt;
    const auto suffix = name.substr(kHexLength);
    if (suffix == kNormalExtension) return ChunkName{*key, Keep::normal, false};
    if (suffix == kLongerExtension) return ChunkName{*key, Keep::longer, false};
    if (is_temporary_suffix(suffix)) return ChunkName{*key, Keep::normal, true};
    return std::nullopt;
}

}  // namespace lacquer::cache
