// Decoding per format, through src/media, one core: "rtf" is seconds of audio per second; a jump is a seek to a random
// place (the same places for every format) and the 3 s from there, with the file kept open and with a new decoder.
#include <cstdint>
#include <string>

#include <benchmark/benchmark.h>

#include "bench/material.h"
#include "src/media/decoder.h"

namespace lacquer::bench {
namespace {

constexpr int kSeconds = 60;
constexpr std::size_t kBlockFrames = 4096;
constexpr std::size_t kJumpSeconds = 3;

// Reads up to `frames`; returns how many there were.
std::size_t read(media::Decoder& decoder, dsp::AudioBuffer& buffer, std::size_t frames) {
    std::size_t done = 0;
    while (done < frames) {
        const std::size_t got = decoder.read(buffer.block().slice(0, std::min(kBlockFrames, frames - done)));
        if (got == 0) break;
        done += got;
    }
    return done;
}

class Places {
public:
    std::int64_t next(const media::MediaInfo& info) {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        const std::int64_t last = info.frame_count - std::int64_t{kJumpSeconds} * info.sample_rate_hz;
        return static_cast<std::int64_t>(state_ >> 33) % last;
    }

private:
    std::uint64_t state_ = 1;
};

void decode(benchmark::State& state, const std::string& format) {
    const auto file = music_file(format, kSeconds);
    const media::MediaInfo info = media::probe(file);
    dsp::AudioBuffer buffer(info.channels, kBlockFrames);
    for (auto _ : state) {
        const auto decoder = media::open_decoder(file, info);
        read(*decoder, buffer, static_cast<std::size_t>(info.frame_count));
        benchmark::ClobberMemory();
    }
    const double seconds = static_cast<double>(state.iterations()) * static_cast<double>(info.frame_count);
    state.counters["rtf"] = benchmark::Counter(seconds / info.sample_rate_hz, benchmark::Counter::kIsRate);
}

void jump(benchmark::State& state, const std::string& format, bool reopened) {
    const auto file = music_file(format, kSeconds);
    const media::MediaInfo info = media::probe(file);
    dsp::AudioBuffer buffer(info.channels, kBlockFrames);
    Places places;
    auto decoder = media::open_decoder(file, info);
    for (auto _ : state) {
        if (reopened) decoder = media::open_decoder(file, info);
        decoder->seek(places.next(info));
        read(*decoder, buffer, kJumpSeconds * info.sample_rate_hz);
        benchmark::ClobberMemory();
    }
}

void probe(benchmark::State& state, const std::string& format) {
    const auto file = music_file(format, kSeconds);
    for (auto _ : state) benchmark::DoNotOptimize(media::probe(file));
}

const bool registered = [] {
    for (const std::string format : {"wav", "flac", "mp3", "ogg", "opus"}) {
        const auto add = [&](const std::string& name, auto run) {
            benchmark::RegisterBenchmark((name + "/" + format).c_str(), run)->Unit(benchmark::kMillisecond);
        };
        add("decode", [=](benchmark::State& s) { decode(s, format); });
        add("jump_3s_open_file", [=](benchmark::State& s) { jump(s, format, false); });
        add("jump_3s_new_decoder", [=](benchmark::State& s) { jump(s, format, true); });
        add("probe_length", [=](benchmark::State& s) { probe(s, format); });
    }
    return true;
}();

}  // namespace
}  // namespace lacquer::bench
