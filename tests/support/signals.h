// Test signals, each the same bits for the same arguments. Levels in dBFS are those of the peak unless said otherwise;
// every channel holds the same samples unless said otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dsp/audio_block.h"

namespace lacquer::test {

struct Format {
    std::uint32_t sample_rate_hz = 48'000;
    std::size_t channels = 2;
};

std::size_t frames_of(double seconds, const Format& format = {});  // to the nearest frame

dsp::AudioBuffer silence(double seconds, const Format& format = {});
// `phase_degrees` is that of frame 0.
dsp::AudioBuffer sine(double hz, double dbfs, double seconds, const Format& format = {}, double phase_degrees = 0.0);
// -3 dB per octave from about 10 Hz up, channels independent. `rms_dbfs` holds for each channel.
dsp::AudioBuffer pink_noise(std::uint64_t seed, double rms_dbfs, double seconds, const Format& format = {});
dsp::AudioBuffer white_noise(std::uint64_t seed, double rms_dbfs, double seconds, const Format& format = {});
// Exponential sweep.
dsp::AudioBuffer chirp(double from_hz, double to_hz, double dbfs, double seconds, const Format& format = {});
// Silence but for one frame of `dbfs`.
dsp::AudioBuffer impulse(std::size_t at_frame, double dbfs, double seconds, const Format& format = {});

// A sine whose level changes at once from section to section, the phase running on.
struct Section {
    double dbfs;
    double seconds;
};
dsp::AudioBuffer sine_sections(double hz, const std::vector<Section>& sections, const Format& format = {});

dsp::AudioBuffer copy(dsp::ConstAudioBlock block);
dsp::AudioBuffer concatenate(const std::vector<dsp::ConstAudioBlock>& parts);
void scale_db(dsp::AudioBlock block, double gain_db);
void add(dsp::AudioBlock to, dsp::ConstAudioBlock what);  // sample by sample; the same shape

// A small generator with known bits on every platform (SplitMix64).
class Random {
public:
    explicit Random(std::uint64_t seed) noexcept : state_(seed) {}
    std::uint64_t next() noexcept;
    double uniform() noexcept;                      // [0, 1)
    double normal() noexcept;                       // mean 0, variance 1 (sum of twelve)
    std::size_t below(std::size_t bound) noexcept;  // [0, bound)

private:
    std::uint64_t state_;
};

// Cuts [0, frame_count) into blocks of uneven sizes in [1, largest]; returns the sizes.
std::vector<std::size_t> uneven_cuts(std::size_t frame_count, std::size_t largest, std::uint64_t seed);

}  // namespace lacquer::test
