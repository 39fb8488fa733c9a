#include "src/growing_chunk.h"

#include <algorithm>
#include <future>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/signals.h"

namespace lacquer {
namespace {

using namespace std::chrono_literals;

std::byte pattern(std::uint64_t offset) {
    return static_cast<std::byte>(offset * 2654435761u >> 13);
}

void append(GrowingChunk& chunk, std::uint64_t bytes) {
    const std::uint64_t from = chunk.ready_bytes();
    const auto room = chunk.room().first(bytes);
    for (std::uint64_t i = 0; i < bytes; ++i) room[i] = pattern(from + i);
    chunk.appended(bytes);
}

bool as_written(std::span<const std::byte> bytes, std::uint64_t offset) {
    for (std::size_t i = 0; i < bytes.size(); ++i)
        if (bytes[i] != pattern(offset + i)) return false;
    return true;
}

TEST(GrowingChunk, ReadersSeeTheBytesAsTheyComeInOrderAndWhole) {
    constexpr std::uint64_t kBytes = 300'000;
    GrowingChunk chunk(kBytes);
    std::vector<std::jthread> readers;
    std::vector<std::uint64_t> torn(6, 0), got(6, 0);
    for (std::size_t r = 0; r < torn.size(); ++r) {
        readers.emplace_back([&, r] {
            test::Random random(r);
            std::vector<std::byte> out(5000);
            std::uint64_t at = 0;
            while (at < kBytes) {
                const auto wish = std::min<std::uint64_t>(1 + random.below(out.size()), kBytes - at);
                const std::size_t count = chunk.read(at, {out.data(), wish}, 1min);
                if (count == 0) return;
                if (count > wish || !as_written({out.data(), count}, at)) ++torn[r];
                at += count;
                got[r] = at;
            }
        });
    }
    test::Random random(99);
    while (chunk.ready_bytes() < kBytes) {
        append(chunk, std::min<std::uint64_t>(1 + random.below(3000), kBytes - chunk.ready_bytes()));
        if (random.below(8) == 0) std::this_thread::sleep_for(50us);
    }
    EXPECT_EQ(chunk.stored(), std::nullopt);
    chunk.complete(true);
    readers.clear();
    EXPECT_EQ(torn, std::vector<std::uint64_t>(6, 0));
    EXPECT_EQ(got, std::vector<std::uint64_t>(6, kBytes));
    EXPECT_EQ(chunk.stored(), true);
    EXPECT_TRUE(as_written(chunk.bytes(), 0));
}

TEST(GrowingChunk, GivesWhatIsThereWithoutWaitingForTheRest) {
    GrowingChunk chunk(100);
    append(chunk, 30);
    std::vector<std::byte> out(80);
    EXPECT_EQ(chunk.read(10, out, 1min), 20u);
    EXPECT_TRUE(as_written({out.data(), 20}, 10));
}

TEST(GrowingChunk, AReaderInNoHurryGetsAsMuchAsItAskedForAndKeepsNobodyElseWaiting) {
    GrowingChunk chunk(1000);
    std::vector<std::byte> slice(300), first(300);
    auto patient = std::async(std::launch::async, [&] { return chunk.read(0, slice, 10min, 300); });
    auto hasty = std::async(std::launch::async, [&] { return chunk.read(0, first, 10min); });
    append(chunk, 10);
    const std::size_t count = hasty.get();  // while the other one still waits
    EXPECT_GE(count, 10u);
    while (chunk.ready_bytes() < 1000) append(chunk, 10);
    EXPECT_EQ(patient.get(), 300u);
    EXPECT_TRUE(as_written(slice, 0));
    EXPECT_EQ(chunk.read(0, slice, 0ms, 5000), 300u) << "never more than fit";
}

TEST(GrowingChunk, AReaderInNoHurryTakesWhatThereIsWhenItsPatienceEnds) {
    GrowingChunk chunk(1000);
    append(chunk, 10);
    std::vector<std::byte> out(300);
    EXPECT_EQ(chunk.read(0, out, 5ms, 300), 10u);
    chunk.fail("the disk is gone");
    EXPECT_EQ(chunk.read(0, out, 10min, 300), 10u);
}

TEST(GrowingChunk, FailureWakesWhoWaitsAndLeavesTheBytesBeforeItReadable) {
    GrowingChunk chunk(100);
    append(chunk, 30);
    auto waiting = std::async(std::launch::async, [&] {
        std::vector<std::byte> out(10);
        return chunk.read(30, out, 10min);
    });
    chunk.fail("the disk is gone");
    EXPECT_EQ(waiting.get(), 0u);
    EXPECT_EQ(chunk.failure(), "the disk is gone");
    EXPECT_EQ(chunk.stored(), std::nullopt);
    std::vector<std::byte> out(30);
    EXPECT_EQ(chunk.read(0, out, 10min), 30u);
}

TEST(GrowingChunk, PatienceEnds) {
    GrowingChunk chunk(100);
    append(chunk, 30);
    std::vector<std::byte> out(10);
    EXPECT_EQ(chunk.read(30, out, 5ms), 0u);
    EXPECT_EQ(chunk.read(30, out, 0ms), 0u);
    EXPECT_EQ(chunk.failure(), std::nullopt);
    append(chunk, 1);
    EXPECT_EQ(chunk.read(30, out, 5ms), 1u);
}

}  // namespace
}  // namespace lacquer
