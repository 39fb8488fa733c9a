// What can be said of each hop of 100 ms: how loud it is, how loud each of the compressor's bands is, and what the
// speech detector looks at.
//
// Method:  K-weighting (dsp/k_weighting.h); 4th-order Linkwitz-Riley split (Butterworth sections twice) at
//          kCrossoversHz, the two lower bands from every step-th frame of what lies below the upper border (rate / step
//          is at least 11025 Hz, where the rate is: there it is 28 dB down). The split for rendering also aligns the
//          phases of the bands, which changes no level. The stream is cut into stretches of kStretchHops hops; each is
//          a lane of its own that starts from silence half a hop early (the slowest filter's past has then faded by 80
//          dB), so that what is said of a stretch depends on it and on the 50 ms before it alone. Eight stretches of
//          two channels run side by side.
// Threads: one instance belongs to one thread.
// Memory:  the audio of eight stretches: 1.4 MB at 44.1 kHz, 6.2 MB at 192 kHz.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dsp/audio_block.h"
#include "dsp/hop_kernels.h"
#include "dsp/profile.h"
#include "dsp/speech.h"

namespace lacquer::dsp {

struct HopLevels {
    double weighted = 0.0;                       // mean square of the K-weighted, summed over the channels
    std::array<double, kDynamicsBands> bands{};  // mean squares over frames and channels
};

struct StereoSquares {  // sums; mono counts as two equal channels
    double left = 0.0;
    double right = 0.0;
    double middle = 0.0;  // (L+R)/2
    double side = 0.0;    // (L-R)/2

    void add(const StereoSquares& other);
};

struct HopMeasurement {
    std::vector<HopLevels> hops;      // the whole ones
    std::vector<SpeechFrame> speech;  // kSpeechFramesPerHop for each of them
    StereoSquares squares;            // of every frame
};

class HopMeter {
public:
    static constexpr std::size_t kStretchHops = 5;

    HopMeter(std::uint32_t sample_rate_hz, std::size_t channel_count);

    // Both take a part from the front of the block and return what they took, with NaN, Inf and what lies beyond
    // kLoudestSample silenced; valid until the next call. warm_up(), before the first measure(), takes the part that
    // matters from the end, and counts nothing.
    ConstAudioBlock warm_up(ConstAudioBlock block);
    ConstAudioBlock measure(ConstAudioBlock block);
    HopMeasurement take();  // what was measured since construction; ends the meter's life

private:
    struct Totals;
    struct Gains {  // of the energies, left out of the filters
        double weighted, high, middle, low, speech;
    };

    void run();
    void begin_run(std::size_t stretches);
    void end_run();
    void advance(std::size_t frames, Totals& totals);
    void keep_speech(std::size_t frame, std::size_t frame_count, const Totals& totals);
    void keep_hop(std::size_t hop, const Totals& totals);

    std::uint32_t sample_rate_hz_;
    std::size_t channels_;
    std::size_t hop_;
    std::size_t stretch_;  // frames
    std::size_t step_;     // between the frames the lower bands are taken from
    std::size_t warm_up_;  // frames before each stretch
    HopFilters filters_;
    Gains gains_;
    AudioBuffer audio_;  // warm_up_ frames of what was before, then what is not yet measured
    std::size_t filled_ = 0;
    LaneRows rows_{};       // where the next frames of the lanes are
    std::size_t skip_ = 0;  // frames to the next one the lower bands are taken from
    std::size_t kept_ = 0;  // hops of earlier runs
    HopState state_{};
    HopMeasurement measured_;
};

}  // namespace lacquer::dsp
