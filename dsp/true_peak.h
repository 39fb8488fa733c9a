// The highest point of the waveform between the samples.
//
// Method:  ITU-R BS.1770-4, Annex 2 (dsp/peak_interpolator.h). The grid of 4x itself reads up to 0.5 dB low on the
//          highest frequencies. Past the ends of the audio there is silence. What cannot beat the highest point found
//          so far is not interpolated.
// Threads: one instance belongs to one thread.
// Latency: none to speak of: what lies among the newest 15 frames is found when more follows, or by
//          true_peak_after().
#pragma once

#include <array>
#include <cstddef>

#include "dsp/audio_block.h"
#include "dsp/peak_interpolator.h"
#include "dsp/realtime.h"

namespace lacquer::dsp {

// The newest frames, oldest first: what the filter still has to see followed by something.
using TruePeakHistory = std::array<std::array<float, kPeakPast>, kMaxChannels>;

class TruePeakMeter {
public:
    TruePeakMeter() = default;

    void process(ConstAudioBlock block) LACQUER_REALTIME;
    void forget_peaks() LACQUER_REALTIME;  // keeps the history

    double true_peak() const LACQUER_REALTIME { return true_peak_; }      // linear, at least sample_peak()
    double sample_peak() const LACQUER_REALTIME { return sample_peak_; }  // linear
    const TruePeakHistory& history() const LACQUER_REALTIME { return history_; }

private:
    void process_channel(std::size_t channel, const float* samples, std::size_t count) LACQUER_REALTIME;

    TruePeakHistory history_{};
    float true_peak_ = 0.0f;
    float sample_peak_ = 0.0f;
};

// The true peak that shows when `history` is followed by silence; 0 for a history of silence.
double true_peak_after(const TruePeakHistory& history);

}  // namespace lacquer::dsp
