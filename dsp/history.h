// A line of the last frames of interleaved stereo followed by the block at hand, for stages that look back further
// than the block.
//
// Memory: allocated by the constructor; the past moves to the front only when the line is used up.
#pragma once

#include <algorithm>
#include <cstddef>

#include "dsp/audio_block.h"
#include "dsp/realtime.h"
#include "dsp/stereo_block.h"

namespace lacquer::dsp {

class StereoHistory {
public:
    explicit StereoHistory(std::size_t past_frames)
        : past_((past_frames + kGroupFrames - 1) / kGroupFrames * kGroupFrames * 2),
          line_(1, past_ + kBlocks * kWorkFrames * 2),
          at_(past_) {}

    // The block's first sample, 64-byte aligned; at least the `past_frames` frames before it are valid as well.
    float* block() LACQUER_REALTIME { return line_.block().channels[0] + at_; }

    // Lays the block down, its samples limited to +-1e18, so that no sum over them overflows. Returns the largest
    // |sample|.
    float take(const StereoBlock& block) LACQUER_REALTIME;

    // The block's first `frames` frames, a multiple of kGroupFrames, become the past.
    void advance(std::size_t frames) LACQUER_REALTIME {
        at_ += 2 * frames;
        if (at_ + 2 * kWorkFrames <= line_.frame_count()) return;
        float* const line = line_.block().channels[0];
        std::copy_n(line + (at_ - past_), past_, line);
        at_ = past_;
    }
    void reset() LACQUER_REALTIME {
        at_ = past_;
        std::fill_n(line_.block().channels[0], line_.frame_count(), 0.0f);
    }

private:
    static constexpr std::size_t kBlocks = 8;  // how far the block wanders before the past is moved

    std::size_t past_;  // in samples
    AudioBuffer line_;
    std::size_t at_;
};

}  // namespace lacquer::dsp
