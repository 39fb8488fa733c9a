// The enhancement chain and its stages. "rtf" is seconds of audio per second of one core, 44.1 kHz, stereo.
#include <benchmark/benchmark.h>

#include "dsp/compressor.h"
#include "dsp/enhancer.h"
#include "dsp/equaliser.h"
#include "dsp/filter_design.h"
#include "dsp/level_curve.h"
#include "dsp/width.h"

namespace lacquer::dsp {
namespace {

constexpr std::uint32_t kRateHz = 44'100;

// White noise of -12 dBFS rms or so: loud enough to keep the dynamics stages at work.
void fill(std::vector<double>& samples) {
    std::uint64_t state = 1;
    for (double& sample : samples) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        sample = (static_cast<double>(state >> 11) * 0x1p-53 - 0.5) * 0.9;
    }
}

Profile noise_profile() {
    Profile profile;
    profile.sample_rate_hz = kRateHz;
    profile.channel_count = 2;
    profile.frame_count = 600 * kRateHz;
    profile.integrated_lufs = -12.0;
    profile.loudness_range_lu = 8.0;
    profile.true_peak_dbtp = 0.0;
    profile.rms_dbfs = -14.0;
    profile.crest_db = 14.0;
    profile.stereo_correlation = 0.6;
    profile.side_to_mid_db = -8.0;
    for (std::size_t b = 0; b < kOctaveBands; ++b) profile.octave_dbfs[b] = b % 2 == 0 ? -20.0 : -26.0;
    profile.third_octave_dbfs.fill(-28.0);
    for (auto& levels : profile.band_levels) {
        for (std::size_t bin = 120; bin < 150; ++bin) levels[bin] = 100;
    }
    profile.short_term_lufs.assign(600, -12.0f);
    return profile;
}

Recipe recipe_of(PresetId id) {
    return derive_recipe(noise_profile(), {id, 1.0, true}).recipe;
}

template <typename Stage>
void run_stage(benchmark::State& state, Stage& stage) {
    std::vector<double> source(2 * kWorkFrames);
    fill(source);
    std::vector<double> samples = source;
    WorkBlock block{{samples.data(), samples.data() + kWorkFrames}, 2, kWorkFrames};
    for (auto _ : state) {
        std::copy(source.begin(), source.end(), samples.begin());
        stage.process(block);
        benchmark::DoNotOptimize(samples.data());
        benchmark::ClobberMemory();
    }
    const double frames = static_cast<double>(state.iterations()) * static_cast<double>(kWorkFrames);
    state.counters["rtf"] = benchmark::Counter(frames / kRateHz, benchmark::Counter::kIsRate);
}

void equaliser(benchmark::State& state) {
    EqualiserSettings settings;
    settings.sections.fill(peak(0.1, 1.0, 2.0));
    Equaliser stage(settings);
    run_stage(state, stage);
}
void compressor(benchmark::State& state) {
    Compressor stage(recipe_of(PresetId::punchy).compressor);
    run_stage(state, stage);
}
void width(benchmark::State& state) {
    Width stage(recipe_of(PresetId::punchy).width);
    run_stage(state, stage);
}
void level_curve(benchmark::State& state) {
    LevelCurve stage({1.0, std::vector<double>(600, 1.0)}, kRateHz, 0);
    run_stage(state, stage);
}
BENCHMARK(equaliser);
BENCHMARK(compressor);
BENCHMARK(width);
BENCHMARK(level_curve);

void chain(benchmark::State& state, PresetId id) {
    const Recipe recipe = recipe_of(id);
    constexpr std::size_t kFrames = kRateHz;
    std::vector<double> noise(2 * kFrames);
    fill(noise);
    AudioBuffer source(2, kFrames);
    for (std::size_t i = 0; i < kFrames; ++i) {
        source.block().channels[0][i] = static_cast<float>(noise[2 * i]);
        source.block().channels[1][i] = static_cast<float>(noise[2 * i + 1]);
    }
    AudioBuffer work(2, kFrames);
    Enhancer enhancer(recipe, 0);
    for (auto _ : state) {
        for (std::size_t c = 0; c < 2; ++c) std::copy_n(source.block().channels[c], kFrames, work.block().channels[c]);
        enhancer.process(work.block());
        benchmark::ClobberMemory();
    }
    const double frames = static_cast<double>(state.iterations()) * static_cast<double>(kFrames);
    state.counters["rtf"] = benchmark::Counter(frames / kRateHz, benchmark::Counter::kIsRate);
}
BENCHMARK_CAPTURE(chain, adaptive, PresetId::adaptive)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(chain, warm, PresetId::warm)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(chain, night, PresetId::night)->Unit(benchmark::kMillisecond);

void recipe_derivation(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(recipe_of(PresetId::speech));
}
BENCHMARK(recipe_derivation)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lacquer::dsp
