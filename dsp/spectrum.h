// Mean power in octave and third-octave bands.
//
// Method:  a ladder of rates, each a quarter of the one before (dsp/spectrum_kernels.h), down to where a window lasts a
//          third of a second. Windows are of 256 frames, sine-squared, every half window. Each rate answers for the two
//          octaves above its 14th bin, the first for all above that, the last for all below. A bin across a border is
//          shared out by width. What the decimators take is given back; what they let through from above is at least
//          45 dB down. The rest at the end that fills no window is left out; of a stretch shorter than a window,
//          followed by silence, it weighs what it covers of it.
//          A bin is at most 7 % of its frequency: a tone that close to a band's border is heard on both sides. Against
//          windows of a third of a second throughout, octaves of whole tracks of music differ by up to 0.7 dB (0.13 dB
//          in the mean), third octaves up to 16 kHz by up to 2.5 dB (0.2 dB); more where a codec's low-pass is.
// Threads: one instance belongs to one thread.
// Memory:  about 240 KiB.
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
