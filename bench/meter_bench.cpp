// The player's meters over stereo, read ten times a second: that of levels at 48 kHz, that of gain reduction on a WAV
// file of 44.1 kHz. "core_percent" is what it takes of one core
// in real time, after an hour of playing as in its first minute.
#include <chrono>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/material.h"
#include "dsp/interleave.h"
#include "src/offline.h"
#include "src/player/level_meter.h"
#include "src/player/live_chain.h"
#include "src/player/reduction_meter.h"
#include "src/recipe_choice.h"

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

// The callback of `lacquer live`, in periods of 512 frames, with one recipe and while another takes over.
void live_chain(benchmark::State& state, bool takes_over) {
    const dsp::AudioBuffer audio = synthetic_music(kSeconds);
    std::vector<float> in(2 * audio.frame_count());
    dsp::interleave(audio.block().channels[0], audio.block().channels[1], audio.frame_count(), in.data());
    const dsp::Recipe recipe = dsp::derive_recipe(measured(audio), {}).recipe;
    std::vector<float> out(2 * 512);
    double seconds = 0.0;
    const auto pass_three_seconds = [&](player::LiveChain& chain) {
        for (std::size_t at = 0; at + 512 <= 3 * kRateHz; at += 512) {
            chain.process(in.data() + 2 * at, out.data(), 512);
            chain.tap().skip(chain.tap().available_frames());
        }
        seconds += 3.0;
    };
    player::LiveChain settled({kRateHz, 2, 2}, {});
    settled.offer(recipe);
    pass_three_seconds(settled);
    seconds = 0.0;
    for (auto _ : state) {
        if (takes_over) settled.offer(recipe);
        pass_three_seconds(settled);
    }
    state.counters["core_percent"] =
        benchmark::Counter(seconds / 100.0, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK_CAPTURE(live_chain, one_recipe, false)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(live_chain, taking_over, true)->Unit(benchmark::kMillisecond);

PlanPtr plan_of(const std::filesystem::path& file) {
    const InputFile input = look_at_input(file);
    const dsp::GridSettings grid;
    return make_plan({1, input.file, input.content_id, input.media}, choose_recipe(measured(decoded(file)), {}), {},
                     dsp::ChunkGrid(grid, input.media.sample_rate_hz, input.media.frame_count),
                     engine_id(grid, input.media));
}

void reduction_meter(benchmark::State& state) {
    const PlanPtr plan = plan_of(music_file("wav", kSeconds));
    const std::int64_t tick = kRateHz / 10;
    double seconds = 0.0;
    for (auto _ : state) {
        player::ReductionMeter meter;
        for (std::int64_t frame = 0; frame + tick <= plan->media.frame_count; frame += tick, seconds += 0.1) {
            while (!meter.at(plan, frame)) std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
    }
    state.counters["core_percent"] =
        benchmark::Counter(seconds / 100.0, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(reduction_meter)->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lacquer::bench
