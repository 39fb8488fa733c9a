// Mean power in octave and third-octave bands.
//
// Method:  windows of about a third of a second (a power of two of frames), sine-squared, every half window; left and
//          right ride as real and imaginary part of one complex FFT. A bin across a band's border is shared out by
//          width. What remains at the end is padded with silence and weighs as much as it covers of the window.
// Threads: one instance belongs to one thread; building one waits for a lock around FFTW's planner.
// Memory:  about 64 bytes per frame of the window: 1 MiB at 44.1 and 48 kHz.
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
    explicit SpectrumMeter(std::uint32_t sample_rate_hz);
    ~SpectrumMeter();

    void measure(ConstAudioBlock block);
    SpectrumSum take();  // what was measured since construction; ends the meter's life

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace lacquer::dsp
