// One stream of stereo at another rate, in blocks of 1024 frames. "core_percent" is what it takes of one core in real
// time.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/material.h"
#include "dsp/interleave.h"
#include "dsp/resampler.h"

namespace lacquer::bench {
namespace {

constexpr int kSeconds = 9;
constexpr std::size_t kBlockFrames = 1024;

const std::vector<float>& music() {
    static const std::vector<float> samples = [] {
        const dsp::AudioBuffer audio = synthetic_music(kSeconds);
        std::vector<float> interleaved(2 * audio.frame_count());
        dsp::interleave(audio.block().channels[0], audio.block().channels[1], audio.frame_count(), interleaved.data());
        return interleaved;
    }();
    return samples;
}

void resample(benchmark::State& state, dsp::Resampler::Quality quality, dsp::Resampler::Rates rates) {
    const std::span<const float> in = music();
    std::vector<float> out(2 * 8 * kBlockFrames);
    for (auto _ : state) {
        dsp::Resampler resampler(quality, rates, 2);
        for (std::size_t at = 0; at < in.size();) {
            at += 2 * resampler.process(in.subspan(at, std::min(2 * kBlockFrames, in.size() - at)), out).consumed;
            benchmark::ClobberMemory();
        }
    }
    const double seconds = static_cast<double>(in.size()) / 2.0 / rates.in_hz;
    state.counters["core_percent"] = benchmark::Counter(static_cast<double>(state.iterations()) * seconds / 100.0,
                                                        benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

using Quality = dsp::Resampler::Quality;
BENCHMARK_CAPTURE(resample, best_44100_48000, Quality::best, {44'100, 48'000})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(resample, medium_44100_48000, Quality::medium, {44'100, 48'000})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(resample, fastest_44100_48000, Quality::fastest, {44'100, 48'000})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(resample, best_96000_44100, Quality::best, {96'000, 44'100})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lacquer::bench
