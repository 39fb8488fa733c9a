// The constant gain of a track, and where the recipe has one, its curve: a gain node in dB per second, interpolated in
// dB by the position in the track, in a straight line over the frames of a group. Nothing is carried from group to
// group.
//
// Threads: not thread-safe; one instance per run.
// Memory:  allocated by the constructor.
// Latency: none.
#pragma once

#include <cstdint>
#include <vector>

#include "dsp/realtime.h"
#include "dsp/settings.h"
#include "dsp/stereo_block.h"

namespace lacquer::dsp {

class LevelCurve {
public:
    // `first_frame`: position in the track of the first frame that process() will be given; may be negative.
    // Throws std::invalid_argument naming the field when a setting is not finite.
    LevelCurve(const LevelCurveSettings& settings, std::uint32_t sample_rate_hz, std::int64_t first_frame);

    void process(StereoBlock block) LACQUER_REALTIME;
    double gain_at(std::int64_t frame) const LACQUER_REALTIME;  // linear

private:
    double gain_;
    double seconds_per_frame_;
    std::int64_t next_frame_;
    std::vector<double> curve_db_;
};

}  // namespace lacquer::dsp
