// Stereo width: scales the side and takes it away below a border, so that the bass is mono. Two channels.
//
// Method:  both channels pass the all-pass that a Linkwitz-Riley border amounts to; the side's low band is filtered
//          beside it, and what is left of the all-passed side is its high band. So mid and side keep their phase to
//          each other at every setting. In double.
// Threads: not thread-safe; one instance per run.
// Memory:  no heap.
// Latency: latency_frames(), the same on every instruction set.
#pragma once

#include <array>
#include <cstddef>

#include "dsp/section_lanes.h"
#include "dsp/settings.h"
#include "dsp/stereo_block.h"

namespace lacquer::dsp {

class Width {
public:
    // Throws std::invalid_argument naming the field when a setting is outside its range.
    explicit Width(const WidthSettings& settings);

    void process(StereoBlock block) LACQUER_REALTIME;
    void reset() LACQUER_REALTIME;
    static constexpr std::size_t latency_frames() LACQUER_REALTIME { return 1; }

    // Left, right; the side's low-pass, the same again.
    struct Lanes : SectionLanes<4> {
        double low = 0.0;  // what the first low-pass made of the step before
        double direct = 1.0;
        double cross = 0.0;
        double bass = 0.0;                                               // of the side's low band, added to the left
        alignas(64) std::array<double, 2 * (kWorkFrames + 1)> turned{};  // all-passed, from one frame before the block
        alignas(64) std::array<double, 2 * kWorkFrames> side{};
    };

private:
    Lanes lanes_;
};

}  // namespace lacquer::dsp
