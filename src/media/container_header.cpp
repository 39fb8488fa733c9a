#include "src/media/container_header.h"

#include <array>
#include <cstring>

#include <sndfile.h>

namespace lacquer::media {
namespace {

constexpr std::int64_t kUnknownFrom = 0x7fff0000;
constexpr std::int64_t kSizeIsInDs64 = 0xffffffff;
constexpr int kMaxChunks = 1000;  // headers of real files have a handful

enum class ByteOrder { little, big };

template <std::size_t kBytes>
std::optional<std::array<unsigned char, kBytes>> bytes_at(FileReader& file, std::int64_t position) {
    std::array<unsigned char, kBytes> bytes{};
    const std::size_t count = file.read_at(position, std::as_writable_bytes(std::span(bytes)));
    if (count != kBytes) return std::nullopt;
    return bytes;
}

std::uint64_t number(std::span<const unsigned char> bytes, ByteOrder order) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        value = value << 8 | bytes[order == ByteOrder::big ? i : bytes.size() - 1 - i];
    }
    return value;
}

bool is(std::span<const unsigned char> bytes, const char* four_letters) {
    return std::memcmp(bytes.data(), four_letters, 4) == 0;
}

std::optional<std::int64_t> known(std::int64_t bytes) {
    if (bytes <= 0 || bytes >= kUnknownFrom) return std::nullopt;
    return bytes;
}

std::optional<std::int64_t> find_chunk(FileReader& file, const char* name, ByteOrder order) {
    std::int64_t position = 12;
    for (int i = 0; i < kMaxChunks; ++i) {
        const auto head = bytes_at<8>(file, position);
        if (!head) return std::nullopt;
        if (is(*head, name)) return position;
        const auto size = static_cast<std::int64_t>(number(std::span(*head).subspan(4), order));
        position += 8 + size + (size & 1);
    }
    return std::nullopt;
}

std::optional<std::int64_t> chunk_bytes(FileReader& file, const char* name, ByteOrder order) {
    const auto position = find_chunk(file, name, order);
    const auto size = position ? bytes_at<4>(file, *position + 4) : std::nullopt;
    return size ? std::optional(static_cast<std::int64_t>(number(*size, order))) : std::nullopt;
}

std::optional<std::int64_t> wave_data_bytes(FileReader& file) {
    const auto size = chunk_bytes(file, "data", ByteOrder::little);
    const auto ds64 = size == kSizeIsInDs64 ? find_chunk(file, "ds64", ByteOrder::little) : std::nullopt;
    const auto wide = ds64 ? bytes_at<8>(file, *ds64 + 16) : std::nullopt;
    if (wide) return static_cast<std::int64_t>(number(*wide, ByteOrder::little));
    return size ? known(*size) : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> promised_audio_bytes(FileReader& file) {
    const auto head = bytes_at<12>(file, 0);
    if (!head) return std::nullopt;
    if (is(*head, "RIFF") || is(*head, "RF64")) return wave_data_bytes(file);
    if (is(*head, "FORM")) {
        const auto bytes = chunk_bytes(file, "SSND", ByteOrder::big);
        return bytes ? known(*bytes - 8) : std::nullopt;  // after SSND's offset and block size
    }
    if (is(*head, ".snd")) return known(static_cast<std::int64_t>(number(std::span(*head).subspan(8), ByteOrder::big)));
    return std::nullopt;
}

int wave_format_tag(FileReader& file) {
    const auto head = bytes_at<12>(file, 0);
    if (!head || !(is(*head, "RIFF") || is(*head, "RF64"))) return 0;
    const auto position = find_chunk(file, "fmt ", ByteOrder::little);
    const auto tag = position ? bytes_at<2>(file, *position + 8) : std::nullopt;
    return tag ? static_cast<int>(number(*tag, ByteOrder::little)) : 0;
}

void repair_unset_wave_size(FileReader& file) {
    const auto head = bytes_at<12>(file, 0);
    if (!head || !is(*head, "RIFF")) return;
    const auto data = find_chunk(file, "data", ByteOrder::little);
    const auto size = data ? bytes_at<4>(file, *data + 4) : std::nullopt;
    if (!size || number(*size, ByteOrder::little) != 0) return;
    const auto riff_size = static_cast<std::int64_t>(number(std::span(*head).subspan(4, 4), ByteOrder::little));
    const bool more_chunks = riff_size < kUnknownFrom && riff_size > *data;
    if (more_chunks || file.size_bytes() <= *data + 8) return;
    constexpr std::byte kUnset{0xff};
    file.overlay(*data + 4, {kUnset, kUnset, kUnset, kUnset});
}

int bytes_per_pcm_sample(int format) noexcept {
    switch (format & SF_FORMAT_SUBMASK) {
        case SF_FORMAT_PCM_S8:
        case SF_FORMAT_PCM_U8:
        case SF_FORMAT_ULAW:
        case SF_FORMAT_ALAW:
            return 1;
        case SF_FORMAT_PCM_16:
            return 2;
        case SF_FORMAT_PCM_24:
            return 3;
        case SF_FORMAT_PCM_32:
        case SF_FORMAT_FLOAT:
            return 4;
        case SF_FORMAT_DOUBLE:
            return 8;
        default:
            return 0;
    }
}

}  // namespace lacquer::media
