// What tests measure with: slow, double, and written apart from dsp/, so that the judge shares no code with the judged.
// Levels of nothing read as -200 dB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "dsp/audio_block.h"

namespace lacquer::test {

// Mean square over all channels, square wave of full scale = 0 dBFS (a full-scale sine reads -3.01).
double rms_dbfs(dsp::ConstAudioBlock block);
double peak_dbfs(dsp::ConstAudioBlock block);

// Peak of the continuous signal: 16x oversampling, 128 taps per phase, Kaiser window (flat within 0.001 dB to 0.45 x
// the rate). Past the ends there is silence. About 1 s of time per 10 s of stereo audio.
double true_peak_dbtp(dsp::ConstAudioBlock block);

// Level of the component at `hz`, relative to a sine of full-scale peak, by projection on sine and cosine.
double component_dbfs(std::span<const float> samples, double hz, std::uint32_t sample_rate_hz);

// Everything but the sine of `hz` (fitted, with the mean taken off) relative to that sine.
double thd_n_db(std::span<const float> samples, double hz, std::uint32_t sample_rate_hz);

// Steady-state gain of a stage for a -20 dBFS sine, fed in blocks of 512 frames for 2 s and measured over the second.
// Latency does not matter.
double gain_db_of(const std::function<void(dsp::AudioBlock)>& process, double hz, std::uint32_t sample_rate_hz,
                  std::size_t channels = 2);
template <typename Stage>
double gain_db_at(Stage& stage, double hz, std::uint32_t sample_rate_hz = 48'000, std::size_t channels = 2) {
    return gain_db_of([&stage](dsp::AudioBlock block) { stage.process(block); }, hz, sample_rate_hz, channels);
}

// The difference of two renderings of the same frames.
struct Residual {
    double rms_dbfs;  // of the loudest second (or of all, when shorter), starting every 100 ms
    double peak_dbfs;
};
Residual residual(dsp::ConstAudioBlock a, dsp::ConstAudioBlock b, std::uint32_t sample_rate_hz);

bool same_bits(dsp::ConstAudioBlock a, dsp::ConstAudioBlock b);
bool all_finite(dsp::ConstAudioBlock block);

// libebur128's opinion.
struct Ebur128Result {
    double integrated_lufs;  // -HUGE_VAL when nothing passes the gate
    double range_lu;
    double true_peak_dbtp;  // its own 49-tap interpolator
    double sample_peak_dbfs;
};
Ebur128Result ebur128_measure(dsp::ConstAudioBlock block, std::uint32_t sample_rate_hz);

}  // namespace lacquer::test
