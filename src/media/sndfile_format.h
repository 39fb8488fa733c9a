// What Lacquer knows about libsndfile's containers, codecs and channel maps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include <sndfile.h>

#include "src/media/downmix.h"

namespace lacquer::media {

struct SndfileCodec {
    int subtype;
    int integer_bits;             // 0: read as float
    std::int64_t preroll_frames;  // decoded and dropped after a seek, so that the next frame is a straight decode's
    std::int64_t restart_frames;  // where no preroll makes it so: see SourceFormat::restart_frames
};

inline constexpr std::int64_t kPrerollFromStart = std::numeric_limits<std::int64_t>::max();

// A codec whose seeks nobody measured is decoded from the start.
SndfileCodec sndfile_codec(int format) noexcept;
// "wav", "flac", "opus", ...; nullptr for the containers we do not accept.
const char* sndfile_format_name(int format) noexcept;
// From the file where it names its speakers, else the container's standard order.
ChannelLayout sndfile_layout(SNDFILE* file, const SF_INFO& info);
// libsndfile's version and, for lossy codecs, that of the library that decides their bits.
std::string sndfile_decoder_name(int format);

}  // namespace lacquer::media
