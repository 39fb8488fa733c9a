// Renders that fail: what is tried again and when, what listeners get instead, and what nobody notices.
#include <numeric>

#include "src/chunk_service.h"
#include "src/retry_policy.h"
#include "tests/src/faulty_decoder.h"
#include "tests/src/fixture.h"

namespace lacquer {
namespace {

using namespace std::chrono_literals;
using test::ByteVector;
using test::DecoderFaults;
using test::eventually;
using test::Pipeline;
using test::plan_of;
using test::present;
using test::rendered_alone;

const std::error_code kPasses(EIO, std::generic_category());
const std::error_code kStays(EACCES, std::generic_category());

class ChunkFailures : public testing::Test {
protected:
    ChunkFailures() {
        test::write_wav(file, test::restless_noise(28.2, {8000, 2}).block(), 8000);
        plan = plan_of(file, {.grid = {5, 1, 1}, .request = {dsp::PresetId::night}});
    }
    void open(int workers = 2) {
        pipeline = std::make_unique<Pipeline>(Pipeline::kRoomy, workers,
                                              ChunkServiceOptions{.open = DecoderFaults::opener(faults)});
    }
    void TearDown() override {
        faults->release();
        pipeline.reset();
    }
    // Reads a chunk as a listener does, while time passes whenever nothing else happens.
    ByteVector listen(std::int64_t index, std::chrono::milliseconds step = 50ms) {
        return read_as(TaskClass::listener, index, step);
    }
    ByteVector read_as(TaskClass task_class, std::int64_t index, std::chrono::milliseconds step = 50ms) {
        auto access = pipeline->open(plan, index, task_class);
        const ByteVector bytes = let_time_pass_until([&] { return pipeline->read(*access); }, step);
        EXPECT_TRUE(eventually([&] { return access->ready(); })) << "the last byte comes before the render ends";
        return bytes;
    }
    ByteVector let_time_pass_until(const std::function<ByteVector()>& read, std::chrono::milliseconds step) {
        auto bytes = std::async(std::launch::async, read);
        while (bytes.wait_for(1ms) != std::future_status::ready) {
            pipeline->timers.pass(step);
            pipeline->scheduler.write_off_stuck(pipeline->timers.now(), 30s);
        }
        return bytes.get();
    }
    std::chrono::milliseconds all_delays() const {
        const auto delays = pipeline->diary.delays();
        return std::accumulate(delays.begin(), delays.end(), 0ms);
    }
    std::size_t count(const char* what) const { return pipeline->diary.count(what); }
    ByteVector as(Quality quality, std::int64_t index) const {
        return rendered_alone(*plan, index, {.quality = quality});
    }

    test::TempDir folder;
    const std::filesystem::path file = folder / "source.wav";
    PlanPtr plan;
    const std::shared_ptr<DecoderFaults> faults = std::make_shared<DecoderFaults>();
    std::unique_ptr<Pipeline> pipeline;
};

TEST_F(ChunkFailures, WhatCanPassIsTriedThreeTimesMoreAndAListenerNeverKnows) {
    open();
    faults->set({.times = 3, .from_frame = 70'000, .code = kPasses});
    EXPECT_TRUE(listen(1) == as(Quality::enhanced, 1)) << "the bytes before and after each break fit together";
    EXPECT_EQ(count("started"), 4u);
    EXPECT_EQ(count("retry"), 3u);
    EXPECT_EQ(count("failed"), 0u);
    EXPECT_LE(all_delays(), 2s);
    EXPECT_TRUE(pipeline->cache.contains(plan->key(1)));
}

TEST_F(ChunkFailures, BackgroundWorkWaitsOneTwoAndFourSeconds) {
    open();
    faults->set({.times = 3, .code = kPasses});
    EXPECT_TRUE(read_as(TaskClass::batch, 1) == as(Quality::enhanced, 1));
    const auto delays = pipeline->diary.delays();
    ASSERT_EQ(delays.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        const std::chrono::milliseconds middle = 1000ms * (1 << i);
        EXPECT_GE(delays[i], middle * 3 / 4);
        EXPECT_LE(delays[i], middle * 5 / 4);
    }
}

TEST_F(ChunkFailures, AListenerDoesNotWaitForTheEndOfABackgroundPause) {
    open();
    faults->set({.times = 1, .code = kPasses});
    auto background = pipeline->open(plan, 1, TaskClass::batch);
    ASSERT_TRUE(eventually([&] { return count("retry") == 1; }));
    EXPECT_TRUE(pipeline->read(plan, 1) == as(Quality::enhanced, 1)) << "though no time passes at all";
}

TEST_F(ChunkFailures, AfterTheFourthAttemptAListenerGetsWhatCanBeReadAndSilence) {
    open();
    faults->set({.from_frame = 80'000, .code = kPasses});  // chunk 1 is [40000, 88000)
    const ByteVector bytes = listen(1);
    EXPECT_EQ(count("started"), 4u + 2u) << "four attempts, neutral, plain";
    EXPECT_TRUE(eventually([&] { return pipeline->diary.chunks("plain") == std::vector<std::int64_t>{1}; }));
    const ChunkLayout layout = chunk_layout(*plan, 1);
    ASSERT_EQ(bytes.size(), layout.total_bytes()) << "the promised length";
    const ByteVector enhanced = as(Quality::enhanced, 1);
    // The chain runs ahead of what it hands out, so the enhanced part ends a little earlier than the source.
    const std::size_t surely = layout.head_bytes() + (78'000 - 48'000) * layout.frame_bytes;
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(surely), enhanced.begin()));
    const std::span silence = std::span(bytes).subspan(layout.tail_offset());
    EXPECT_TRUE(std::all_of(silence.begin(), silence.end(), [](std::byte b) { return b == std::byte{0}; }));
    EXPECT_FALSE(pipeline->cache.contains(plan->key(1))) << "never under the enhanced key";
    EXPECT_EQ(pipeline->chunks.fallback_chunks(*plan, 0, 4), std::vector<std::int64_t>{1});
}

TEST_F(ChunkFailures, WhatCannotPassIsNotTriedAgain) {
    for (const std::error_code& code : {std::error_code(), kStays}) {
        open();
        faults->set({.code = code});
        EXPECT_TRUE(listen(1) == as(Quality::silent, 1));
        EXPECT_EQ(count("retry"), 0u);
        EXPECT_EQ(count("started"), 1u + 2u);
    }
}

TEST_F(ChunkFailures, ABadRecipeIsMadeUpForByANeutralOneAtTheSameLevel) {
    RenderPlan bad = *plan;
    bad.recipe.compressor.bands[0].attack = -1.0;
    plan = make_plan(bad);
    open();
    EXPECT_THROW(as(Quality::enhanced, 1), std::invalid_argument);
    EXPECT_TRUE(listen(1) == as(Quality::neutral, 1));
    EXPECT_TRUE(eventually([&] { return pipeline->diary.chunks("neutral") == std::vector<std::int64_t>{1}; }));
}

TEST_F(ChunkFailures, BackgroundWorkGetsNoFallbackAndLeavesTheNextListenerNothingToWaitFor) {
    open();
    faults->set({.code = kStays});
    auto background = pipeline->open(plan, 1, TaskClass::rest_of_track);
    ASSERT_TRUE(eventually([&] { return background->failed(); }));
    EXPECT_EQ(pipeline->chunks.state(*plan, 1), ChunkService::State::fallback);
    EXPECT_EQ(count("started"), 1u);
    EXPECT_TRUE(listen(1) == as(Quality::silent, 1));
    EXPECT_EQ(count("started"), 1u + 2u) << "neutral, plain; not enhanced again";
    EXPECT_TRUE(listen(1) == as(Quality::silent, 1));
    EXPECT_EQ(count("started"), 1u + 2u + 1u) << "what worked the last time";
}

TEST_F(ChunkFailures, AFailureThatCanPassIsTriedOnceMoreAfterTenMinutes) {
    open();
    faults->set({.code = kPasses});
    listen(1);
    const std::size_t before = count("started");
    pipeline->timers.pass(9min);
    listen(1);
    EXPECT_EQ(count("started"), before + 1) << "a fallback at once";
    pipeline->timers.pass(2min);
    EXPECT_TRUE(pipeline->chunks.fallback_chunks(*plan, 0, 4).empty());
    listen(1);
    EXPECT_EQ(count("started"), before + 1 + 3) << "once enhanced, neutral, plain";
    pipeline->timers.pass(11min);
    faults->clear();
    EXPECT_TRUE(listen(1) == as(Quality::enhanced, 1));
    EXPECT_TRUE(pipeline->chunks.fallback_chunks(*plan, 0, 4).empty());
}

TEST_F(ChunkFailures, WhatCannotPassStaysUntilItIsForgotten) {
    open();
    faults->set({.code = kStays});
    auto held = pipeline->open(plan, 1);
    let_time_pass_until([&] { return pipeline->read(*held); }, 50ms);
    faults->clear();
    pipeline->timers.pass(24h);
    EXPECT_TRUE(listen(1) == as(Quality::silent, 1));
    pipeline->chunks.forget_failure(*plan, 1);
    EXPECT_TRUE(listen(1) == as(Quality::enhanced, 1)) << "though somebody still reads the fallback";
}

TEST_F(ChunkFailures, ASourceThatRefusesTooManyReadersSucceedsByRetries) {
    for (const int workers : {5, 3}) {
        open(workers);
        faults->set({.code = {EAGAIN, std::generic_category()}, .concurrent = 3, .gather = workers});
        std::vector<std::unique_ptr<ChunkService::Access>> accesses;
        for (std::int64_t n = 0; n < plan->grid.chunk_count(); ++n) accesses.push_back(pipeline->open(plan, n));
        for (std::int64_t n = 0; n < plan->grid.chunk_count(); ++n) {
            const auto read = [&] { return pipeline->read(*accesses[static_cast<std::size_t>(n)]); };
            EXPECT_TRUE(let_time_pass_until(read, 1ms) == as(Quality::enhanced, n)) << n;
        }
        EXPECT_EQ(count("failed"), 0u);
        EXPECT_EQ(count("retry") > 0, workers == 5);
    }
}

TEST_F(ChunkFailures, ASourceThatHangsIsGivenUpAndNobodyElseNotices) {
    const auto other_file = folder / "other.wav";
    test::write_wav(other_file, test::restless_noise(12, {8000, 2}, 5).block(), 8000);
    const PlanPtr other = plan_of(other_file, {.grid = {5, 1, 1}});
    open(2);
    faults->set({.times = 2, .from_frame = 60'000, .blocks = true});
    auto access = pipeline->open(plan, 1);
    ASSERT_TRUE(eventually([&] { return faults->blocked() == 1; }));
    EXPECT_TRUE(pipeline->read(other, 0) == rendered_alone(*other, 0)) << "beside a blocked worker";

    const ByteVector bytes = let_time_pass_until([&] { return pipeline->read(*access); }, 5s);
    EXPECT_EQ(bytes.size(), chunk_layout(*plan, 1).total_bytes());
    EXPECT_EQ(faults->blocked(), 2) << "tried again with a fresh handle, once";
    EXPECT_TRUE(eventually([&] { return pipeline->diary.chunks("silent") == std::vector<std::int64_t>{1}; }));
    EXPECT_EQ(pipeline->diary.last_failure(), kTimeout);
    EXPECT_EQ(pipeline->scheduler.counts().written_off, 2u);
    EXPECT_TRUE(pipeline->read(other, 1) == rendered_alone(*other, 1)) << "on workers that took their place";
    EXPECT_TRUE(listen(2) == as(Quality::silent, 2)) << "the whole source is known to hang";
    EXPECT_EQ(faults->opened(), 2 + 2) << "and is not touched for it";

    const auto before = bytes;
    faults->release();
    EXPECT_TRUE(eventually([&] { return pipeline->scheduler.counts().written_off == 0; }));
    EXPECT_TRUE(pipeline->read(*access) == before) << "what comes back late changes nothing";
    EXPECT_TRUE(eventually([&] { return pipeline->chunks.fallback_chunks(*plan, 0, 4).empty(); }));
    EXPECT_TRUE(listen(2) == as(Quality::enhanced, 2)) << "and is tried again at once";
}

TEST_F(ChunkFailures, AWorkerThatComesBackLateWritesNothing) {
    open(2);
    faults->set({.times = 1, .from_frame = 60'000, .blocks = true});
    auto access = pipeline->open(plan, 1);
    ASSERT_TRUE(eventually([&] { return faults->blocked() == 1; }));
    pipeline->scheduler.write_off_stuck(pipeline->timers.now(), 30s);
    pipeline->timers.pass(31s);
    pipeline->scheduler.write_off_stuck(pipeline->timers.now(), 30s);
    ASSERT_EQ(count("retry"), 1u);
    faults->release();  // it goes on while nobody else is at the chunk
    ASSERT_TRUE(eventually([&] { return pipeline->scheduler.counts().written_off == 0; }));
    EXPECT_FALSE(access->ready()) << "its work does not count";
    EXPECT_TRUE(let_time_pass_until([&] { return pipeline->read(*access); }, 50ms) == as(Quality::enhanced, 1));
}

TEST_F(ChunkFailures, WhenEveryWorkerHangsTheRestIsRefusedAndNotTakenForHung) {
    const auto other_file = folder / "other.wav";
    test::write_wav(other_file, test::restless_noise(12, {8000, 2}, 5).block(), 8000);
    const PlanPtr other = plan_of(other_file, {.grid = {5, 1, 1}});
    open(1);
    faults->set({.blocks = true});
    auto hung = pipeline->open(plan, 1);
    auto waiting = pipeline->open(other, 0);
    const auto refused = [&] {
        pipeline->scheduler.write_off_stuck(pipeline->timers.now(), 30s);
        pipeline->timers.pass(10s);
        return waiting->refused();
    };
    // The first hang costs the worker; what waits is begun by the one that takes its place, and hangs as well.
    EXPECT_TRUE(eventually([&] { return refused() || (waiting->failed() || waiting->ready()); }));
    auto joining = pipeline->open(other, 1);
    EXPECT_TRUE(eventually([&] {
        pipeline->scheduler.write_off_stuck(pipeline->timers.now(), 30s);
        pipeline->timers.pass(10s);
        return joining->refused() || joining->ready();
    }));
    faults->clear();
    faults->release();
    ASSERT_TRUE(eventually([&] { return pipeline->scheduler.counts().written_off == 0; }));
    EXPECT_TRUE(eventually([&] { return pipeline->chunks.fallback_chunks(*other, 0, 1).empty(); }));
    EXPECT_TRUE(pipeline->read(other, 1) == rendered_alone(*other, 1));
}

TEST_F(ChunkFailures, AListenerThatJoinsAPauseMayBeRefused) {
    open(1);
    faults->set({.times = 1, .code = kPasses});
    auto background = pipeline->open(plan, 1, TaskClass::batch);
    ASSERT_TRUE(eventually([&] { return count("retry") == 1; }));
    pipeline->scheduler.stop();
    auto listener = pipeline->open(plan, 1);
    std::vector<std::byte> out(100);
    EXPECT_THROW(listener->read(0, out, present), WorkRefused);
    EXPECT_TRUE(background->failed());
}

TEST_F(ChunkFailures, AFallbackUnderWayIsNotJoinedOnceItsFailureIsForgotten) {
    open(2);
    faults->set({.code = kStays});
    listen(1);
    faults->set({.times = 1, .blocks = true});
    auto fallback = pipeline->open(plan, 1);  // plain, as the last time
    ASSERT_TRUE(eventually([&] { return faults->blocked() == 1; }));
    pipeline->chunks.forget_failure(*plan, 1);
    EXPECT_TRUE(listen(1) == as(Quality::enhanced, 1));
    EXPECT_GT(pipeline->chunks.fallbacks_begun(*plan), 0u) << "and what was served before is told apart for good";
}

TEST_F(ChunkFailures, ALookAheadInAPauseIsHastenedByItsListener) {
    open(1);
    faults->set({.times = 1, .code = kPasses});
    auto access = pipeline->open(plan, 1, TaskClass::look_ahead);
    ASSERT_TRUE(eventually([&] { return count("retry") == 1; }));
    access->hasten({TaskClass::listener});
    EXPECT_TRUE(pipeline->read(*access) == as(Quality::enhanced, 1)) << "though no time passes at all";
}

TEST_F(ChunkFailures, AReplacedSourceEndsTheStreamAndIsNeverMadeUpFor) {
    open();
    auto access = pipeline->open(plan, 1);
    EXPECT_TRUE(pipeline->read(*access) == as(Quality::enhanced, 1));
    test::write_wav(folder / "new.wav", test::restless_noise(28.2, {8000, 2}, 9).block(), 8000);
    std::filesystem::rename(folder / "new.wav", file);
    std::vector<std::byte> out(100);
    EXPECT_THROW(pipeline->open(plan, 2)->read(0, out, present), ChunkError);
    EXPECT_EQ(count("retry"), 0u);
    EXPECT_TRUE(pipeline->chunks.fallback_chunks(*plan, 0, 4).empty());
}

TEST_F(ChunkFailures, ARenderThatNobodyWantsAnyMoreIsStopped) {
    open(1);
    faults->set({.times = 1, .blocks = true});
    auto one = pipeline->open(plan, 1);
    auto two = pipeline->open(plan, 1);
    ASSERT_TRUE(eventually([&] { return faults->blocked() == 1; }));
    one.reset();
    two.reset();
    EXPECT_EQ(pipeline->chunks.state(*plan, 1), ChunkService::State::absent);
    faults->release();
    EXPECT_TRUE(eventually([&] { return count("dropped") == 1; }));
    EXPECT_TRUE(pipeline->comes_to_rest());
    EXPECT_FALSE(pipeline->cache.contains(plan->key(1)));
    EXPECT_EQ(count("failed"), 0u);
    EXPECT_TRUE(listen(1) == as(Quality::enhanced, 1));
}

TEST_F(ChunkFailures, ARetryThatNobodyWantsAnyMoreIsNotMade) {
    open();
    faults->set({.code = kPasses});
    auto access = pipeline->open(plan, 1, TaskClass::batch);
    ASSERT_TRUE(eventually([&] { return count("retry") == 1; }));
    access.reset();
    pipeline->timers.pass(1min);
    EXPECT_TRUE(pipeline->comes_to_rest());
    EXPECT_EQ(count("started"), 1u);
    EXPECT_EQ(count("dropped"), 1u);
    EXPECT_TRUE(pipeline->chunks.fallback_chunks(*plan, 0, 4).empty()) << "one failure that can pass proves nothing";
}

TEST_F(ChunkFailures, ABatchIsToldInsteadOfGivenSomethingElse) {
    pipeline = std::make_unique<Pipeline>(
        Pipeline::kRoomy, 2, ChunkServiceOptions{.falls_back = false, .open = DecoderFaults::opener(faults)});
    faults->set({.code = kStays});
    std::vector<std::byte> out(100);
    EXPECT_THROW(pipeline->open(plan, 1)->read(0, out, present), ChunkError);
}

}  // namespace
}  // namespace lacquer
