// Limiter, true-peak meter, saturation and the ends of the chain, each on every instruction set this processor has.
// "ns" is the time per frame (stereo; one channel for the meter), "skipped" the part of the groups that the limiter or
// the meter did not have to interpolate.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "dsp/audio_block.h"
#include "dsp/crossfade.h"
#include "dsp/dequantiser.h"
#include "dsp/quantiser.h"
#include "dsp/recipe.h"
#include "dsp/saturation.h"
#include "dsp/simd.h"
#include "dsp/true_peak.h"
#include "dsp/true_peak_limiter.h"

namespace lacquer::dsp {
namespace {

constexpr std::uint32_t kRateHz = 44'100;
constexpr std::size_t kFrames = 17 * kWorkFrames;  // no power of two: lines apart by one would evict each other

// Noise whose level goes up and down by 12 dB every 1024 frames; `peak` is its largest |sample|.
std::vector<float> noise(std::size_t samples, float peak) {
    std::vector<float> made(samples);
    std::uint64_t state = 1;
    for (std::size_t i = 0; i < samples; ++i) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const auto level = static_cast<float>(0.625 + 0.375 * std::cos(static_cast<double>(i) * 3.14159265 / 1024.0));
        made[i] = static_cast<float>((static_cast<double>(state >> 11) * 0x1p-53 - 0.5) * 2.0) * level * peak;
    }
    return made;
}

// Falls by 6 dB per octave from 300 Hz up, as music does about; scaled to `peak`.
std::vector<float> tilted(std::size_t samples, std::size_t channels, float peak) {
    std::vector<float> made = noise(samples, 1.0f);
    float largest = 0.0f;
    for (std::size_t i = channels; i < samples; ++i) made[i] = 0.957f * made[i - channels] + 0.043f * made[i];
    for (const float sample : made) largest = std::max(largest, std::abs(sample));
    for (float& sample : made) sample *= peak / largest;
    return made;
}

void count_frames(benchmark::State& state, std::size_t frames) {
    const double done = static_cast<double>(state.iterations()) * static_cast<double>(frames);
    state.counters["ns"] = benchmark::Counter(done * 1e-9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.counters["rtf"] = benchmark::Counter(done / kRateHz, benchmark::Counter::kIsRate);
}

template <typename Stage>
void run_stereo(benchmark::State& state, Stage& stage, const std::vector<float>& source) {
    AudioBuffer work(1, 2 * kWorkFrames);
    float* const samples = work.block().channels[0];
    for (auto _ : state) {
        for (std::size_t done = 0; done < kFrames; done += kWorkFrames) {
            std::copy_n(source.data() + 2 * done, 2 * kWorkFrames, samples);
            stage.process(StereoBlock{samples, kWorkFrames});
            benchmark::ClobberMemory();
        }
    }
    count_frames(state, kFrames);
}

void limiter(benchmark::State& state, const std::string& simd, std::vector<float> source) {
    force_simd(simd);
    TruePeakLimiter stage(neutral_recipe(kRateHz, 2).limiter);
    run_stereo(state, stage, source);
    state.counters["skipped"] = static_cast<double>(stage.skipped_groups()) / static_cast<double>(stage.groups());
}

void saturation(benchmark::State& state, const std::string& simd) {
    force_simd(simd);
    Saturation stage({0.16});
    run_stereo(state, stage, noise(2 * kFrames, 0.5f));
}

// From the same peak on, so that all tiles but the loudest are skipped; or forgetting it, so that few are.
void true_peak_meter(benchmark::State& state, const std::string& simd, const std::vector<float>& source, bool forgets) {
    force_simd(simd);
    TruePeakMeter meter;
    for (auto _ : state) {
        if (forgets) meter.forget_peaks();
        meter.process({{source.data()}, 1, kFrames});
        benchmark::DoNotOptimize(meter);
    }
    count_frames(state, kFrames);
}

void quantise_planar_to(benchmark::State& state, const std::string& simd, SampleFormat format) {
    force_simd(simd);
    const AudioBuffer source(2, kFrames);
    std::vector<std::byte> out(2 * kFrames * bytes_per_sample(format));
    std::int64_t frame = 0;
    for (auto _ : state) {
        quantise(source.block(), frame, format, true, out);
        frame += kFrames;
        benchmark::ClobberMemory();
    }
    count_frames(state, kFrames);
}

void dequantise_from(benchmark::State& state, const std::string& simd, SampleFormat format) {
    force_simd(simd);
    const std::vector<std::byte> bytes(2 * kFrames * bytes_per_sample(format));
    AudioBuffer out(2, kFrames);
    for (auto _ : state) {
        dequantise(bytes, format, out.block());
        benchmark::ClobberMemory();
    }
    count_frames(state, kFrames);
}

void crossfade_stereo(benchmark::State& state, const std::string& simd) {
    force_simd(simd);
    const AudioBuffer from(2, kFrames);
    const AudioBuffer to(2, kFrames);
    AudioBuffer out(2, kFrames);
    for (auto _ : state) {
        crossfade(from.block(), to.block(), 0, kFrames, out.block());
        benchmark::ClobberMemory();
    }
    count_frames(state, kFrames);
}

[[maybe_unused]] const bool registered = [] {
    for (const std::string& simd : runnable_simd()) {
        const auto add = [&simd](const std::string& name, auto function, auto... arguments) {
            benchmark::RegisterBenchmark((name + "/" + simd).c_str(), [=](benchmark::State& state) {
                function(state, simd, arguments...);
                force_simd("");
            });
        };
        add("limiter_always", limiter, noise(2 * kFrames, 1.5f));
        add("limiter_now_and_then", limiter, noise(2 * kFrames, 0.9f));
        add("limiter_quiet", limiter, noise(2 * kFrames, 0.3f));
        add("limiter_tilted", limiter, tilted(2 * kFrames, 2, 1.2f));
        add("saturation", saturation);
        add("true_peak_meter_seldom", true_peak_meter, noise(kFrames, 0.5f), false);
        add("true_peak_meter_forgetful", true_peak_meter, noise(kFrames, 0.5f), true);
        add("true_peak_meter_tilted", true_peak_meter, tilted(kFrames, 1, 0.9f), true);
        add("quantise_s16", quantise_planar_to, SampleFormat::s16);
        add("quantise_s24", quantise_planar_to, SampleFormat::s24);
        add("quantise_f32", quantise_planar_to, SampleFormat::f32);
        add("dequantise_s16", dequantise_from, SampleFormat::s16);
        add("dequantise_s24", dequantise_from, SampleFormat::s24);
        add("dequantise_f32", dequantise_from, SampleFormat::f32);
        add("crossfade", crossfade_stereo);
    }
    return true;
}();

}  // namespace
}  // namespace lacquer::dsp
