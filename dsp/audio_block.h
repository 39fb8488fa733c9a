// Audio as every stage sees it: planar 32-bit float, full scale 1.0, one or two channels. A block borrows, a buffer
// owns.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <memory>
#include <new>
#include <span>

namespace lacquer::dsp {

// Beyond it, and where it is not a number, a sample is damage and counts as silence: +120 dBFS.
inline constexpr float kLoudestSample = 1e6f;

inline constexpr std::size_t kMaxChannels = 2;  // more are downmixed by the decoder

// A borrowed view of `frame_count` frames; valid as long as what it was taken from.
template <typename Sample>
struct BasicAudioBlock {
    std::array<Sample*, kMaxChannels> channels{};
    std::size_t channel_count = 0;  // [1, kMaxChannels]
    std::size_t frame_count = 0;

    std::span<Sample> channel(std::size_t index) const noexcept {
        assert(index < channel_count);
        return {channels[index], frame_count};
    }
    BasicAudioBlock slice(std::size_t first_frame, std::size_t count) const noexcept {
        assert(first_frame + count <= frame_count);
        BasicAudioBlock part = *this;
        for (std::size_t c = 0; c < channel_count; ++c) part.channels[c] += first_frame;
        part.frame_count = count;
        return part;
    }
    operator BasicAudioBlock<const Sample>() const noexcept {
        BasicAudioBlock<const Sample> view;
        std::copy_n(channels.begin(), kMaxChannels, view.channels.begin());
        view.channel_count = channel_count;
        view.frame_count = frame_count;
        return view;
    }
};

using AudioBlock = BasicAudioBlock<float>;
using ConstAudioBlock = BasicAudioBlock<const float>;

// Owns planar audio, 64-byte aligned, zeroed at construction. Memory: channels x frames x 4 bytes, fixed for life.
class AudioBuffer {
public:
    // Throws std::bad_alloc.
    AudioBuffer(std::size_t channel_count, std::size_t frame_count)
        : channel_count_(channel_count),
          frame_count_(frame_count),
          stride_((frame_count + 15) / 16 * 16),
          samples_(static_cast<float*>(::operator new[](
              std::max<std::size_t>(1, channel_count* stride_) * sizeof(float), std::align_val_t{64}))) {
        assert(channel_count >= 1 && channel_count <= kMaxChannels);
        std::fill_n(samples_.get(), channel_count * stride_, 0.0f);
    }
    AudioBuffer(AudioBuffer&&) noexcept = default;
    AudioBuffer& operator=(AudioBuffer&&) noexcept = default;
    AudioBuffer(const AudioBuffer&) = delete;  // a silent copy of audio is always a mistake
    AudioBuffer& operator=(const AudioBuffer&) = delete;

    std::size_t channel_count() const noexcept { return channel_count_; }
    std::size_t frame_count() const noexcept { return frame_count_; }

    AudioBlock block() noexcept {
        AudioBlock view;
        for (std::size_t c = 0; c < channel_count_; ++c) view.channels[c] = samples_.get() + c * stride_;
        view.channel_count = channel_count_;
        view.frame_count = frame_count_;
        return view;
    }
    ConstAudioBlock block() const noexcept { return const_cast<AudioBuffer*>(this)->block(); }

private:
    struct AlignedDelete {
        void operator()(float* p) const noexcept { ::operator delete[](p, std::align_val_t{64}); }
    };
    std::size_t channel_count_;
    std::size_t frame_count_;
    std::size_t stride_;
    std::unique_ptr<float[], AlignedDelete> samples_;
};

}  // namespace lacquer::dsp
