// How many frames a file really gives: headers lie, and files are cut short.
#pragma once

#include <cstdint>

#include "src/media/source.h"

namespace lacquer::media {

// Frames that a straight decode gives, at most those that the source claims. When the last blocks before the claimed
// end can be read, the claim is believed; else the whole file is decoded. Leaves the source anywhere. Throws
// DecodeError when there are more than 48 hours to decode.
std::int64_t measure_frames(Source& source);

// The header's count where it says more than `frame_count` and is no nonsense: at most 48 hours and 4 x frame_count;
// else frame_count.
std::int64_t believable_promise(const SourceFormat& format, std::int64_t frame_count) noexcept;

}  // namespace lacquer::media
