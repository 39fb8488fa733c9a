// Trim, tonal equaliser and high-pass: ten second-order sections in series, in double.
//
// Method:  a wavefront: every section works on the frame that its neighbour finished one step before, so that all
//          sections and both channels are lanes of the same few vectors.
// Threads: not thread-safe; one instance per run.
// Memory:  no heap.
// Latency: latency_frames(), the same on every instruction set.
#pragma once

#include <cstddef>

#include "dsp/audio_block.h"
#include "dsp/section_lanes.h"
#include "dsp/settings.h"
#include "dsp/stereo_block.h"

namespace lacquer::dsp {

class Equaliser {
public:
    // `gain`: linear, over all. Throws std::invalid_argument naming the field when a section's b0 is zero.
    explicit Equaliser(const EqualiserSettings& settings, double gain = 1.0);

    // Both blocks have the same length. Takes NaN, Inf and what is beyond kLoudestSample for silence.
    void process(StereoBlock in, WideBlock out) LACQUER_REALTIME;
    void reset() LACQUER_REALTIME;
    static constexpr std::size_t latency_frames() LACQUER_REALTIME { return kEqualiserSections - 1; }

    struct Lanes : SectionLanes<2 * kEqualiserSections> {  // the last section first
        alignas(64) Line y{};                              // what each section made of the step before
        double gain = 1.0;
    };

private:
    Lanes lanes_;
};

}  // namespace lacquer::dsp
