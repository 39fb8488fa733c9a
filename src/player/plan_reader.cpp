#include "src/player/plan_reader.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace lacquer::player {
namespace {

static_assert(std::endian::native == std::endian::little, "the stream's samples are little-endian");

// More than the next piece at a time: fewer wake-ups while a chunk is rendered.
constexpr std::size_t kLeastBytes = 16 * 1024;
constexpr std::int64_t kLookAheadChunks = 2;

}  // namespace

PlanReader::PlanReader(ChunkService& chunks, const Voice& voice, std::int64_t first_frame)
    : channels_(voice.plan->channels()),
      length_frames_(voice.plan->grid.frame_count()),
      gain_(voice.gain()),
      stream_(chunks, voice.plan, {0, length_frames_}),
      frame_(first_frame),
      fade_frames_(static_cast<std::size_t>(kFadeSeconds * voice.plan->media.sample_rate_hz)) {
    assert(voice.plan->format == dsp::SampleFormat::f32 && first_frame >= 0 && first_frame <= length_frames_);
    stream_.set_look_ahead(kLookAheadChunks);
    stream_.set_least_bytes(kLeastBytes);
}

void PlanReader::skip_rest() noexcept {
    frame_ = length_frames_;
    const bool silent = std::all_of(last_.begin(), last_.end(), [](float sample) { return sample == 0.0f; });
    fading_frames_ = silent ? 0 : fade_frames_;
}

std::size_t PlanReader::read(std::span<float> out, const std::function<bool()>& go_on) {
    if (fading_frames_ > 0) return read_fade(out);
    const std::size_t frames = read_stream(out, go_on);
    if (frames > 0) std::copy_n(&out[(frames - 1) * channels_], channels_, last_.begin());
    return frames;
}

std::size_t PlanReader::read_fade(std::span<float> out) noexcept {
    const std::size_t frames = std::min(fading_frames_, out.size() / channels_);
    for (std::size_t i = 0; i < frames; ++i) {
        const float level = static_cast<float>(--fading_frames_) / static_cast<float>(fade_frames_);
        for (std::size_t c = 0; c < channels_; ++c) out[i * channels_ + c] = level * last_[c];
    }
    return frames;
}

std::size_t PlanReader::read_stream(std::span<float> out, const std::function<bool()>& go_on) {
    const std::size_t frame_bytes = channels_ * sizeof(float);
    const std::size_t frames =
        std::min<std::size_t>(out.size() / channels_, static_cast<std::size_t>(length_frames_ - frame_));
    const std::span<std::byte> bytes = std::as_writable_bytes(out.first(frames * channels_));
    const std::uint64_t offset = stream_.header_bytes() + static_cast<std::uint64_t>(frame_) * frame_bytes;
    std::size_t have = 0;
    do {
        if (have == bytes.size()) break;
        const std::size_t count = stream_.read(offset + have, bytes.subspan(have), go_on);
        if (count == 0) return 0;  // the part of a frame that was read is read again
        have += count;
    } while (have % frame_bytes != 0);
    const std::size_t got = have / frame_bytes;
    if (gain_ != 1.0f) {
        for (float& sample : out.first(got * channels_)) sample *= gain_;
    }
    frame_ += static_cast<std::int64_t>(got);
    return got;
}

}  // namespace lacquer::player
