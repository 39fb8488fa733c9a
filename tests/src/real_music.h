// Real, freely licensed music for tests: Debian's singularity-music. LACQUER_LONG in the environment (script/test
// --long) takes whole tracks instead of passages.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/enhancer.h"
#include "dsp/profile_meter.h"
#include "dsp/recipe.h"
#include "src/media/decoder.h"
#include "tests/support/signals.h"

namespace lacquer::test {

inline std::vector<std::filesystem::path> real_tracks() {
    std::vector<std::filesystem::path> tracks;
    for (const auto& entry : std::filesystem::directory_iterator("/usr/share/games/singularity/music")) {
        if (entry.path().extension() == ".ogg") tracks.push_back(entry.path());
    }
    std::sort(tracks.begin(), tracks.end());
    EXPECT_GE(tracks.size(), 10u) << "script/setup installs singularity-music";
    return tracks;
}

inline bool is_long_run() {
    return std::getenv("LACQUER_LONG") != nullptr;
}

inline dsp::AudioBuffer passage(const std::filesystem::path& file, double from_seconds, double seconds) {
    const auto decoder = media::open_decoder(file);
    const std::uint32_t rate_hz = decoder->info().sample_rate_hz;
    dsp::AudioBuffer audio(decoder->info().channels, static_cast<std::size_t>(seconds * rate_hz));
    decoder->seek(static_cast<std::int64_t>(from_seconds * rate_hz));
    EXPECT_EQ(decoder->read(audio.block()), audio.frame_count()) << file;
    return audio;
}

inline dsp::AudioBuffer whole(const std::filesystem::path& file) {
    const media::MediaInfo info = media::probe(file);
    return passage(file, 0.0, static_cast<double>(info.frame_count) / info.sample_rate_hz);
}

inline dsp::Profile measure(dsp::ConstAudioBlock audio, std::uint32_t rate_hz) {
    dsp::ProfileMeter meter(rate_hz, audio.channel_count);
    meter.measure(audio);
    return dsp::finish_profile(meter.take(), static_cast<std::int64_t>(audio.frame_count), false);
}

// A passage of real music with its measurement, and what comes out of the chain.
struct Passage {
    Passage(const std::filesystem::path& file, double from_seconds, double seconds)
        : name(file.stem()),
          rate_hz(media::probe(file).sample_rate_hz),
          audio(is_long_run() ? whole(file) : passage(file, from_seconds, seconds)),
          profile(measure(audio.block(), rate_hz)) {}

    dsp::AudioBuffer rendered(const dsp::Recipe& recipe) const {
        dsp::AudioBuffer out = copy(audio.block());
        dsp::Enhancer(recipe, 0).process(out.block());
        return out;
    }
    dsp::Profile after(const dsp::RecipeRequest& request) const {
        return measure(rendered(dsp::derive_recipe(profile, request).recipe).block(), rate_hz);
    }

    std::string name;
    std::uint32_t rate_hz;
    dsp::AudioBuffer audio;
    dsp::Profile profile;
};

}  // namespace lacquer::test
