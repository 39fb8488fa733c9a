// Soft saturation of the warm preset: a third harmonic that grows with the square of the level.
//
// Method:  y = x - a x^3 up to where its slope ends, flat beyond. The cubic's part is computed at twice the rate
//          (127-tap half-band, Kaiser) and subtracted from the delayed input, so x itself passes no filter. A third
//          harmonic of anything the rate can carry does not fold below the audible band: aliases < -80 dBFS.
// Cuts:    no recursion: a frame depends on the 126 around it alone, whatever the blocks.
// Threads: not thread-safe; one instance per run.
// Memory:  allocated by the constructor.
// Latency: latency_frames(), fixed.
#pragma once

#include <array>
#include <cstddef>

#include "dsp/history.h"
#include "dsp/settings.h"
#include "dsp/stereo_block.h"

namespace lacquer::dsp {

class Saturation {
public:
    // Throws std::invalid_argument naming the field when a setting is outside its range.
    explicit Saturation(const SaturationSettings& settings);

    // In place. Takes what is no larger than the largest float; no NaN.
    void process(StereoBlock block) LACQUER_REALTIME;
    void reset() LACQUER_REALTIME;
    static constexpr std::size_t latency_frames() LACQUER_REALTIME { return kHalfTaps - 1; }

private:
    static constexpr std::size_t kHalfTaps = 64;  // of the half-band filter, the zeros and the centre left out

    float amount_;
    float limit_;                              // where the slope of the cubic is zero
    std::array<float, kHalfTaps / 2> taps_{};  // of both halves
    StereoHistory input_{kHalfTaps};
    StereoHistory between_{kHalfTaps};  // what the cubic takes away, between the frames
    StereoHistory at_{kHalfTaps};       // and at the frames themselves
};

}  // namespace lacquer::dsp
