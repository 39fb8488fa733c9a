// What the benchmarks work on: real music and loud synthetic music, 44.1 kHz, stereo, 16 bit. Made once per process.
#pragma once

#include <filesystem>
#include <string>

#include "dsp/audio_block.h"
#include "dsp/profile.h"

namespace lacquer::bench {

inline constexpr std::uint32_t kRateHz = 44'100;

// Removed, with what is in it, when the process ends.
const std::filesystem::path& folder();

// `seconds` of three tracks of Debian's singularity-music, a third each, as "wav", "flac", "mp3", "ogg" or "opus".
// Throws std::runtime_error when ffmpeg or the music is not there.
std::filesystem::path music_file(const std::string& format, int seconds);

dsp::AudioBuffer decoded(const std::filesystem::path& file);

// Drums, bass, chords and hiss from a fixed seed, driven into saturation as loud masters are. Same on every machine
// with the same libm.
dsp::AudioBuffer synthetic_music(int seconds);

dsp::Profile measured(const dsp::AudioBuffer& audio);

}  // namespace lacquer::bench
