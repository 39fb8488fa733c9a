// Many threads at once: the cap is held at every instant and every byte served is the right one.
#include <atomic>
#include <random>
#include <thread>

#include "tests/cache/fixture.h"

namespace lacquer::test {
namespace {

constexpr unsigned kThreads = 8;
constexpr std::uint32_t kKeys = 60;
constexpr std::uint64_t kCapacityPages = 120;

class ThreadsTest : public ChunkCacheTest {
protected:
    void SetUp() override {
        cache = std::make_unique<cache::ChunkCache>(directory(), kCapacityPages * kPage,
                                                    std::make_unique<BreakableFiles>(meter, nullptr));
    }

    void live_randomly(unsigned seed, int steps) {
        std::mt19937 random(seed);
        std::optional<cache::ChunkReader> held;  // keeps something in use, as a listener does
        std::uint32_t held_number = 0;
        for (int step = 0; step < steps; ++step) {
            const auto number = static_cast<std::uint32_t>(random() % kKeys);
            const auto choice = random() % 100;
            if (choice < 45) {
                put(number, 1 + random() % 20, choice < 5 ? cache::Keep::longer : cache::Keep::normal);
            } else if (choice < 90) {
                if (held && !reads_back(*held, held_number)) ++wrong_reads;
                held = cache->open(key(number));
                held_number = number;
            } else if (choice < 98) {
                cache->remove(key(number));
            } else {
                held.reset();
                cache->contains(key(number));
            }
            if (cache->stats().bytes > kCapacityPages * kPage) ++cap_exceeded;
        }
        if (held && !reads_back(*held, held_number)) ++wrong_reads;
    }

    void run_in_threads(unsigned first_seed, int steps) {
        std::vector<std::jthread> threads;
        for (unsigned thread = 0; thread < kThreads; ++thread)
            threads.emplace_back([this, first_seed, thread, steps] { live_randomly(first_seed + thread, steps); });
    }

    std::atomic<int> wrong_reads = 0;
    std::atomic<int> cap_exceeded = 0;
};

TEST_F(ThreadsTest, CapIsHeldAtEveryInstant) {
    for (unsigned round = 0; round < 10; ++round) {
        run_in_threads(round * kThreads, 80);
        EXPECT_LE(allocated_on_disk(), kCapacityPages * kPage);
        EXPECT_EQ(allocated_on_disk(), cache->stats().bytes) << "nothing is in use now";
        EXPECT_EQ(meter.live_bytes(), cache->stats().bytes);
    }
    EXPECT_EQ(cap_exceeded, 0);
    EXPECT_EQ(wrong_reads, 0);
    EXPECT_LE(meter.peak_bytes(), kCapacityPages * kPage) << "files being written and unlinked ones in use included";
    EXPECT_GT(meter.peak_bytes(), kCapacityPages * kPage * 9 / 10) << "else this proves nothing";
    EXPECT_GT(cache->stats().evictions, 100u);
    EXPECT_EQ(cache->stats().corrupt, 0u);
    EXPECT_EQ(cache->verify(), 0u);
}

TEST_F(ThreadsTest, ReadersOfOneChunkSurviveItsReplacementAndRemoval) {
    put(1, 20);
    std::atomic<bool> stop = false;
    std::jthread churn([&] {
        for (int round = 0; round < 300; ++round) {
            put(1, 20);
            if (round % 7 == 0) cache->remove(key(1));
        }
        stop = true;
    });
    std::vector<std::jthread> readers;
    for (int thread = 0; thread < 3; ++thread)
        readers.emplace_back([&] {
            while (!stop)
                if (auto reader = cache->open(key(1)); reader && !reads_back(*reader, 1)) ++wrong_reads;
        });
    readers.clear();
    churn.join();
    EXPECT_EQ(wrong_reads, 0);
    EXPECT_EQ(cache->stats().corrupt, 0u);
}

}  // namespace
}  // namespace lacquer::test
