// The words the pipeline tests speak: a source made in code, the plan of it, and a real cache, scheduler and chunk
// service over them. Grids are short and rates low, so that a chunk is rendered in milliseconds.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <sndfile.hh>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/profile_meter.h"
#include "src/chunk_encoder.h"
#include "src/chunk_renderer.h"
#include "src/chunk_service.h"
#include "src/offline.h"
#include "src/recipe_choice.h"
#include "tests/src/manual_timers.h"
#include "tests/support/signals.h"
#include "tests/support/temp_dir.h"

namespace lacquer::test {

namespace fs = std::filesystem;

using ByteVector = std::vector<std::byte>;

inline bool present() {
    return true;
}

// Waits for what other threads are about to do; false when they did not within a minute.
inline bool eventually(const std::function<bool()>& condition) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > give_up) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

// bits: 16 or 24 for integers, 32 for float.
inline void write_wav(const fs::path& file, dsp::ConstAudioBlock block, std::uint32_t sample_rate_hz, int bits = 16) {
    const int sample_format = bits == 16 ? SF_FORMAT_PCM_16 : bits == 24 ? SF_FORMAT_PCM_24 : SF_FORMAT_FLOAT;
    SndfileHandle out(file.c_str(), SFM_WRITE, SF_FORMAT_WAV | sample_format, static_cast<int>(block.channel_count),
                      static_cast<int>(sample_rate_hz));
    std::vector<float> interleaved(block.frame_count * block.channel_count);
    for (std::size_t i = 0; i < interleaved.size(); ++i) {
        interleaved[i] = block.channels[i % block.channel_count][i / block.channel_count];
    }
    const auto frames = static_cast<sf_count_t>(block.frame_count);
    ASSERT_EQ(out.writef(interleaved.data(), frames), frames) << file;
}

// Noise whose level changes by 15 dB every 3 s: nothing in the chain is at rest anywhere.
inline dsp::AudioBuffer restless_noise(double seconds, const Format& format, std::uint64_t seed = 1) {
    dsp::AudioBuffer noise = white_noise(seed, -12.0, seconds, format);
    const std::size_t section = frames_of(3.0, format);
    for (std::size_t at = section; at < noise.frame_count(); at += 2 * section) {
        scale_db(noise.block().slice(at, std::min(section, noise.frame_count() - at)), -15.0);
    }
    return noise;
}

// One meter over the whole file, from its first frame to its last.
inline dsp::Profile straight_profile(const fs::path& file) {
    const auto decoder = media::open_decoder(file);
    dsp::ProfileMeter meter(decoder->info().sample_rate_hz, decoder->info().channels);
    dsp::AudioBuffer buffer(decoder->info().channels, 4096);
    while (const std::size_t got = decoder->read(buffer.block())) meter.measure(buffer.block().slice(0, got));
    return dsp::finish_profile(meter.take(), decoder->info().frame_count, false);
}

struct PlanWish {
    dsp::GridSettings grid{5.0, 1.0, 1.0};
    dsp::SampleFormat format = dsp::SampleFormat::s16;
    dsp::RecipeRequest request{};
};

inline PlanPtr plan_of(const fs::path& file, const PlanWish& wish = {}) {
    const InputFile input = look_at_input(file);
    const ChosenRecipe chosen = wish.request.intensity == 0.0 ? bypass_recipe(input.media)
                                                              : choose_recipe(straight_profile(file), wish.request);
    return make_plan({7, input.file, input.content_id, input.media}, chosen, wish.format,
                     dsp::ChunkGrid(wish.grid, input.media.sample_rate_hz, served_frames(input.media)),
                     engine_id(wish.grid, input.media));
}

// What the chunk's bytes have to be, without service, cache or scheduler.
inline ByteVector rendered_alone(const RenderPlan& plan, std::int64_t index, const RenderControl& control = {}) {
    GrowingChunk chunk(chunk_layout(plan, index).total_bytes());
    ChunkEncoder encoder(plan, index, chunk);
    render_chunk(plan, plan.grid.span(index), control, encoder);
    EXPECT_EQ(chunk.ready_bytes(), chunk.size_bytes());
    return {chunk.bytes().begin(), chunk.bytes().end()};
}

// Writes down what the service tells.
class ChunkDiary : public ChunkObserver {
public:
    using Entry = std::pair<std::string, std::int64_t>;  // "started", "complete", "retry", "failed", a fallback's name,
                                                         // "dropped"; chunk

    void on_change(std::function<void()> listener) { listener_ = std::move(listener); }  // before the first render
    std::vector<std::int64_t> chunks(const std::string& what) const {
        const std::lock_guard lock(mutex_);
        std::vector<std::int64_t> indices;
        for (const auto& [happened, index] : entries_)
            if (happened == what) indices.push_back(index);
        return indices;
    }
    std::size_t count(const std::string& what) const { return chunks(what).size(); }
    std::string last_failure() const {
        const std::lock_guard lock(mutex_);
        return failure_;
    }

    std::vector<std::chrono::milliseconds> delays() const {
        const std::lock_guard lock(mutex_);
        return delays_;
    }

    void chunk_started(const RenderPlan&, std::int64_t index, Quality) override { add("started", index); }
    void chunk_complete(const RenderPlan&, std::int64_t index, const RenderReport&,
                        std::span<const std::byte>) override {
        add("complete", index);
    }
    void chunk_failed(const RenderPlan&, std::int64_t index, const FailedAttempt& failed) override {
        {
            const std::lock_guard lock(mutex_);
            failure_ = failed.reason;
            if (failed.retry_in) delays_.push_back(*failed.retry_in);
        }
        add(failed.retry_in ? "retry" : "failed", index);
    }
    void chunk_fell_back(const RenderPlan&, std::int64_t index, Quality quality) override {
        add(quality_name(quality), index);
    }
    void chunk_dropped(const RenderPlan&, std::int64_t index) override { add("dropped", index); }

private:
    void add(const std::string& what, std::int64_t index) {
        {
            const std::lock_guard lock(mutex_);
            entries_.emplace_back(what, index);
        }
        if (listener_) listener_();
    }

    mutable std::mutex mutex_;
    std::vector<Entry> entries_;
    std::string failure_;
    std::vector<std::chrono::milliseconds> delays_;  // before the retries, in order
    std::function<void()> listener_;
};

// Keeps one worker busy until it is let go.
class Roadblock {
public:
    explicit Roadblock(Scheduler& scheduler, TaskClass task_class = TaskClass::listener) {
        auto begun = std::make_shared<std::promise<void>>();  // shared: std::function wants to copy its captures
        auto started = begun->get_future();
        const auto block = [begun, go = open_.get_future().share()](TaskContext&) {
            begun->set_value();
            go.wait();
        };
        scheduler.submit({task_class, Deadline::min()}, {block});
        started.wait();
    }
    ~Roadblock() { open(); }
    void open() {
        if (!std::exchange(opened_, true)) open_.set_value();
    }

private:
    std::promise<void> open_;
    bool opened_ = false;
};

// A real cache, scheduler and service.
struct Pipeline {
    static constexpr std::uint64_t kRoomy = 1'000'000'000;

    explicit Pipeline(std::uint64_t capacity_bytes = kRoomy, int workers = 2, ChunkServiceOptions options = {})
        : cache(directory.path(), capacity_bytes),
          scheduler(workers),
          chunks(cache, scheduler, timers, diary, std::move(options)) {}
    ~Pipeline() { scheduler.stop(); }

    std::unique_ptr<ChunkService::Access> open(const PlanPtr& plan, std::int64_t index,
                                               TaskClass task_class = TaskClass::listener) {
        return chunks.open(plan, index, {task_class});
    }
    ByteVector read(ChunkService::Access& access) {
        ByteVector bytes(access.layout().total_bytes());
        EXPECT_TRUE(access.read_all(0, bytes, present));
        return bytes;
    }
    ByteVector read(const PlanPtr& plan, std::int64_t index) { return read(*open(plan, index)); }
    // No render is waiting or running any more: what was dropped has been dropped.
    bool comes_to_rest() {
        return eventually([&] {
            const Scheduler::Counts counts = scheduler.counts();
            return counts.waiting == 0 && counts.running == 0;
        });
    }

    TempDir directory;
    cache::ChunkCache cache;
    Scheduler scheduler;
    ManualTimers timers;
    ChunkDiary diary;
    ChunkService chunks;
};

}  // namespace lacquer::test
