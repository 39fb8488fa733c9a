// The header of the WAV files we serve and write: sizes exact, RF64 past 4 GiB.
//
// Source:  Microsoft RIFF/WAVE (PCM for 16 bit, EXTENSIBLE for 24 bit, IEEE float with a fact chunk), EBU Tech 3306
// (RF64).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dsp/quantiser.h"

namespace lacquer {

struct WavShape {
    std::uint32_t sample_rate_hz = 0;
    std::uint32_t channels = 0;
    dsp::SampleFormat format = dsp::SampleFormat::s16;
    std::int64_t frame_count = 0;

    std::uint32_t frame_bytes() const noexcept {
        return channels * static_cast<std::uint32_t>(dsp::bytes_per_sample(format));
    }
    std::uint64_t data_bytes() const noexcept { return static_cast<std::uint64_t>(frame_count) * frame_bytes(); }
    std::uint64_t pad_bytes() const noexcept { return data_bytes() % 2; }  // RIFF chunks are of even length
};

// Everything before the samples. header + data_bytes() + pad_bytes() is the file.
std::vector<std::byte> wav_header(const WavShape& shape);

}  // namespace lacquer
