// How the files of a cache directory are called; FORMAT.md describes it. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "cache/chunk_key.h"

namespace lacquer::cache {

inline constexpr std::size_t kSubdirectories = 256;

// Key 00010203... is in subdirectory "00", as "00010203....chunk" or, for Keep::longer, "00010203....kept".
std::string subdirectory_name(std::size_t first_byte);
std::string chunk_file_name(const ChunkKey& key, Keep keep);
// While it is written; `number` makes it unique.
std::string temporary_file_name(const ChunkKey& key, std::uint64_t number);

struct ChunkName {
    ChunkKey key{};
    Keep keep = Keep::normal;
    bool is_temporary = false;
};
// What the name of a file in the subdirectory of `first_byte` says; nullopt when the file is not one of ours.
std::optional<ChunkName> parse_file_name(std::size_t first_byte, std::string_view name);

}  // namespace lacquer::cache
