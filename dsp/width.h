// Stereo width: scales the side and takes it away below a border, so that the bass is mono. Two channels.
//
// Method:  mid/side; the side is split by a Linkwitz-Riley border and the mid passes the all-pass that border amounts
//          to, so that both keep their phase to each other at every setting.
// Threads: not thread-safe; one instance per run.
// Memory:  no heap.
// Latency: none.
#pragma once

#include <array>

#include "dsp/biquad.h"
#include "dsp/settings.h"
#include "dsp/work_block.h"

namespace lacquer::dsp {

class Width {
public:
    // Throws std::invalid_argument naming the field when a setting is outside its range.
    explicit Width(const WidthSettings& settings);

    void process(WorkBlock block) LACQUER_REALTIME;
    void reset() LACQUER_REALTIME;

private:
    double low_gain_;
    double high_gain_;
    Biquad mid_;
    std::array<Biquad, 2> side_low_;
    std::array<Biquad, 2> side_high_;
};

}  // namespace lacquer::dsp
