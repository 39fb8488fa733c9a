#include "cache/chunk_file.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include <xxhash.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h>  // the same sums, on the widest vectors that the processor has
#endif

namespace lacquer::cache {
namespace {

constexpr std::array<char, 8> kMagic = {'L', 'A', 'C', 'Q', 'C', 'H', 'N', 'K'};
constexpr std::uint32_t kFormatVersion = 1;
constexpr std::uint64_t kChecksumBytes = 8;

constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kBlockSizeAt = 12;
constexpr std::size_t kKeyAt = 16;
constexpr std::size_t kPayloadSizeAt = 32;
constexpr std::size_t kHeaderChecksumAt = 40;

template <typename Unsigned>
void store(std::span<std::byte> bytes, std::size_t at, Unsigned value) noexcept {
    for (std::size_t i = 0; i < sizeof value; ++i) bytes[at + i] = static_cast<std::byte>(value >> (8 * i));
}

template <typename Unsigned>
Unsigned load(std::span<const std::byte> bytes, std::size_t at) noexcept {
    Unsigned value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i) value |= std::to_integer<Unsigned>(bytes[at + i]) << (8 * i);
    return value;
}

std::uint64_t checksum(std::span<const std::byte> bytes) noexcept {
    return XXH3_64bits(bytes.data(), bytes.size());
}

std::uint64_t block_count(std::uint64_t payload_bytes) noexcept {
    return payload_bytes / kBlockBytes + (payload_bytes % kBlockBytes != 0);
}

// Covers the fixed fields and the table, not its own eight bytes.
std::uint64_t header_checksum(std::span<const std::byte> header) noexcept {
    return XXH3_64bits_withSeed(header.data() + kFixedHeaderBytes, header.size() - kFixedHeaderBytes,
                                checksum(header.first(kHeaderChecksumAt)));
}

bool fixed_fields_agree(std::span<const std::byte> header, std::uint64_t payload_bytes) noexcept {
    return std::memcmp(header.data(), kMagic.data(), kMagic.size()) == 0 &&
           load<std::uint32_t>(header, kVersionAt) == kFormatVersion &&
           load<std::uint32_t>(header, kBlockSizeAt) == kBlockBytes &&
           load<std::uint64_t>(header, kPayloadSizeAt) == payload_bytes;
}

}  // namespace

std::uint64_t header_bytes(std::uint64_t payload_bytes) noexcept {
    return kFixedHeaderBytes + kChecksumBytes * block_count(payload_bytes);
}

std::uint64_t file_bytes(std::uint64_t payload_bytes) noexcept {
    return header_bytes(payload_bytes) + payload_bytes;
}

std::optional<std::uint64_t> payload_bytes_in(std::uint64_t file_size_bytes) noexcept {
    if (file_size_bytes < kFixedHeaderBytes || file_size_bytes > file_bytes(kMaxPayloadBytes)) return std::nullopt;
    const std::uint64_t body_bytes = file_size_bytes - kFixedHeaderBytes;
    constexpr std::uint64_t kBlockAndChecksumBytes = kBlockBytes + kChecksumBytes;
    const std::uint64_t blocks = (body_bytes + kBlockAndChecksumBytes - 1) / kBlockAndChecksumBytes;
    if (body_bytes < blocks * kChecksumBytes) return std::nullopt;
    const std::uint64_t payload_bytes = body_bytes - blocks * kChecksumBytes;
    if (block_count(payload_bytes) != blocks) return std::nullopt;
    return payload_bytes;
}

std::vector<std::byte> make_header(const ChunkKey& key, std::span<const std::byte> payload) {
    std::vector<std::byte> header(header_bytes(payload.size()));
    std::memcpy(header.data(), kMagic.data(), kMagic.size());
    store(std::span(header), kVersionAt, kFormatVersion);
    store(std::span(header), kBlockSizeAt, static_cast<std::uint32_t>(kBlockBytes));
    std::copy(key.begin(), key.end(), header.begin() + kKeyAt);
    store(std::span(header), kPayloadSizeAt, std::uint64_t{payload.size()});
    std::size_t at = kFixedHeaderBytes;
    for (std::size_t offset = 0; offset < payload.size(); offset += kBlockBytes, at += kChecksumBytes)
        store(std::span(header), at,
              checksum(payload.subspan(offset, std::min<std::size_t>(kBlockBytes, payload.size() - offset))));
    store(std::span(header), kHeaderChecksumAt, header_checksum(header));
    return header;
}

std::optional<ChunkHeader> parse_header(std::span<const std::byte> bytes, std::uint64_t file_size_bytes) {
    const auto payload_bytes = payload_bytes_in(file_size_bytes);
    if (!payload_bytes || bytes.size() < header_bytes(*payload_bytes)) return std::nullopt;
    bytes = bytes.first(header_bytes(*payload_bytes));
    if (!fixed_fields_agree(bytes, *payload_bytes)) return std::nullopt;
    if (load<std::uint64_t>(bytes, kHeaderChecksumAt) != header_checksum(bytes)) return std::nullopt;

    ChunkHeader header;
    std::copy_n(bytes.begin() + kKeyAt, header.key.size(), header.key.begin());
    header.payload_bytes = *payload_bytes;
    header.block_checksums.reserve(block_count(*payload_bytes));
    for (std::size_t at = kFixedHeaderBytes; at < bytes.size(); at += kChecksumBytes)
        header.block_checksums.push_back(load<std::uint64_t>(bytes, at));
    return header;
}

std::uint64_t block_bytes(const ChunkHeader& header, std::size_t block) noexcept {
    return std::min(kBlockBytes, header.payload_bytes - block * kBlockBytes);
}

bool is_intact(const ChunkHeader& header, std::size_t block, std::span<const std::byte> bytes) noexcept {
    assert(block < header.block_checksums.size());
    return bytes.size() == block_bytes(header, block) && checksum(bytes) == header.block_checksums[block];
}

}  // namespace lacquer::cache
