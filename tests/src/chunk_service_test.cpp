#include "src/chunk_service.h"

#include <barrier>
#include <fstream>

#include "tests/cache/breakable_files.h"
#include "tests/src/fixture.h"

namespace lacquer {
namespace {

using test::ByteVector;
using test::eventually;
using test::Pipeline;
using test::plan_of;
using test::present;
using test::rendered_alone;
using test::Roadblock;

class ChunkServiceTest : public testing::Test {
protected:
    ChunkServiceTest() {
        test::write_wav(file, test::restless_noise(28.2, {8000, 2}).block(), 8000);
        plan = plan_of(file, {.grid = {5, 1, 0}, .request = {dsp::PresetId::night}});
        for (std::int64_t n = 0; n < plan->grid.chunk_count(); ++n) expected.push_back(rendered_alone(*plan, n));
    }
    std::int64_t last() const { return plan->grid.chunk_count() - 1; }
    const ByteVector& bytes_of(std::int64_t n) const { return expected[static_cast<std::size_t>(n)]; }
    // The cache's one file.
    static std::filesystem::path stored_file(const Pipeline& pipeline) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(pipeline.directory.path()))
            if (entry.path().extension() == ".chunk") return entry.path();
        return {};
    }

    test::TempDir folder;
    const std::filesystem::path file = folder / "source.wav";
    PlanPtr plan;
    std::vector<ByteVector> expected;  // by chunk
};

TEST_F(ChunkServiceTest, HoweverManyAskAChunkIsRenderedOnce) {
    Pipeline pipeline;
    std::barrier together(16);
    std::vector<ByteVector> answers(16);
    {
        std::vector<std::jthread> readers;
        for (ByteVector& answer : answers) {
            readers.emplace_back([&] {
                together.arrive_and_wait();
                answer = pipeline.read(plan, 1);
            });
        }
    }
    for (const ByteVector& answer : answers) EXPECT_TRUE(answer == bytes_of(1));
    EXPECT_TRUE(pipeline.comes_to_rest());
    EXPECT_EQ(pipeline.diary.count("started"), 1u);
    EXPECT_EQ(pipeline.diary.count("complete"), 1u);
}

TEST_F(ChunkServiceTest, TheBytesAreTheSameWhateverTheOrderAndTheWorkers) {
    for (const auto& order : {std::vector<std::int64_t>{0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}, {3, 0, 4, 1, 2}}) {
        for (const int workers : {1, 4}) {
            Pipeline pipeline(Pipeline::kRoomy, workers);
            std::vector<std::unique_ptr<ChunkService::Access>> accesses;
            for (const std::int64_t n : order) accesses.push_back(pipeline.open(plan, n));
            for (std::size_t i = 0; i < order.size(); ++i) {
                EXPECT_TRUE(pipeline.read(*accesses[i]) == bytes_of(order[i]));
            }
            accesses.clear();
            for (const std::int64_t n : order) EXPECT_TRUE(pipeline.read(plan, n) == bytes_of(n)) << "from the cache";
            EXPECT_EQ(pipeline.diary.count("started"), order.size());
        }
    }
}

TEST_F(ChunkServiceTest, TheBytesSurviveARestart) {
    const test::TempDir directory;
    for (int run = 0; run < 2; ++run) {
        cache::ChunkCache cache(directory.path(), Pipeline::kRoomy);
        Scheduler scheduler(1);
        test::ChunkDiary diary;
        test::ManualTimers timers;
        ChunkService chunks(cache, scheduler, timers, diary);
        ByteVector bytes(bytes_of(2).size());
        EXPECT_TRUE(chunks.open(plan, 2, {TaskClass::listener})->read_all(0, bytes, present));
        EXPECT_TRUE(bytes == bytes_of(2));
        scheduler.stop();
        EXPECT_EQ(diary.count("started"), run == 0 ? 1u : 0u);
    }
}

TEST_F(ChunkServiceTest, ARenderNobodyWantsAnyMoreIsDroppedBeforeItStarts) {
    Pipeline pipeline(Pipeline::kRoomy, 1);
    Roadblock road(pipeline.scheduler);
    auto one = pipeline.open(plan, 1);
    auto other = pipeline.open(plan, 1);
    EXPECT_EQ(pipeline.chunks.state(*plan, 1), ChunkService::State::waiting);
    one.reset();
    EXPECT_EQ(pipeline.diary.count("dropped"), 0u);
    other.reset();
    EXPECT_EQ(pipeline.diary.chunks("dropped"), std::vector<std::int64_t>{1});
    EXPECT_EQ(pipeline.chunks.state(*plan, 1), ChunkService::State::absent);
    EXPECT_EQ(pipeline.scheduler.waiting(), 0u);
    road.open();
    EXPECT_TRUE(pipeline.read(plan, 1) == bytes_of(1));
    EXPECT_EQ(pipeline.diary.count("started"), 1u);
}

TEST_F(ChunkServiceTest, AMoreUrgentReaderMovesTheRenderForward) {
    Pipeline pipeline(Pipeline::kRoomy, 1);
    Roadblock road(pipeline.scheduler);
    const auto a = pipeline.open(plan, 0, TaskClass::rest_of_track);
    const auto b = pipeline.open(plan, 1, TaskClass::batch);
    const auto c = pipeline.open(plan, 2, TaskClass::batch);
    const auto b_again = pipeline.open(plan, 1, TaskClass::listener);
    c->hasten({TaskClass::look_ahead});
    road.open();
    EXPECT_TRUE(pipeline.comes_to_rest());
    EXPECT_EQ(pipeline.diary.chunks("started"), (std::vector<std::int64_t>{1, 2, 0}));
}

TEST_F(ChunkServiceTest, BytesCanBeReadBeforeTheChunkIsComplete) {
    Pipeline pipeline;
    const auto access = pipeline.open(plan, 0);
    std::byte first{};
    ASSERT_EQ(access->read(0, {&first, 1}, present), 1u);
    EXPECT_EQ(first, bytes_of(0)[0]);
    ByteVector end(100);  // asks for more than there is: gets up to the end of the chunk
    ASSERT_EQ(access->read(bytes_of(0).size() - 1, end, present), 1u);
    EXPECT_EQ(end[0], bytes_of(0).back());
}

TEST_F(ChunkServiceTest, AListenerThatLeavesIsLetGo) {
    Pipeline pipeline(Pipeline::kRoomy, 1);
    const Roadblock road(pipeline.scheduler);
    const auto access = pipeline.open(plan, 0);
    ByteVector out(10);
    int asked = 0;
    EXPECT_EQ(access->read(0, out, [&] { return ++asked < 2; }), 0u);
    EXPECT_EQ(asked, 2);
    EXPECT_FALSE(access->read_all(0, out, [] { return false; }));
}

TEST_F(ChunkServiceTest, ADamagedEntryIsRenderedAgainInTheMiddleOfARead) {
    Pipeline pipeline;
    pipeline.read(plan, 2);
    EXPECT_TRUE(pipeline.comes_to_rest());
    const auto stored = stored_file(pipeline);
    ASSERT_FALSE(stored.empty());
    const auto access = pipeline.open(plan, 2);
    ByteVector bytes(bytes_of(2).size());
    ASSERT_TRUE(access->read_all(0, std::span(bytes).first(1000), present));
    std::fstream file_in_cache(stored, std::ios::binary | std::ios::in | std::ios::out);
    file_in_cache.seekp(static_cast<std::streamoff>(std::filesystem::file_size(stored) - 500));
    file_in_cache.put('\x55').put('\xaa').flush();
    ASSERT_TRUE(access->read_all(1000, std::span(bytes).subspan(1000), present));
    EXPECT_TRUE(bytes == bytes_of(2));
    EXPECT_EQ(pipeline.diary.chunks("started"), (std::vector<std::int64_t>{2, 2}));
    EXPECT_EQ(pipeline.cache.stats().corrupt, 1u);
}

TEST_F(ChunkServiceTest, AnEntryThatIsGoneIsRenderedAgain) {
    Pipeline pipeline;
    pipeline.read(plan, 2);
    EXPECT_TRUE(pipeline.comes_to_rest());
    std::filesystem::remove(stored_file(pipeline));
    EXPECT_TRUE(pipeline.read(plan, 2) == bytes_of(2));
    EXPECT_EQ(pipeline.diary.count("started"), 2u);
}

TEST_F(ChunkServiceTest, AnEntryOfTheWrongSizeIsRenderedAgain) {
    Pipeline pipeline;
    pipeline.cache.insert(plan->key(2), ByteVector(77));
    EXPECT_TRUE(pipeline.read(plan, 2) == bytes_of(2));
}

TEST_F(ChunkServiceTest, AnEntryThatCannotBeOpenedForNowIsRenderedInstead) {
    test::DiskMeter meter;
    test::Faults faults;
    const test::TempDir directory;
    cache::ChunkCache cache(directory.path(), Pipeline::kRoomy, std::make_unique<test::BreakableFiles>(meter, &faults));
    cache.insert(plan->key(2), bytes_of(2));
    faults.may_open = false;  // too many open files, say: the entry stays
    Scheduler scheduler(1);
    test::ChunkDiary diary;
    test::ManualTimers timers;
    ChunkService chunks(cache, scheduler, timers, diary);
    ByteVector bytes(bytes_of(2).size());
    EXPECT_TRUE(chunks.open(plan, 2, {TaskClass::listener})->read_all(0, bytes, present));
    EXPECT_TRUE(bytes == bytes_of(2));
    scheduler.stop();
}

TEST_F(ChunkServiceTest, AChunkThatCannotBeStoredIsServedFromMemoryForAsLongAsSomeoneReads) {
    Pipeline pipeline(4096);
    auto one = pipeline.open(plan, 0);
    EXPECT_TRUE(pipeline.read(*one) == bytes_of(0));
    EXPECT_TRUE(pipeline.comes_to_rest());
    EXPECT_TRUE(one->ready());
    EXPECT_EQ(pipeline.cache.stats().failed_writes, 1u);
    EXPECT_EQ(pipeline.chunks.state(*plan, 0), ChunkService::State::ready);
    auto other = pipeline.open(plan, 0);
    one.reset();
    EXPECT_TRUE(pipeline.read(*other) == bytes_of(0));
    EXPECT_EQ(pipeline.diary.count("started"), 1u);
    other.reset();
    EXPECT_EQ(pipeline.chunks.state(*plan, 0), ChunkService::State::absent);
    EXPECT_TRUE(pipeline.read(plan, 0) == bytes_of(0));
    EXPECT_EQ(pipeline.diary.count("started"), 2u);
}

TEST_F(ChunkServiceTest, AFailureIsToldAndOverOnceTheSourceIsRepaired) {
    Pipeline pipeline;
    std::filesystem::rename(file, folder / "away.wav");
    const auto broken = pipeline.open(plan, 1);
    ByteVector out(10);
    EXPECT_THROW(broken->read(0, out, present), ChunkError);
    EXPECT_TRUE(broken->failed());
    EXPECT_FALSE(broken->ready());
    EXPECT_TRUE(eventually([&] { return pipeline.diary.count("failed") == 1; }));
    EXPECT_FALSE(pipeline.diary.last_failure().empty());
    EXPECT_EQ(pipeline.chunks.state(*plan, 1), ChunkService::State::absent);
    std::filesystem::rename(folder / "away.wav", file);
    EXPECT_TRUE(pipeline.read(plan, 1) == bytes_of(1));
    EXPECT_THROW(broken->read(0, out, present), ChunkError) << "an access keeps its answer";
}

TEST_F(ChunkServiceTest, StoppingFailsTheRunningRenderAndWakesItsReaders) {
    Pipeline pipeline(Pipeline::kRoomy, 1);
    test::write_wav(folder / "long.wav", test::restless_noise(240, {8000, 2}).block(), 8000);
    const PlanPtr slow = plan_of(folder / "long.wav", {.grid = {120, 0, 1}});
    const auto access = pipeline.open(slow, 1);
    EXPECT_TRUE(eventually([&] { return pipeline.diary.count("started") == 1; }));
    pipeline.scheduler.stop();
    if (pipeline.diary.count("complete") == 1) GTEST_SKIP() << "was quicker than the stop";
    EXPECT_TRUE(access->failed());
    EXPECT_EQ(pipeline.diary.count("dropped"), 1) << "stopping is no failure of the chunk";
    EXPECT_FALSE(pipeline.cache.contains(slow->key(1)));
}

// Eight readers over a cache that holds two chunks: joining, leaving, evicting and dropping all at once.
TEST_F(ChunkServiceTest, NoReaderEverSeesAWrongByteWhileChunksComeAndGo) {
    Pipeline pipeline(2 * bytes_of(1).size() + 20'000, 3);
    std::atomic<int> wrong = 0;
    {
        std::vector<std::jthread> readers;
        for (std::uint64_t r = 0; r < 8; ++r) {
            readers.emplace_back([&, r] {
                test::Random random(r);
                for (int i = 0; i < 25; ++i) {
                    const auto n = static_cast<std::int64_t>(random.below(expected.size()));
                    const auto access = pipeline.open(plan, n, static_cast<TaskClass>(random.below(4)));
                    if (random.below(3) == 0) continue;
                    const std::size_t from = random.below(bytes_of(n).size());
                    ByteVector out(1 + random.below(bytes_of(n).size() - from));
                    const bool heard = access->read_all(from, out, present);
                    const auto begin = bytes_of(n).begin() + static_cast<std::ptrdiff_t>(from);
                    if (!heard || !std::equal(out.begin(), out.end(), begin)) ++wrong;
                }
            });
        }
    }
    EXPECT_EQ(wrong, 0);
    EXPECT_TRUE(pipeline.comes_to_rest());
    for (std::int64_t n = 0; n <= last(); ++n) {
        EXPECT_EQ(pipeline.chunks.state(*plan, n) == ChunkService::State::ready, pipeline.cache.contains(plan->key(n)));
    }
}

}  // namespace
}  // namespace lacquer
