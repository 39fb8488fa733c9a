// Chunks: rendering one (30 s of body, 5 s of context before and 1 s of tail behind it) from each format, fading two,
// keeping them in a real cache directory, and how much a second worker helps with one long file.
#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "bench/material.h"
#include "cache/chunk_cache.h"
#include "dsp/crossfade.h"
#include "src/chunk_encoder.h"
#include "src/offline.h"
#include "src/scheduler.h"

namespace lacquer::bench {
namespace {

constexpr int kSeconds = 300;
constexpr std::size_t kChunkBytes = 5'820'000;  // of 30 s, s16, with 1 s of float at either end
constexpr int kPairs = 3;

PlanPtr plan_of(const std::string& format) {
    static std::map<std::string, PlanPtr> plans;
    PlanPtr& plan = plans[format];
    if (plan) return plan;
    const InputFile input = look_at_input(music_file(format, kSeconds));
    static const dsp::Profile profile = measured(decoded(music_file("wav", kSeconds)));
    const dsp::ChunkGrid grid({}, input.media.sample_rate_hz, input.media.frame_count);
    plan = make_plan({0, input.file, input.content_id, input.media}, choose_recipe(profile, {}), dsp::SampleFormat::s16,
                     grid, "benchmark");
    return plan;
}

void render(const RenderPlan& plan, std::int64_t index) {
    GrowingChunk chunk(chunk_layout(plan, index).total_bytes());
    ChunkEncoder encoder(plan, index, chunk);
    render_chunk(plan, plan.grid.span(index), {}, encoder);
}

void chunk_render(benchmark::State& state, const std::string& format) {
    const PlanPtr plan = plan_of(format);
    for (auto _ : state) render(*plan, 4);
    const double seconds = static_cast<double>(state.iterations()) * 30.0;
    state.counters["rtf"] = benchmark::Counter(seconds, benchmark::Counter::kIsRate);
}
BENCHMARK_CAPTURE(chunk_render, wav, "wav")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(chunk_render, flac, "flac")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(chunk_render, mp3, "mp3")->Unit(benchmark::kMillisecond);

double seconds_with(Scheduler& scheduler, const RenderPlan& plan) {
    std::mutex mutex;
    std::condition_variable changed;
    std::int64_t left = plan.grid.chunk_count();
    const auto started = std::chrono::steady_clock::now();
    for (std::int64_t n = 0; n < plan.grid.chunk_count(); ++n) {
        const auto render_one = [&, n](TaskContext&) {
            render(plan, n);
            const std::lock_guard lock(mutex);
            --left;
            changed.notify_one();
        };
        scheduler.submit({TaskClass::listener}, {render_one});
    }
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return left == 0; });
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

// One worker, two workers, one, two ...: the median of the ratios.
void second_worker(benchmark::State& state, const std::string& format) {
    const PlanPtr plan = plan_of(format);
    Scheduler one(1), two(2);
    std::vector<double> ratios;
    for (auto _ : state) {
        for (int pair = 0; pair < kPairs; ++pair) {
            const double alone = seconds_with(one, *plan);
            ratios.push_back(alone / seconds_with(two, *plan));
        }
    }
    std::sort(ratios.begin(), ratios.end());
    state.counters["speedup"] = ratios[ratios.size() / 2];
    state.counters["target_speedup"] = 1.9;
}
BENCHMARK_CAPTURE(second_worker, wav, "wav")->Unit(benchmark::kMillisecond)->Iterations(1)->UseRealTime();
BENCHMARK_CAPTURE(second_worker, flac, "flac")->Unit(benchmark::kMillisecond)->Iterations(1)->UseRealTime();

void crossfade_of_a_second(benchmark::State& state) {
    const dsp::AudioBuffer from = synthetic_music(1);
    const dsp::AudioBuffer to = synthetic_music(1);
    dsp::AudioBuffer out(2, kRateHz);
    for (auto _ : state) {
        dsp::crossfade(from.block(), to.block(), 0, kRateHz, out.block());
        benchmark::ClobberMemory();
    }
}
BENCHMARK(crossfade_of_a_second)->Unit(benchmark::kMicrosecond);

// A cache of 1 GB in a directory of its own, with 20 chunks in it.
class FilledCache {
public:
    FilledCache() : cache(directory_.path(), 1'000'000'000), chunk(kChunkBytes) {
        for (std::size_t i = 0; i < chunk.size(); ++i) chunk[i] = static_cast<std::byte>(i * 2654435761u >> 13);
        for (int n = 0; n < kChunks; ++n) cache.insert(key(n), chunk);
    }
    static cache::ChunkKey key(int n) {
        cache::ChunkKey key{};
        key[0] = static_cast<std::byte>(n * 37);
        key[15] = static_cast<std::byte>(n);
        return key;
    }
    static constexpr int kChunks = 20;

private:
    const TemporaryFolder directory_;

public:
    cache::ChunkCache cache;
    std::vector<std::byte> chunk;
};

void cache_insert(benchmark::State& state) {
    FilledCache filled;
    int n = 0;
    for (auto _ : state) filled.cache.insert(FilledCache::key(n++ % FilledCache::kChunks), filled.chunk);
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kChunkBytes));
}
BENCHMARK(cache_insert)->Unit(benchmark::kMillisecond)->UseRealTime();

// What a listener who seeks asks of the cache: open, and the block of 64 KiB that holds the place, verified.
void cache_open_and_read(benchmark::State& state) {
    FilledCache filled;
    std::vector<std::byte> out(static_cast<std::size_t>(state.range(0)));
    int n = 0;
    for (auto _ : state) {
        auto reader = filled.cache.open(FilledCache::key(n++ % FilledCache::kChunks));
        if (!reader || !reader->read(kChunkBytes / 2, out)) state.SkipWithError("the chunk cannot be read");
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(cache_open_and_read)->Arg(4)->Arg(65'536)->Arg(2'000'000)->Unit(benchmark::kMicrosecond)->UseRealTime();

void cache_miss(benchmark::State& state) {
    FilledCache filled;
    for (auto _ : state) benchmark::DoNotOptimize(filled.cache.open(FilledCache::key(FilledCache::kChunks + 1)));
}
BENCHMARK(cache_miss)->Unit(benchmark::kNanosecond);

// What a start costs: the directory is read.
void cache_start(benchmark::State& state) {
    const TemporaryFolder directory;
    {
        cache::ChunkCache cache(directory.path(), 1'000'000'000);
        const std::vector<std::byte> small(1000);
        for (int n = 0; n < 170; ++n) cache.insert(FilledCache::key(n), small);
    }
    for (auto _ : state) benchmark::DoNotOptimize(cache::ChunkCache(directory.path(), 1'000'000'000).stats().entries);
}
BENCHMARK(cache_start)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace lacquer::bench
