#include "src/media/mpeg_header.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

namespace lacquer::media {
namespace {

constexpr std::size_t kSearchBytes = 256 * 1024;
constexpr int kFramesInARow = 3;
constexpr std::int64_t kDecoderDelay = 529;  // of every layer 3 decoder: 528 and the one of the filter bank

constexpr int kKbps[5][15] = {
    {0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},  // version 1, layer 1
    {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},     // version 1, layer 2
    {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},      // version 1, layer 3
    {0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},     // version 2, layer 1
    {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},          // version 2, layers 2 and 3
};
constexpr int kRatesHz[3] = {44100, 48000, 32000};

using Bytes = std::span<const unsigned char>;

std::vector<unsigned char> read_front(FileReader& file, std::size_t count) {
    std::vector<unsigned char> bytes(count);
    bytes.resize(file.read_at(0, std::as_writable_bytes(std::span(bytes))));
    return bytes;
}

std::optional<MpegHeader> header_at(Bytes bytes, std::size_t position) {
    if (position + 4 > bytes.size()) return std::nullopt;
    std::array<unsigned char, 4> four{};
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(position), 4, four.begin());
    return parse_mpeg_header(four);
}

bool frames_follow(Bytes bytes, std::size_t position, bool is_whole_file) {
    const auto first = header_at(bytes, position);
    if (!first) return false;
    for (int frame = 1; frame < kFramesInARow; ++frame) {
        position += static_cast<std::size_t>(header_at(bytes, position)->frame_bytes);
        if (is_whole_file && position == bytes.size()) return true;
        if (is_whole_file && position > bytes.size() && frame > 1) return true;
        const auto next = header_at(bytes, position);
        if (!next || next->layer != first->layer || next->version != first->version ||
            next->sample_rate_hz != first->sample_rate_hz) {
            return false;
        }
    }
    return true;
}

std::int64_t big_endian(Bytes bytes, std::size_t position, std::size_t count) {
    std::int64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8 | bytes[position + i];
    return value;
}

bool is_at(Bytes bytes, std::size_t position, const char* four_letters) {
    return position + 4 <= bytes.size() && std::memcmp(bytes.data() + position, four_letters, 4) == 0;
}

// `position` is that of LAME's part: nine characters of version, twelve other bytes, then two times 12 bits.
void read_lame_delays(Bytes bytes, std::size_t position, MpegInfoTag& tag) {
    if (position + 24 > bytes.size() || bytes[position] == 0) return;
    const std::int64_t delays = big_endian(bytes, position + 21, 3);
    tag.delay_samples = (delays >> 12) + kDecoderDelay;
    tag.padding_samples = std::max<std::int64_t>(0, (delays & 0xfff) - kDecoderDelay);
}

MpegInfoTag read_xing(Bytes bytes, std::size_t position) {
    MpegInfoTag tag;
    if (position + 8 > bytes.size()) return tag;
    const std::int64_t flags = big_endian(bytes, position + 4, 4);
    position += 8;
    if ((flags & 1) != 0 && position + 4 <= bytes.size()) tag.frames = big_endian(bytes, position, 4);
    if ((flags & 1) != 0) position += 4;
    if ((flags & 2) != 0) position += 4;
    if ((flags & 4) != 0) position += 100;
    if ((flags & 8) != 0) position += 4;
    read_lame_delays(bytes, position, tag);
    return tag;
}

}  // namespace

std::optional<MpegHeader> parse_mpeg_header(const std::array<unsigned char, 4>& bytes) noexcept {
    const int version_bits = bytes[1] >> 3 & 3;
    const int layer_bits = bytes[1] >> 1 & 3;
    const int rate_index = bytes[2] >> 2 & 3;
    const int bitrate_index = bytes[2] >> 4;
    const bool is_sync = bytes[0] == 0xff && (bytes[1] & 0xe0) == 0xe0;
    if (!is_sync || version_bits == 1 || layer_bits == 0 || rate_index == 3) return std::nullopt;
    if (bitrate_index == 0 || bitrate_index == 15 || (bytes[3] & 3) == 2) return std::nullopt;

    MpegHeader header;
    header.version = version_bits == 3 ? 1 : version_bits == 2 ? 2 : 25;
    header.layer = 4 - layer_bits;
    header.sample_rate_hz = kRatesHz[rate_index] / (header.version == 1 ? 1 : header.version == 2 ? 2 : 4);
    header.has_crc = (bytes[1] & 1) == 0;
    const bool first_version = header.version == 1;
    const bool mono = bytes[3] >> 6 == 3;
    header.frame_samples = header.layer == 1 ? 384 : header.layer == 3 && !first_version ? 576 : 1152;
    header.side_info_bytes = first_version ? (mono ? 17 : 32) : (mono ? 9 : 17);
    const int table = first_version ? header.layer - 1 : header.layer == 1 ? 3 : 4;
    const int padding = bytes[2] >> 1 & 1;
    const int bits_per_second = kKbps[table][bitrate_index] * 1000;
    header.frame_bytes = header.layer == 1
                             ? (12 * bits_per_second / header.sample_rate_hz + padding) * 4
                             : header.frame_samples / 8 * bits_per_second / header.sample_rate_hz + padding;
    return header;
}

std::optional<std::int64_t> find_mpeg_audio(FileReader& file) {
    const std::vector<unsigned char> bytes = read_front(file, kSearchBytes);
    const bool is_whole_file = static_cast<std::int64_t>(bytes.size()) == file.size_bytes();
    for (std::size_t position = 0; position + 4 <= bytes.size(); ++position) {
        if (bytes[position] == 0xff && frames_follow(bytes, position, is_whole_file)) {
            return static_cast<std::int64_t>(position);
        }
    }
    return std::nullopt;
}

std::optional<MpegInfoTag> read_mpeg_info_tag(FileReader& file) {
    const std::vector<unsigned char> bytes = read_front(file, 512);
    const auto header = header_at(bytes, 0);
    if (!header || header->layer != 3) return std::nullopt;
    const std::size_t tag = 4 + static_cast<std::size_t>(header->side_info_bytes) + (header->has_crc ? 2 : 0);
    if (is_at(bytes, tag, "Xing") || is_at(bytes, tag, "Info")) return read_xing(bytes, tag);
    if (is_at(bytes, 36, "VBRI") && bytes.size() >= 54) return MpegInfoTag{big_endian(bytes, 50, 4), 0, 0};
    return std::nullopt;
}

std::int64_t id3v2_bytes(FileReader& file) {
    constexpr int kMaxTags = 16;
    std::int64_t position = 0;
    for (int i = 0; i < kMaxTags; ++i) {
        std::array<unsigned char, 10> head{};
        if (file.read_at(position, std::as_writable_bytes(std::span(head))) != head.size()) break;
        const bool synchsafe = std::all_of(head.begin() + 6, head.end(), [](unsigned char b) { return b < 0x80; });
        if (std::memcmp(head.data(), "ID3", 3) != 0 || head[3] == 0xff || !synchsafe) break;
        const bool has_footer = (head[5] & 0x10) != 0;
        position += 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]) + (has_footer ? 10 : 0);
    }
    return position;
}

}  // namespace lacquer::media
