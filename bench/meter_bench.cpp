// The player's level meter over stereo at 48 kHz, read ten times a second. "core_percent" is what it takes of one core
// in real time, after an hour of playing as in its first minute.
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/material.h"
#include "dsp/interleave.h"
#include "src/player/level_meter.h"

namespace lacquer::bench {
namespace {

constexpr std::uint32_t kMeterRateHz = 48'000;
constexpr int kSeconds = 9;

void level_meter(benchmark::State& state) {
    const dsp::AudioBuffer audio = synthetic_music(kSeconds);
    std::vector<float> samples(2 * audio.frame_count());
    dsp::interleave(audio.block().channels[0], audio.block().channels[1], audio.frame_count(), samples.data());
    player::LevelMeter meter(kMeterRateHz, 2);
    std::int64_t frame = 0;
    const std::size_t tick = kMeterRateHz / 10;
    for (auto _ : state) {
        for (std::size_t at = 0; at + tick <= audio.frame_count(); at += tick) {
            meter.feed(frame, std::span(samples).subspan(2 * at, 2 * tick));
            frame += static_cast<std::int64_t>(tick);
            benchmark::DoNotOptimize(meter.at(frame));
        }
    }
    state.counters["core_percent"] = benchmark::Counter(static_cast<double>(frame) / kMeterRateHz / 100.0,
                                                        benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(level_meter)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lacquer::bench
