// How fast a track is measured, from samples in memory: "rtf" is seconds of audio per second of one core.
#include <cmath>
#include <cstdint>

#include <benchmark/benchmark.h>

#include "dsp/hop_meter.h"
#include "dsp/profile_meter.h"
#include "dsp/simd.h"
#include "dsp/spectrum.h"
#include "dsp/true_peak.h"

namespace lacquer {
namespace {

constexpr std::size_t kSeconds = 120;

// Stereo noise with a slow swell, so that peaks are neither all alike nor all in the first second.
dsp::AudioBuffer swelling_noise(std::uint32_t sample_rate_hz) {
    dsp::AudioBuffer audio(2, kSeconds * sample_rate_hz);
    std::uint32_t state = 1;
    for (std::size_t c = 0; c < 2; ++c) {
        float smooth = 0.0f;
        for (std::size_t i = 0; i < audio.frame_count(); ++i) {
            state = state * 1664525u + 1013904223u;
            const float white = static_cast<float>(state >> 8) * 0x1p-23f - 1.0f;
            const float swell = 0.5f + 0.4f * std::sin(static_cast<float>(i) * 2e-5f);
            smooth += 0.2f * (white - smooth);
            audio.block().channels[c][i] = swell * smooth;
        }
    }
    return audio;
}

// `measure` takes a segment of the track.
template <typename Measure>
void by_segments(benchmark::State& state, std::uint32_t rate, Measure measure) {
    const dsp::AudioBuffer audio = swelling_noise(rate);
    const auto segment = static_cast<std::size_t>(dsp::ProfileMeter::segment_frames(rate));
    for (auto _ : state)
        for (std::size_t first = 0; first < audio.frame_count(); first += segment)
            measure(audio.block().slice(first, std::min(segment, audio.frame_count() - first)));
    state.counters["rtf"] =
        benchmark::Counter(static_cast<double>(state.iterations()) * kSeconds, benchmark::Counter::kIsRate);
}

// In the order of runnable_simd(), slowest first.
void on(benchmark::State& state, std::size_t simd) {
    const std::string name = dsp::runnable_simd().at(simd);
    dsp::force_simd(name);
    state.SetLabel(name);
}
void every_simd(benchmark::internal::Benchmark* benchmark) {
    for (std::size_t simd = 0; simd < dsp::runnable_simd().size(); ++simd)
        benchmark->Args({44'100, static_cast<std::int64_t>(simd)});
    const auto fastest = static_cast<std::int64_t>(dsp::runnable_simd().size()) - 1;
    benchmark->Args({96'000, fastest})->Unit(benchmark::kMillisecond);
}

void profile_of_a_track(benchmark::State& state) {
    const auto rate = static_cast<std::uint32_t>(state.range(0));
    on(state, static_cast<std::size_t>(state.range(1)));
    by_segments(state, rate, [&, sum = dsp::ProfileSum()](dsp::ConstAudioBlock audio) mutable {
        dsp::ProfileMeter meter(rate, 2);
        meter.measure(audio);
        sum = meter.take();
        benchmark::DoNotOptimize(sum);
    });
    dsp::force_simd("");
}
BENCHMARK(profile_of_a_track)->Apply(every_simd);

void hops_of_a_track(benchmark::State& state) {
    const auto rate = static_cast<std::uint32_t>(state.range(0));
    on(state, static_cast<std::size_t>(state.range(1)));
    by_segments(state, rate, [&](dsp::ConstAudioBlock audio) {
        dsp::HopMeter meter(rate, 2);
        while (audio.frame_count > 0) {
            const std::size_t taken = meter.measure(audio).frame_count;
            audio = audio.slice(taken, audio.frame_count - taken);
        }
        benchmark::DoNotOptimize(meter.take());
    });
    dsp::force_simd("");
}
BENCHMARK(hops_of_a_track)->Apply(every_simd);

void spectrum_of_a_track(benchmark::State& state) {
    const auto rate = static_cast<std::uint32_t>(state.range(0));
    on(state, static_cast<std::size_t>(state.range(1)));
    by_segments(state, rate, [&](dsp::ConstAudioBlock audio) {
        dsp::SpectrumMeter meter(rate, 2);
        meter.measure(audio);
        benchmark::DoNotOptimize(meter.take());
    });
    dsp::force_simd("");
}
BENCHMARK(spectrum_of_a_track)->Apply(every_simd);

void true_peak_of_a_track(benchmark::State& state) {
    const auto rate = static_cast<std::uint32_t>(state.range(0));
    on(state, static_cast<std::size_t>(state.range(1)));
    by_segments(state, rate, [](dsp::ConstAudioBlock audio) {
        dsp::TruePeakMeter meter;
        meter.process(audio);
        benchmark::DoNotOptimize(meter.true_peak());
    });
    dsp::force_simd("");
}
BENCHMARK(true_peak_of_a_track)->Apply(every_simd);

}  // namespace
}  // namespace lacquer
