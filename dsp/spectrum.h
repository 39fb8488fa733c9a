// Mean power in octave and third-octave bands.
//
// Method:  a ladder of rates, each a quarter of the one before it (dsp/spectrum_kernels.h), down to where a window of
// 256
//          frames lasts a third of a second; each rate answers for the two octaves above its 14th bin, the first for
//          all above it, the last for all below. Sine-squared windows, every half window. A bin across a band's border
//          is shared out by width; what the decimators take is given back, and what they let through from above is at
//          least 45 dB down. The rest at the end that fills no window is left out; of a stretch shorter than a window,
//          followed by silence, it weighs what it covers of it.
// Threads: one instance belongs to one thread.
// Memory:  about 350 KiB, at any rate.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "dsp/audio_block.h"
#include "dsp/profile.h"

namespace lacquer::dsp {

// Powers times `weight`; sums of sums are exact in meaning, so stretches can be added in any grouping and divided once.
struct SpectrumSum {
    std::array<double, kOctaveBands> octaves{};
    std::array<double, kThirdOctaveBands> third_octaves{};
    double weight = 0.0;

    void add(const SpectrumSum& other);
};

class SpectrumMeter {
public:
    SpectrumMeter(std::uint32_t sample_rate_hz, std::size_t channel_count);
    ~SpectrumMeter();

    void measure(ConstAudioBlock block);
    SpectrumSum take();  // what was measured since construction; ends the meter's life

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace lacquer::dsp
