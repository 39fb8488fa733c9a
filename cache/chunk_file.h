// The chunk file format, shared by reader and writer; FORMAT.md describes it. Pure functions over bytes.
//
// Threads: free of state. Errors: damage is nullopt or false, nothing throws but bad_alloc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "cache/chunk_key.h"

namespace lacquer::cache {

inline constexpr std::uint64_t kBlockBytes = 65536;     // of payload per checksum; the last block may be shorter
inline constexpr std::uint64_t kFixedHeaderBytes = 48;  // the table of block checksums follows, then the payload
inline constexpr std::uint64_t kMaxPayloadBytes = std::uint64_t{1} << 40;

struct ChunkHeader {
    ChunkKey key;
    std::uint64_t payload_bytes = 0;             // [0, kMaxPayloadBytes]
    std::vector<std::uint64_t> block_checksums;  // XXH3-64, one per block
};

std::uint64_t header_bytes(std::uint64_t payload_bytes) noexcept;  // = where the payload starts
std::uint64_t file_bytes(std::uint64_t payload_bytes) noexcept;
// The payload that a file of this size holds; nullopt when no chunk file has this size.
std::optional<std::uint64_t> payload_bytes_in(std::uint64_t file_bytes) noexcept;

// What precedes `payload` in its file, checksums computed.
std::vector<std::byte> make_header(const ChunkKey& key, std::span<const std::byte> payload);

// The header of a file of `file_bytes` that begins with `bytes`; nullopt unless every field and the checksum agree.
std::optional<ChunkHeader> parse_header(std::span<const std::byte> bytes, std::uint64_t file_bytes);

std::uint64_t block_bytes(const ChunkHeader& header, std::size_t block) noexcept;
// Is `bytes` what was written as block number `block`?
bool is_intact(const ChunkHeader& header, std::size_t block, std::span<const std::byte> bytes) noexcept;

}  // namespace lacquer::cache
