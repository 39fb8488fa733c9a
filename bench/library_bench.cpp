// What a large library costs: 5,000 tiny WAV files in folders of 20.
#include <filesystem>
#include <fstream>
#include <memory>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "src/library/library.h"
#include "src/offline.h"
#include "src/wav_header.h"

namespace {

using namespace lacquer;
namespace fs = std::filesystem;

constexpr int kTracks = 5000;

class Collection {
public:
    Collection() {
        for (int i = 0; i < kTracks; ++i) {
            const fs::path file = folder_.path() / "music" / std::to_string(i / 20) / fmt::format("{}.wav", i);
            fs::create_directories(file.parent_path());
            const auto header = wav_header({8000, 1, dsp::SampleFormat::s16, 32});
            std::ofstream out(file, std::ios::binary);
            out.write(reinterpret_cast<const char*>(header.data()), static_cast<std::streamsize>(header.size()));
            for (int sample = 0; sample < 32; ++sample)
                out.put(static_cast<char>(i % 251)).put(static_cast<char>(sample));
        }
        library = open("library.db");
        library->scan({});
    }
    std::unique_ptr<library::Library> open(const std::string& name) const {
        return std::make_unique<library::Library>(folder_.path() / name, std::vector{folder_.path() / "music"});
    }
    std::unique_ptr<library::Library> library;

private:
    const TemporaryFolder folder_;
};

Collection& collection() {
    static Collection instance;
    return instance;
}

void first_scan(benchmark::State& state) {
    int round = 0;
    for (auto _ : state) collection().open(fmt::format("fresh{}.db", round++))->scan({});
    state.SetItemsProcessed(state.iterations() * kTracks);
}
BENCHMARK(first_scan)->Unit(benchmark::kMillisecond)->Iterations(2);

void scan_with_nothing_changed(benchmark::State& state) {
    for (auto _ : state) collection().library->scan({});
    state.SetItemsProcessed(state.iterations() * kTracks);
}
BENCHMARK(scan_with_nothing_changed)->Unit(benchmark::kMillisecond);

void first_page_of_100(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(collection().library->tracks("", 0, 100));
}
BENCHMARK(first_page_of_100)->Unit(benchmark::kMillisecond);

void search(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(collection().library->tracks("4999", 0, 100));
}
BENCHMARK(search)->Unit(benchmark::kMillisecond);

void fresh_track(benchmark::State& state) {
    const std::int64_t id = collection().library->tracks("4999", 0, 1).items.at(0).id;
    for (auto _ : state) benchmark::DoNotOptimize(collection().library->fresh_track(id));
}
BENCHMARK(fresh_track)->Unit(benchmark::kMicrosecond);

}  // namespace
