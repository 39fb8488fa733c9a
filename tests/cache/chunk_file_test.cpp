#include "cache/chunk_file.h"

#include <cstdint>
#include <limits>
#include <set>

#include <gtest/gtest.h>

#include "tests/cache/fixture.h"

namespace lacquer::cache {
namespace {

using test::content;
using test::key;

TEST(ChunkFile, SizeOfTheFileTellsSizeOfThePayload) {
    std::set<std::uint64_t> file_sizes;
    for (std::uint64_t payload_bytes = 0; payload_bytes < 3 * kBlockBytes + 9; ++payload_bytes) {
        EXPECT_EQ(payload_bytes_in(file_bytes(payload_bytes)), payload_bytes);
        file_sizes.insert(file_bytes(payload_bytes));
    }
    for (std::uint64_t size = 0; size < *file_sizes.rbegin(); ++size)
        EXPECT_EQ(payload_bytes_in(size).has_value(), file_sizes.contains(size)) << size;
}

TEST(ChunkFile, AbsurdSizesAreRefused) {
    EXPECT_TRUE(payload_bytes_in(file_bytes(kMaxPayloadBytes)));
    EXPECT_FALSE(payload_bytes_in(file_bytes(kMaxPayloadBytes) + 1));
    EXPECT_FALSE(payload_bytes_in(std::numeric_limits<std::uint64_t>::max()));
}

TEST(ChunkFile, HeaderReadsBackAsWritten) {
    for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{1}, kBlockBytes, 2 * kBlockBytes + 7}) {
        const auto payload = content(3, bytes);
        const auto header = parse_header(make_header(key(3), payload), file_bytes(bytes));
        ASSERT_TRUE(header) << bytes;
        EXPECT_EQ(header->key, key(3));
        EXPECT_EQ(header->payload_bytes, bytes);
        EXPECT_EQ(header->block_checksums.size(), (bytes + kBlockBytes - 1) / kBlockBytes);
    }
}

// Recorded from version 1: a change here makes every stored chunk unreadable and needs a new format version.
TEST(ChunkFile, HeaderOfVersionOneKeepsItsBytes) {
    const auto header = make_header(key(1), content(1, 100));
    std::string hex;
    for (const auto byte : header) {
        constexpr char kDigits[] = "0123456789abcdef";
        hex += {kDigits[std::to_integer<int>(byte) >> 4], kDigits[std::to_integer<int>(byte) & 15]};
    }
    EXPECT_EQ(hex,
              "4c41435143484e4b"
              "01000000"
              "00000100"
              "01000000010000000000000000000000"
              "6400000000000000"
              "4070b217c1ff0f02"
              "fbe4dba6d123078c");
}

TEST(ChunkFile, EveryBitOfTheHeaderIsProtected) {
    const auto payload = content(5, kBlockBytes + 10);
    const auto header = make_header(key(5), payload);
    for (std::size_t bit = 0; bit < 8 * header.size(); ++bit) {
        auto damaged = header;
        damaged[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
        EXPECT_FALSE(parse_header(damaged, file_bytes(payload.size()))) << bit;
    }
}

TEST(ChunkFile, HeaderCutAnywhereIsRefused) {
    const auto header = make_header(key(5), content(5, 10));
    for (std::size_t size = 0; size < header.size(); ++size)
        EXPECT_FALSE(parse_header(std::span(header).first(size), file_bytes(10))) << size;
    EXPECT_FALSE(parse_header(header, file_bytes(11)));
}

TEST(ChunkFile, BlocksAreToldApart) {
    const auto payload = content(7, 2 * kBlockBytes + 10);
    const auto header = parse_header(make_header(key(7), payload), file_bytes(payload.size()));
    ASSERT_TRUE(header);
    const auto block = [&](std::size_t number) {
        return std::span(payload).subspan(number * kBlockBytes, block_bytes(*header, number));
    };
    for (std::size_t number = 0; number < 3; ++number) EXPECT_TRUE(is_intact(*header, number, block(number)));
    EXPECT_FALSE(is_intact(*header, 0, block(1)));
    EXPECT_FALSE(is_intact(*header, 2, block(2).first(9)));
}

}  // namespace
}  // namespace lacquer::cache
