#include "src/background_renders.h"

#include "tests/src/faulty_decoder.h"
#include "tests/src/fixture.h"

namespace lacquer {
namespace {

using test::ByteVector;
using test::eventually;
using test::Pipeline;
using test::plan_of;
using test::Roadblock;

class BackgroundRendersTest : public testing::Test {
protected:
    BackgroundRendersTest() {
        test::write_wav(folder / "a.wav", test::white_noise(1, -20, 40, {8000, 1}).block(), 8000);
        plan = plan_of(folder / "a.wav", {.request = {.intensity = 0.0}});
        other = plan_of(folder / "a.wav", {.format = dsp::SampleFormat::s24, .request = {.intensity = 0.0}});
    }
    void open(std::uint64_t capacity_bytes = Pipeline::kRoomy, int workers = 1, ChunkServiceOptions options = {}) {
        pipeline = std::make_unique<Pipeline>(capacity_bytes, workers, std::move(options));
        background = std::make_unique<BackgroundRenders>(pipeline->chunks, pipeline->cache);
        pipeline->diary.on_change([this] { background->poke(); });
    }
    // So that a playhead's share is this many chunks when there is one job.
    static std::uint64_t capacity_for(const PlanPtr& plan, std::uint64_t chunks_ahead) {
        return 4 * chunks_ahead * chunk_layout(*plan, 0).total_bytes() + 100;
    }
    std::vector<std::int64_t> started() const { return pipeline->diary.chunks("started"); }
    std::vector<std::int64_t> started_sorted() const {
        auto chunks = started();
        std::sort(chunks.begin(), chunks.end());
        return chunks;
    }
    // As long as it takes for the pump to have thought about everything several times over.
    void settle() {
        for (int i = 0; i < 20; ++i) {
            background->poke();
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
            EXPECT_TRUE(pipeline->comes_to_rest());
        }
    }
    // The same while the worker is kept busy: this many renders wait, and go on to.
    void settle_waiting(std::size_t renders) {
        EXPECT_TRUE(eventually([&] { return pipeline->scheduler.waiting() == renders; }));
        for (int i = 0; i < 20; ++i) {
            background->poke();
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        EXPECT_EQ(pipeline->scheduler.waiting(), renders);
    }
    void TearDown() override {
        if (pipeline) pipeline->scheduler.stop();
        background.reset();
    }

    static constexpr std::int64_t kChunks = 8;
    test::TempDir folder;
    PlanPtr plan, other;
    std::unique_ptr<Pipeline> pipeline;
    std::unique_ptr<BackgroundRenders> background;
};

TEST_F(BackgroundRendersTest, TheRestOfTheTrackIsRenderedOnceSomeoneListens) {
    open(Pipeline::kRoomy, 2);
    const auto playhead = background->follow(plan);
    settle();
    EXPECT_TRUE(started().empty()) << "nobody has read anything yet";
    playhead->at(0);
    EXPECT_TRUE(background->active(*plan));
    EXPECT_TRUE(eventually([&] { return pipeline->chunks.ready_count(*plan) == kChunks; }));
    settle();
    EXPECT_EQ(started_sorted(), (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7})) << "each once";
}

TEST_F(BackgroundRendersTest, FromThePlayheadToTheEndAndThenFromTheBeginning) {
    open();
    Roadblock road(pipeline->scheduler);
    const auto playhead = background->follow(plan);
    playhead->at(5);
    settle_waiting(2);
    road.open();
    EXPECT_TRUE(eventually([&] { return pipeline->chunks.ready_count(*plan) == kChunks; }));
    EXPECT_EQ(started(), (std::vector<std::int64_t>{5, 6, 7, 0, 1, 2, 3, 4}));
}

TEST_F(BackgroundRendersTest, TheQueueFollowsThePlayhead) {
    open();
    Roadblock road(pipeline->scheduler);
    const auto playhead = background->follow(plan);
    playhead->at(0);
    EXPECT_TRUE(eventually([&] { return pipeline->scheduler.waiting() == 2; }));
    playhead->at(4);
    EXPECT_TRUE(eventually([&] { return pipeline->diary.count("dropped") == 2; }));
    settle_waiting(2);
    road.open();
    EXPECT_TRUE(eventually([&] { return pipeline->chunks.ready_count(*plan) == kChunks; }));
    EXPECT_EQ(started(), (std::vector<std::int64_t>{4, 5, 6, 7, 0, 1, 2, 3}));
}

TEST_F(BackgroundRendersTest, RunsAheadByTheSharesOfTheCacheAndNoFurther) {
    open(capacity_for(plan, 3));
    const auto playhead = background->follow(plan);
    playhead->at(0);
    EXPECT_TRUE(eventually([&] { return pipeline->chunks.ready_count(*plan) == 3; }));
    settle();
    EXPECT_EQ(started(), (std::vector<std::int64_t>{0, 1, 2}));
    playhead->at(2);
    EXPECT_TRUE(eventually([&] { return pipeline->chunks.ready_count(*plan) == 5; }));
    settle();
    EXPECT_EQ(started(), (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
}

TEST_F(BackgroundRendersTest, TwoJobsShareTheCache) {
    open(capacity_for(other, 4));
    Roadblock road(pipeline->scheduler);
    const auto one = background->follow(plan);
    const auto two = background->follow(other);
    one->at(0);
    two->at(3);
    EXPECT_TRUE(eventually([&] { return pipeline->scheduler.waiting() == 4; }));
    road.open();
    EXPECT_TRUE(eventually([&] { return pipeline->chunks.ready_count(*other) == 2; }));
    settle();
    EXPECT_EQ(pipeline->chunks.ready_count(*other), 2);
    EXPECT_LE(pipeline->chunks.ready_count(*plan), 3) << "its chunks are smaller";
}

TEST_F(BackgroundRendersTest, ARequestedTrackIsRenderedWithoutAListenerAndThenTheJobIsOver) {
    open();
    background->start(plan, 3);
    EXPECT_TRUE(eventually([&] { return !background->active(*plan); }));
    EXPECT_EQ(pipeline->chunks.ready_count(*plan), kChunks);
    EXPECT_EQ(started().front(), 3);
    background->start(plan);
    EXPECT_TRUE(eventually([&] { return !background->active(*plan); }));
    EXPECT_EQ(started().size(), static_cast<std::size_t>(kChunks)) << "all of it was there";
}

TEST_F(BackgroundRendersTest, TheJobGoesOnWhenTheListenerHasLeft) {
    open();
    Roadblock road(pipeline->scheduler);
    background->follow(plan)->at(2);
    settle_waiting(2);
    road.open();
    EXPECT_TRUE(eventually([&] { return !background->active(*plan); }));
    EXPECT_EQ(pipeline->chunks.ready_count(*plan), kChunks);
}

TEST_F(BackgroundRendersTest, CancellingDropsWhatWaitsAndLeavesTheListenersChunkAlone) {
    open();
    Roadblock road(pipeline->scheduler);
    EXPECT_FALSE(background->cancel(*plan));
    background->start(plan);
    settle_waiting(2);
    const auto listener = pipeline->open(plan, 1);
    EXPECT_TRUE(background->cancel(*plan));
    EXPECT_FALSE(background->active(*plan));
    EXPECT_TRUE(eventually([&] { return pipeline->scheduler.waiting() == 1; }));
    road.open();
    pipeline->read(*listener);
    settle();
    EXPECT_EQ(started(), std::vector<std::int64_t>{1});
}

TEST_F(BackgroundRendersTest, CancellingHoldsWhileTheListenerPlaysOn) {
    open();
    Roadblock road(pipeline->scheduler);
    const auto playhead = background->follow(plan);
    playhead->at(0);
    settle_waiting(2);
    EXPECT_TRUE(background->cancel(*plan));
    EXPECT_TRUE(eventually([&] { return pipeline->scheduler.waiting() == 0; }));
    playhead->at(1);
    settle_waiting(0);
    EXPECT_FALSE(background->active(*plan));
    EXPECT_FALSE(background->cancel(*plan));
    background->start(plan);  // asked for again
    EXPECT_TRUE(background->active(*plan));
    road.open();
    EXPECT_TRUE(eventually([&] { return pipeline->chunks.ready_count(*plan) == kChunks; }));
}

TEST_F(BackgroundRendersTest, NoChunkIsRenderedTwiceThoughTheCacheCannotHoldIt) {
    open(4096);
    const auto playhead = background->follow(plan);
    playhead->at(0);
    EXPECT_TRUE(eventually([&] { return pipeline->diary.count("complete") == 1; }));
    settle();
    EXPECT_EQ(started(), std::vector<std::int64_t>{0});
    playhead->at(1);
    EXPECT_TRUE(eventually([&] { return pipeline->diary.count("complete") == 2; }));
    settle();
    EXPECT_EQ(started(), (std::vector<std::int64_t>{0, 1}));
}

TEST_F(BackgroundRendersTest, ATrackThatCannotBeRenderedIsGivenUpNotRetriedForEver) {
    open();
    std::filesystem::remove(plan->source.path);
    background->start(plan);
    EXPECT_TRUE(eventually([&] { return !background->active(*plan); }));
    EXPECT_EQ(pipeline->diary.count("failed"), static_cast<std::size_t>(kChunks));
}

TEST_F(BackgroundRendersTest, ChunksThatAreKnownToFailHoldUpNoOther) {
    const auto faults = std::make_shared<test::DecoderFaults>();
    open(Pipeline::kRoomy, 1, {.open = test::DecoderFaults::opener(faults)});
    faults->set({.code = {EACCES, std::generic_category()}});
    for (const std::int64_t n : {0, 1, 2}) {
        auto access = pipeline->open(plan, n, TaskClass::batch);
        EXPECT_TRUE(eventually([&] { return access->failed(); }));
    }
    EXPECT_TRUE(pipeline->comes_to_rest());
    faults->clear();
    background->start(plan);
    EXPECT_TRUE(eventually([&] { return !background->active(*plan); }));
    EXPECT_EQ(pipeline->chunks.ready_count(*plan), kChunks - 3);
}

TEST_F(BackgroundRendersTest, WhatIsNearAPlayheadIsNotEvictedForWhatIsNot) {
    open(capacity_for(plan, 2));
    const auto playhead = background->follow(plan);
    playhead->at(1);
    EXPECT_TRUE(eventually([&] { return pipeline->chunks.ready_count(*plan) == 2; }));
    settle();
    for (std::int64_t n = 0; n < kChunks; ++n) pipeline->read(other, n);
    EXPECT_TRUE(pipeline->cache.contains(plan->key(1)));
    EXPECT_TRUE(pipeline->cache.contains(plan->key(2)));
}

TEST_F(BackgroundRendersTest, OnceTheListenerHasLeftNothingIsProtectedAnyMore) {
    open(capacity_for(plan, 2));
    auto playhead = background->follow(plan);
    playhead->at(1);
    EXPECT_TRUE(eventually([&] { return pipeline->chunks.ready_count(*plan) == 2; }));
    playhead.reset();
    EXPECT_TRUE(eventually([&] { return !background->active(*plan); }));
    settle();
    for (std::int64_t n = 0; n < kChunks; ++n) pipeline->read(other, n);
    EXPECT_FALSE(pipeline->cache.contains(plan->key(1)));
}

TEST_F(BackgroundRendersTest, AnEmptyTrackIsOverAtOnce) {
    open();
    test::write_wav(folder / "empty.wav", test::silence(0, {8000, 1}).block(), 8000);
    const PlanPtr empty = plan_of(folder / "empty.wav", {.request = {.intensity = 0.0}});
    background->start(empty);
    EXPECT_TRUE(eventually([&] { return !background->active(*empty); }));
}

}  // namespace
}  // namespace lacquer
