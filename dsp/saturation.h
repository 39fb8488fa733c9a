// Soft saturation of the warm preset: a third harmonic that grows with the square of the level.
//
// Method:  y = x - a x^3 up to where its slope ends, flat beyond. The cubic's part is computed at twice the rate
// (127-tap
//          half-band, Kaiser) and subtracted from the delayed input, so x itself passes no filter. A third harmonic
//          of anything the rate can carry does not fold below the audible band: aliases < -80 dBFS.
// Threads: not thread-safe; one instance per run.
// Memory:  allocated by the constructor.
// Latency: latency_frames(), fixed.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "dsp/history.h"
#include "dsp/settings.h"
#include "dsp/work_block.h"

namespace lacquer::dsp {

class Saturation {
public:
    // Throws std::invalid_argument naming the field when a setting is outside its range.
    explicit Saturation(const SaturationSettings& settings);

    // At most kWorkFrames frames.
    void process(WorkBlock block) LACQUER_REALTIME;
    void reset() LACQUER_REALTIME;
    static constexpr std::size_t latency_frames() LACQUER_REALTIME { return kHalfTaps - 1; }

private:
    static constexpr std::size_t kHalfTaps = 64;  // of the half-band filter, the zeros and the centre left out

    struct Channel {
        History<double> input{kHalfTaps};
        History<double> even{kHalfTaps};  // what the cubic takes away, at the interpolated frames
        History<double> odd{kHalfTaps};   // and at the frames themselves
    };

    void run(Channel& channel, double* samples, std::size_t frames) LACQUER_REALTIME;
    double taken_away(double x) const LACQUER_REALTIME;

    double amount_;
    double limit_;  // where the slope of the cubic is zero
    std::vector<double> taps_;
    std::array<Channel, kMaxChannels> channels_;
};

}  // namespace lacquer::dsp
