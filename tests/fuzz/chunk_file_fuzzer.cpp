// Any bytes as a chunk file: the parser stays inside them, and what it accepts is what make_header() writes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>

#include "cache/chunk_file.h"
#include "cache/directory_layout.h"

namespace {

using namespace lacquer::cache;

void require(bool holds) {
    if (!holds) std::abort();
}

void parse_as_file(std::span<const std::byte> file) {
    const auto header = parse_header(file, file.size());
    if (!header) return;
    const auto payload = file.subspan(header_bytes(header->payload_bytes));
    bool all_intact = true;
    for (std::size_t block = 0; block < header->block_checksums.size(); ++block)
        all_intact &= is_intact(*header, block, payload.subspan(block * kBlockBytes, block_bytes(*header, block)));
    if (!all_intact) return;
    const auto written = make_header(header->key, payload);
    require(std::equal(written.begin(), written.end(), file.begin()));
}

// A random file hardly ever has the right checksum: the bytes are taken as a payload too, and damaged where they say.
void write_damage_and_parse(std::span<const std::byte> bytes) {
    if (bytes.size() < 4) return;
    std::uint32_t flipped_bit = 0;
    std::memcpy(&flipped_bit, bytes.data(), sizeof flipped_bit);
    auto file = make_header(ChunkKey{}, bytes);
    const auto header_size = file.size();
    require(parse_header(file, file_bytes(bytes.size())).has_value());
    file[flipped_bit / 8 % header_size] ^= static_cast<std::byte>(1 << flipped_bit % 8);
    require(!parse_header(file, file_bytes(bytes.size())));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span(data, size));
    parse_as_file(bytes);
    write_damage_and_parse(bytes);
    if (size > 8) {
        std::uint64_t claimed_bytes = 0;
        std::memcpy(&claimed_bytes, data, sizeof claimed_bytes);
        (void)parse_header(bytes.subspan(8), claimed_bytes);
        (void)payload_bytes_in(claimed_bytes);
    }
    if (size > 0) (void)parse_file_name(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
    return 0;
}
