// MPEG audio frame headers (ISO/IEC 11172-3, 13818-3 and the 2.5 extension), the Xing/Info/LAME tag in the first of
// them, and the search for the first frame: what must be known before libmpg123 is given the file.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "src/media/file_reader.h"

namespace lacquer::media {

struct MpegHeader {
    int layer = 0;    // 1, 2, 3
    int version = 0;  // 1, 2, 25
    int sample_rate_hz = 0;
    int frame_bytes = 0;      // header included
    int frame_samples = 0;    // per channel
    int side_info_bytes = 0;  // layer 3: between the header (and its CRC) and the main data
    bool has_crc = false;
};

// nullopt when these are not a header, or one of a free-format stream.
std::optional<MpegHeader> parse_mpeg_header(const std::array<unsigned char, 4>& bytes) noexcept;

// Where the first three frames that follow each other start (fewer when the file ends within them), looked for in the
// first 256 KiB; nullopt when there are none.
std::optional<std::int64_t> find_mpeg_audio(FileReader& file);

struct MpegInfoTag {
    std::int64_t frames = -1;          // -1: not told
    std::int64_t delay_samples = 0;    // to drop at the start: the encoder's delay and the decoder's 529
    std::int64_t padding_samples = 0;  // to drop at the end
};

// The tag in the frame at byte 0; nullopt when that is an ordinary frame.
std::optional<MpegInfoTag> read_mpeg_info_tag(FileReader& file);

// Bytes of all ID3v2 tags (version 2.2 to 2.4) from byte 0 on.
std::int64_t id3v2_bytes(FileReader& file);

}  // namespace lacquer::media
