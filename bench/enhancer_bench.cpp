// The enhancement chain and its filtering stages, on every instruction set. "rtf" is seconds of audio per second of one
// core, 44.1 kHz, stereo; "frame" the time for one stereo frame.
#include <array>
#include <functional>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "dsp/compressor.h"
#include "dsp/denormals.h"
#include "dsp/enhancer.h"
#include "dsp/equaliser.h"
#include "dsp/filter_design.h"
#include "dsp/interleave.h"
#include "dsp/level_curve.h"
#include "dsp/simd.h"
#include "dsp/width.h"

namespace lacquer::dsp {
namespace {

constexpr std::uint32_t kRateHz = 44'100;

// White noise of -12 dBFS rms or so: loud enough to keep the dynamics stages at work.
template <typename Sample>
std::vector<Sample> noise(std::size_t count) {
    std::uint64_t state = 1;
    std::vector<Sample> samples(count);
    for (Sample& sample : samples) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        sample = static_cast<Sample>((static_cast<double>(state >> 11) * 0x1p-53 - 0.5) * 0.9);
    }
    return samples;
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

void count_frames(benchmark::State& state, std::size_t frames_each) {
    const double frames = static_cast<double>(state.iterations()) * static_cast<double>(frames_each);
    state.counters["rtf"] = benchmark::Counter(frames / kRateHz, benchmark::Counter::kIsRate);
    state.counters["frame"] = benchmark::Counter(frames, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// What the stages of the chain read and write, one block of it.
struct Work {
    alignas(64) std::array<float, 2 * kWorkFrames> narrow{};
    alignas(64) std::array<double, 2 * kWorkFrames> wide{};

    StereoBlock block() { return {narrow.data(), kWorkFrames}; }
    WideBlock wide_block() { return {wide.data(), kWorkFrames}; }
};

template <typename Run>
void run_stage(benchmark::State& state, Run run) {
    const std::vector<float> source = noise<float>(2 * kWorkFrames);
    Work work;
    std::copy(source.begin(), source.end(), work.wide.begin());
    const FlushDenormals flush;
    for (auto _ : state) {
        std::copy(source.begin(), source.end(), work.narrow.begin());
        run(work);
        benchmark::ClobberMemory();
    }
    count_frames(state, kWorkFrames);
}

void equaliser(benchmark::State& state) {
    EqualiserSettings settings;
    settings.sections.fill(peak(0.1, 1.0, 2.0));
    Equaliser stage(settings);
    run_stage(state, [&](Work& work) { stage.process(work.block(), work.wide_block()); });
}
void crossover(benchmark::State& state) {
    Crossover stage(recipe_of(PresetId::punchy).compressor.borders);
    std::array<Work, kDynamicsBands> bands;
    run_stage(state, [&](Work& work) {
        stage.split(work.wide_block(), {bands[0].block(), bands[1].block(), bands[2].block()});
    });
}
void compressor(benchmark::State& state) {
    Compressor stage(recipe_of(PresetId::punchy).compressor);
    run_stage(state, [&](Work& work) { stage.process(work.wide_block(), work.block()); });
}
void width(benchmark::State& state) {
    Width stage(recipe_of(PresetId::punchy).width);
    run_stage(state, [&](Work& work) { stage.process(work.block()); });
}
void level_curve(benchmark::State& state) {
    LevelCurve stage({1.0, std::vector<double>(600, 1.0)}, kRateHz, 0);
    run_stage(state, [&](Work& work) { stage.process(work.block()); });
}
void interleaving(benchmark::State& state) {
    AudioBuffer planar(2, kWorkFrames);
    run_stage(state, [&](Work& work) {
        const auto lines = planar.block().channels;
        interleave(lines[0], lines[1], kWorkFrames, work.narrow.data());
        deinterleave(work.narrow.data(), kWorkFrames, lines[0], lines[1]);
    });
}

template <PresetId id>
void chain(benchmark::State& state) {
    constexpr std::size_t kFrames = kRateHz;
    const std::vector<float> samples = noise<float>(2 * kFrames);
    AudioBuffer source(2, kFrames);
    deinterleave(samples.data(), kFrames, source.block().channels[0], source.block().channels[1]);
    AudioBuffer work(2, kFrames);
    Enhancer enhancer(recipe_of(id), 0);
    for (auto _ : state) {
        for (std::size_t c = 0; c < 2; ++c) std::copy_n(source.block().channels[c], kFrames, work.block().channels[c]);
        enhancer.process(work.block());
        benchmark::ClobberMemory();
    }
    count_frames(state, kFrames);
}

void recipe_derivation(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(recipe_of(PresetId::speech));
}
BENCHMARK(recipe_derivation)->Unit(benchmark::kMillisecond);

const bool registered = [] {
    const std::vector<std::pair<std::string, void (*)(benchmark::State&)>> all{
        {"equaliser", equaliser},
        {"crossover", crossover},
        {"compressor_with_crossover", compressor},
        {"width", width},
        {"level_curve", level_curve},
        {"interleaving", interleaving},
        {"chain_adaptive", chain<PresetId::adaptive>},
        {"chain_warm", chain<PresetId::warm>},
        {"chain_night", chain<PresetId::night>},
    };
    for (const auto& [stage, run] : all) {
        for (const std::string& simd : runnable_simd()) {
            benchmark::RegisterBenchmark((stage + "/" + simd).c_str(), [run = run, simd](benchmark::State& state) {
                force_simd(simd);
                run(state);
                force_simd("");
            });
        }
    }
    return true;
}();

}  // namespace
}  // namespace lacquer::dsp
