// How fast a track is measured: items per second are seconds of audio per second of one core.
#include <cmath>
#include <cstdint>

#include <benchmark/benchmark.h>

#include "dsp/profile_meter.h"

namespace lacquer {
namespace {

// Five minutes of stereo noise with a slow swell, so that peaks are neither all alike nor all in the first second.
dsp::AudioBuffer five_minutes(std::uint32_t sample_rate_hz) {
    dsp::AudioBuffer audio(2, std::size_t{300} * sample_rate_hz);
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

void measure_a_track(benchmark::State& state) {
    const auto rate = static_cast<std::uint32_t>(state.range(0));
    const dsp::AudioBuffer audio = five_minutes(rate);
    const auto segment = static_cast<std::size_t>(dsp::ProfileMeter::segment_frames(rate));
    for (auto _ : state) {
        dsp::ProfileSum sum;
        for (std::size_t first = 0; first < audio.frame_count(); first += segment) {
            dsp::ProfileMeter meter(rate, 2);
            meter.measure(audio.block().slice(first, std::min(segment, audio.frame_count() - first)));
            sum.append(meter.take());
        }
        benchmark::DoNotOptimize(dsp::finish_profile(sum, static_cast<std::int64_t>(audio.frame_count()), false));
    }
    state.SetItemsProcessed(state.iterations() * 300);
}
BENCHMARK(measure_a_track)->Arg(44'100)->Arg(96'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace lacquer
