#include "bench/material.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <numbers>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "dsp/profile_meter.h"
#include "src/media/decoder.h"
#include "src/offline.h"

namespace lacquer::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMusic = "/usr/share/games/singularity/music";  // Debian's singularity-music
constexpr const char* kTracks[] = {"Media Threat", "Enemy Unknown", "By-Product"};
constexpr int kExcerptStartSeconds = 60;

void run(const std::string& command) {
    if (std::system(command.c_str()) != 0) throw std::runtime_error(command + " failed");
}

fs::path wave_file(int seconds) {
    const fs::path file = folder() / fmt::format("music-{}.wav", seconds);
    if (fs::exists(file)) return file;
    std::string inputs, parts, names;
    for (int i = 0; i < 3; ++i) {
        inputs += fmt::format(" -ss {} -t {} -i '{}/{}.ogg'", kExcerptStartSeconds, seconds / 3.0, kMusic, kTracks[i]);
        names += fmt::format("[{}:a]", i);
    }
    run(fmt::format(
        "ffmpeg -v error -nostdin{} -filter_complex '{}concat=n=3:v=0:a=1' -ar {} -ac 2 -c:a pcm_s16le '{}'", inputs,
        names, kRateHz, file.string()));
    return file;
}

double noise(std::uint64_t& state) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state >> 11) * 0x1p-52 - 1.0;
}

double saw(double cycles) {
    return 2.0 * (cycles - std::floor(cycles)) - 1.0;
}

// Four chords of two seconds, their roots in Hz.
constexpr double kRoots[] = {55.0, 65.41, 49.0, 73.42};

}  // namespace

const fs::path& folder() {
    static const TemporaryFolder instance;
    return instance.path();
}

fs::path music_file(const std::string& format, int seconds) {
    const fs::path wave = wave_file(seconds);
    if (format == "wav") return wave;
    fs::path file = wave;
    file.replace_extension(format);
    const std::string codec = format == "ogg" ? "-c:a libvorbis -q:a 5" : format == "mp3" ? "-b:a 192k" : "";
    if (!fs::exists(file))
        run(fmt::format("ffmpeg -v error -nostdin -i '{}' {} '{}'", wave.string(), codec, file.string()));
    return file;
}

dsp::AudioBuffer decoded(const fs::path& file) {
    const auto decoder = media::open_decoder(file);
    dsp::AudioBuffer audio(decoder->info().channels, static_cast<std::size_t>(decoder->info().frame_count));
    decoder->read(audio.block());
    return audio;
}

dsp::AudioBuffer synthetic_music(int seconds) {
    dsp::AudioBuffer audio(2, static_cast<std::size_t>(seconds) * kRateHz);
    std::uint64_t state = 1;
    const double tau = 2.0 * std::numbers::pi;
    for (std::size_t i = 0; i < audio.frame_count(); ++i) {
        const double t = static_cast<double>(i) / kRateHz;
        const double beat = std::fmod(t, 0.5);
        const double root = kRoots[static_cast<std::size_t>(t / 2.0) % 4];
        const double kick =
            std::exp(-9.0 * beat) * std::sin(tau * (50.0 * beat + 6.0 * (1.0 - std::exp(-25.0 * beat))));
        const double snare = std::exp(-16.0 * std::fmod(t + 0.5, 1.0)) * noise(state);
        const double hat = std::exp(-60.0 * std::fmod(t, 0.125)) * noise(state);
        const double bass = std::sin(tau * root * t) + 0.4 * saw(root * t);
        const double left = saw(4.0 * root * t) + saw(6.01 * root * t);
        const double right = saw(4.02 * root * t) + saw(5.0 * root * t);
        const double middle = 0.9 * kick + 0.5 * snare + 0.15 * hat + 0.35 * bass;
        audio.block().channels[0][i] = static_cast<float>(0.98 * std::tanh(1.6 * (middle + 0.14 * left)));
        audio.block().channels[1][i] = static_cast<float>(0.98 * std::tanh(1.6 * (middle + 0.14 * right)));
    }
    return audio;
}

dsp::Profile measured(const dsp::AudioBuffer& audio) {
    const auto segment = static_cast<std::size_t>(dsp::ProfileMeter::segment_frames(kRateHz));
    dsp::ProfileSum sum;
    for (std::size_t first = 0; first < audio.frame_count(); first += segment) {
        dsp::ProfileMeter meter(kRateHz, audio.channel_count());
        meter.measure(audio.block().slice(first, std::min(segment, audio.frame_count() - first)));
        sum.append(meter.take());
    }
    return dsp::finish_profile(sum, static_cast<std::int64_t>(audio.frame_count()), false);
}

}  // namespace lacquer::bench
