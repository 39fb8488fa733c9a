// Interleaved frames from one thread to another, without locks. Both counts run on from the last reset, so they are
// also positions.
//
// Threads: one writes, one reads; either may look at the counts. reset() only while neither is at work.
// Memory:  capacity x channels floats, allocated by the constructor.
#pragma once

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dsp/realtime.h"

namespace lacquer::player {

class FrameRing {
public:
    FrameRing(std::size_t channels, std::size_t capacity_frames)
        : channels_(channels), capacity_frames_(capacity_frames), samples_(channels * capacity_frames) {}

    std::size_t channels() const noexcept { return channels_; }
    std::uint64_t written_frames() const LACQUER_REALTIME { return written_.load(std::memory_order_acquire); }
    std::uint64_t read_frames() const LACQUER_REALTIME { return read_.load(std::memory_order_acquire); }
    std::size_t available_frames() const LACQUER_REALTIME {
        const std::uint64_t read =
            read_frames();  // first: a third thread that looks in between sees too much, not less
        return std::min<std::uint64_t>(written_frames() - read, capacity_frames_);  // than nothing
    }
    std::size_t room_frames() const LACQUER_REALTIME { return capacity_frames_ - available_frames(); }

    // Takes as many whole frames as there is room for; returns how many.
    std::size_t write(std::span<const float> interleaved) LACQUER_REALTIME {
        assert(interleaved.size() % channels_ == 0);
        const std::uint64_t begin = written_.load(std::memory_order_relaxed);
        const std::size_t frames = std::min(interleaved.size() / channels_, room_frames());
        const std::size_t first = std::min(frames, capacity_frames_ - begin % capacity_frames_);
        std::copy_n(interleaved.data(), first * channels_, at(begin));
        std::copy_n(interleaved.data() + first * channels_, (frames - first) * channels_, samples_.data());
        written_.store(begin + frames, std::memory_order_release);
        return frames;
    }
    // Fills `out` as far as there is something; returns the frames.
    std::size_t read(float* out, std::size_t wanted_frames) LACQUER_REALTIME {
        const std::uint64_t begin = read_.load(std::memory_order_relaxed);
        const std::size_t frames = std::min(wanted_frames, available_frames());
        const std::size_t first = std::min(frames, capacity_frames_ - begin % capacity_frames_);
        std::copy_n(at(begin), first * channels_, out);
        std::copy_n(samples_.data(), (frames - first) * channels_, out + first * channels_);
        read_.store(begin + frames, std::memory_order_release);
        return frames;
    }
    void skip(std::size_t frames) LACQUER_REALTIME {  // of those that are available
        assert(frames <= available_frames());
        read_.store(read_.load(std::memory_order_relaxed) + frames, std::memory_order_release);
    }
    void reset() noexcept {
        written_ = 0;
        read_ = 0;
    }

private:
    float* at(std::uint64_t frame) LACQUER_REALTIME { return samples_.data() + frame % capacity_frames_ * channels_; }

    const std::size_t channels_;
    const std::size_t capacity_frames_;
    std::vector<float> samples_;
    alignas(64) std::atomic<std::uint64_t> written_ = 0;
    alignas(64) std::atomic<std::uint64_t> read_ = 0;
};

}  // namespace lacquer::player
