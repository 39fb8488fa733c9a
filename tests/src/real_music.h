// The real music that the tests render: Debian's singularity-music, which script/setup installs.
#pragma once

#include <algorithm>
#include <filesystem>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/profile_meter.h"
#include "src/media/decoder.h"

namespace lacquer::test {

inline std::vector<std::filesystem::path> real_tracks() {
    std::vector<std::filesystem::path> tracks;
    for (const auto& entry : std::filesystem::directory_iterator("/usr/share/games/singularity/music")) {
        if (entry.path().extension() == ".ogg") tracks.push_back(entry.path());
    }
    std::sort(tracks.begin(), tracks.end());
    return tracks;
}

inline dsp::AudioBuffer passage(const std::filesystem::path& file, double from_seconds, double seconds) {
    const auto decoder = media::open_decoder(file);
    const std::uint32_t rate_hz = decoder->info().sample_rate_hz;
    dsp::AudioBuffer audio(decoder->info().channels, static_cast<std::size_t>(seconds * rate_hz));
    decoder->seek(static_cast<std::int64_t>(from_seconds * rate_hz));
    EXPECT_EQ(decoder->read(audio.block()), audio.frame_count()) << file;
    return audio;
}

inline dsp::Profile measure(dsp::ConstAudioBlock audio, std::uint32_t rate_hz) {
    dsp::ProfileMeter meter(rate_hz, audio.channel_count);
    meter.measure(audio);
    return dsp::finish_profile(meter.take(), static_cast<std::int64_t>(audio.frame_count), false);
}

}  // namespace lacquer::test
