// How loud each of the compressor's bands is, how often: histograms of the RMS of 100 ms.
//
// Method:  4th-order Linkwitz-Riley split (a 2nd-order Butterworth section twice) at kCrossoversHz; the level of a hop
//          is the mean over the channels. The split for rendering also aligns the phases of the bands, which changes
//          no level.
// Threads: one instance belongs to one thread.
#pragma once

#include <array>
#include <cstdint>

#include "dsp/audio_block.h"
#include "dsp/biquad.h"
#include "dsp/profile.h"
#include "dsp/realtime.h"

namespace lacquer::dsp {

using BandHistograms = std::array<LevelHistogram, kDynamicsBands>;

class BandLevelMeter {
public:
    explicit BandLevelMeter(std::uint32_t sample_rate_hz);

    void process(ConstAudioBlock block) LACQUER_REALTIME;
    void forget_hop() LACQUER_REALTIME;                              // what process() has summed so far
    void count_hop(std::size_t samples_of_a_band) LACQUER_REALTIME;  // frames x channels of the hop; starts the next
    const BandHistograms& histograms() const LACQUER_REALTIME { return histograms_; }

private:
    using Split = std::array<Biquad, 8>;  // low 2, above-low 2, mid 2, high 2
    static void process_channel(Split& split, std::span<const float> samples,
                                std::array<double, kDynamicsBands>& energy) LACQUER_REALTIME;

    std::array<Split, kMaxChannels> splits_;
    std::array<std::array<double, kDynamicsBands>, kMaxChannels> energy_{};
    BandHistograms histograms_{};
};

// The bin of a mean square; bin 0 also takes everything below it, the last everything above.
std::size_t level_bin(double mean_square);

}  // namespace lacquer::dsp
