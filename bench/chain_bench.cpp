// The whole chain per instruction set, s16 in and s16 out, on one core: dequantise -> Enhancer -> quantise with dither,
// in blocks as the chunk renderer takes them. Ten EQ sections and all three compressor bands are at work. "limited" is
// the share of all tiles of 16 frames in which the limiter takes 0.01 dB or more:
//   music            real music, its gain raised in steps of 1 dB until at least 30 % limit
//   synthetic        loud synthetic music from a fixed seed, likewise
//   music_unlimited  the same music so far down that it never limits
//
// "rtf" is seconds of audio per second, "target_rtf" what is asked of this instruction set.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/material.h"
#include "dsp/dequantiser.h"
#include "dsp/enhancer.h"
#include "dsp/filter_design.h"
#include "dsp/quantiser.h"
#include "dsp/recipe.h"
#include "dsp/simd.h"

namespace lacquer::bench {
namespace {

constexpr std::size_t kBlockFrames = 1024;
constexpr std::size_t kTileFrames = 16;
constexpr int kSeconds = 18;
constexpr double kLeastLimited = 0.3;
constexpr double kLimits = 0.99885;        // -0.01 dB
constexpr double kNeverLimited = 0x1p-10;  // a power of two, so that only the limiter can make a difference

struct Track {
    std::vector<std::byte> samples;  // s16, interleaved
    std::size_t frames = 0;
    dsp::Recipe recipe;
    double limited = 0.0;  // share of the tiles in which the limiter acts
};

dsp::Recipe busy_recipe(const dsp::Profile& profile) {
    dsp::Recipe recipe = dsp::derive_recipe(profile, {dsp::PresetId::punchy, 1.0, true}).recipe;
    for (std::size_t s = 0; s < recipe.equaliser.sections.size(); ++s) {
        const double frequency_hz = 31.25 * std::pow(2.0, static_cast<double>(s) * 0.95);
        recipe.equaliser.sections[s] = dsp::peak(frequency_hz / kRateHz, 1.0, s % 2 == 0 ? 2.0 : -1.5);
    }
    return recipe;
}

dsp::AudioBuffer enhanced(const dsp::AudioBuffer& audio, dsp::Recipe recipe, double gain) {
    recipe.level.gain *= gain;
    dsp::Enhancer enhancer(recipe, 0);
    dsp::AudioBuffer out(2, audio.frame_count());
    for (std::size_t c = 0; c < 2; ++c)
        std::copy_n(audio.block().channels[c], audio.frame_count(), out.block().channels[c]);
    enhancer.process(out.block());
    return out;
}

// By comparison with the same chain so far down that the limiter has nothing to do.
double limited_share(const dsp::AudioBuffer& audio, const dsp::Recipe& recipe) {
    const dsp::AudioBuffer with = enhanced(audio, recipe, 1.0);
    const dsp::AudioBuffer without = enhanced(audio, recipe, kNeverLimited);
    std::size_t limited = 0, tiles = 0;
    for (std::size_t first = 0; first + kTileFrames <= audio.frame_count(); first += kTileFrames, ++tiles) {
        bool reduced = false;
        for (std::size_t c = 0; c < 2; ++c) {
            for (std::size_t i = first; i < first + kTileFrames; ++i) {
                const double expected = static_cast<double>(without.block().channels[c][i]) / kNeverLimited;
                reduced = reduced || std::abs(with.block().channels[c][i]) < std::abs(expected) * kLimits;
            }
        }
        limited += reduced ? 1 : 0;
    }
    return static_cast<double>(limited) / static_cast<double>(tiles);
}

Track make_track(const dsp::AudioBuffer& audio, const std::string& name) {
    Track track;
    track.frames = audio.frame_count();
    track.samples.resize(track.frames * 4);
    dsp::quantise(audio.block(), 0, dsp::SampleFormat::s16, true, track.samples);
    track.recipe = busy_recipe(measured(audio));
    const bool limits = name != "music_unlimited";
    track.recipe.level.gain *= limits ? 0x1p-4 : kNeverLimited;
    track.limited = limited_share(audio, track.recipe);
    while (limits && track.limited < kLeastLimited) {
        track.recipe.level.gain *= 1.122;  // 1 dB
        track.limited = limited_share(audio, track.recipe);
    }
    return track;
}

const Track& track(const std::string& name) {
    static std::map<std::string, Track> tracks;
    const auto known = tracks.find(name);
    if (known != tracks.end()) return known->second;
    const dsp::AudioBuffer audio =
        name == "synthetic" ? synthetic_music(kSeconds) : decoded(music_file("wav", kSeconds));
    return tracks.emplace(name, make_track(audio, name)).first->second;
}

void render(const Track& track, dsp::Enhancer& enhancer, std::vector<std::byte>& out) {
    dsp::AudioBuffer buffer(2, kBlockFrames);
    for (std::size_t first = 0; first < track.frames; first += kBlockFrames) {
        const std::size_t frames = std::min(kBlockFrames, track.frames - first);
        const dsp::AudioBlock block = buffer.block().slice(0, frames);
        dsp::dequantise(std::span(track.samples).subspan(4 * first, 4 * frames), dsp::SampleFormat::s16, block);
        enhancer.process(block);
        dsp::quantise(block, static_cast<std::int64_t>(first), dsp::SampleFormat::s16, true,
                      std::span(out).subspan(4 * first, 4 * frames));
    }
}

double target_rtf(const std::string& simd) {
    if (simd == "avx3") return 1600.0;
    if (simd == "avx2") return 1000.0;
    return simd == "sse4" || simd == "ssse3" ? 600.0 : 0.0;
}

void chain(benchmark::State& state, const std::string& material, const std::string& simd) {
    const Track& input = track(material);
    std::vector<std::byte> out(input.samples.size());
    dsp::force_simd(simd);
    for (auto _ : state) {
        dsp::Enhancer enhancer(input.recipe, 0);
        render(input, enhancer, out);
        benchmark::ClobberMemory();
    }
    dsp::force_simd("");
    const double seconds = static_cast<double>(state.iterations()) * static_cast<double>(input.frames) / kRateHz;
    state.counters["rtf"] = benchmark::Counter(seconds, benchmark::Counter::kIsRate);
    state.counters["limited"] = input.limited;
    if (target_rtf(simd) > 0.0 && material != "music_unlimited") state.counters["target_rtf"] = target_rtf(simd);
}

const bool registered = [] {
    for (const char* material : {"music", "synthetic", "music_unlimited"}) {
        for (const std::string& simd : dsp::runnable_simd()) {
            benchmark::RegisterBenchmark(("whole_chain/" + std::string(material) + "/" + simd).c_str(),
                                         [=](benchmark::State& s) { chain(s, material, simd); })
                ->Unit(benchmark::kMillisecond);
        }
    }
    return true;
}();

}  // namespace
}  // namespace lacquer::bench
