// Passages of real, freely licensed music: Debian's singularity-music, which script/setup installs.
#pragma once

#include <string>
#include <vector>

#include <sndfile.h>

#include "dsp/audio_block.h"

namespace lacquer::test {

struct MusicPassage {
    dsp::AudioBuffer audio;  // empty when it cannot be read
    std::uint32_t sample_rate_hz = 0;
};

inline MusicPassage singularity_music(const std::string& name, double from_seconds, double seconds) {
    SF_INFO info{};
    SNDFILE* file = sf_open(("/usr/share/games/singularity/music/" + name + ".ogg").c_str(), SFM_READ, &info);
    if (file == nullptr) return {dsp::AudioBuffer(2, 0), 0};
    const auto channels = static_cast<std::size_t>(info.channels);
    std::vector<float> samples(static_cast<std::size_t>(seconds * info.samplerate) * channels);
    sf_seek(file, static_cast<sf_count_t>(from_seconds * info.samplerate), SEEK_SET);
    const auto frames = static_cast<std::size_t>(
        sf_readf_float(file, samples.data(), static_cast<sf_count_t>(samples.size() / channels)));
    sf_close(file);
    MusicPassage passage{dsp::AudioBuffer(channels, frames), static_cast<std::uint32_t>(info.samplerate)};
    for (std::size_t i = 0; i < frames * channels; ++i)
        passage.audio.block().channels[i % channels][i / channels] = samples[i];
    return passage;
}

}  // namespace lacquer::test
