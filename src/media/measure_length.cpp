#include "src/media/measure_length.h"

#include <algorithm>
#include <vector>

#include "src/media/decoder.h"

namespace lacquer::media {
namespace {

constexpr std::int64_t kMaxHours = 48;
constexpr std::int64_t kBelievedGrowth = 4;
constexpr std::int64_t kProofFrames = 2 * kSourceBlockFrames;

std::int64_t longest(const SourceFormat& format) noexcept {
    return kMaxHours * 3600 * format.sample_rate_hz;
}

// Reads on from where the source is, at most `limit` frames and one block.
std::int64_t frames_to_end(Source& source, std::int64_t limit) {
    std::vector<float> block(kSourceBlockFrames * source.format().channels);
    std::int64_t total = 0;
    while (total <= limit) {
        const std::size_t count = source.read(block);
        if (count == 0) break;
        total += static_cast<std::int64_t>(count);
    }
    return total;
}

bool reaches(Source& source, std::int64_t claimed) {
    if (claimed > longest(source.format())) return false;
    const std::int64_t from = std::max<std::int64_t>(0, claimed - kProofFrames);
    try {
        source.seek(from);
        return frames_to_end(source, kProofFrames) >= claimed - from;
    } catch (const DecodeError&) {
        return false;  // a damaged end cannot be positioned to; the walk will find how far it goes
    }
}

}  // namespace

std::int64_t measure_frames(Source& source) {
    const std::int64_t claimed = source.format().claimed_frames;
    if (claimed <= 0) return 0;
    if (reaches(source, claimed)) return claimed;
    const std::int64_t limit = longest(source.format());
    source.seek(0);
    const std::int64_t walked = std::min(claimed, frames_to_end(source, limit));
    if (walked > limit) throw DecodeError("longer than 48 hours");
    return walked;
}

std::int64_t believable_promise(const SourceFormat& format, std::int64_t frame_count) noexcept {
    const std::int64_t promised = std::max(format.promised_frames, format.claimed_frames);
    const std::int64_t most = std::min(longest(format), kBelievedGrowth * frame_count);
    return promised > frame_count && promised <= most ? promised : frame_count;
}

}  // namespace lacquer::media
