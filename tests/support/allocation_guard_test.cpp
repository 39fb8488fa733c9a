#include "tests/support/allocation_guard.h"

#include <memory>
#include <new>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/audio_block.h"

namespace lacquer::test {
namespace {

TEST(AllocationGuard, CountsEveryFormOfNew) {
    AllocationGuard guard;
    EXPECT_EQ(guard.count(), 0u);
    std::vector<int> numbers(100);
    EXPECT_EQ(guard.count(), 1u);
    const dsp::AudioBuffer aligned(2, 64);
    EXPECT_EQ(guard.count(), 2u);
    ::operator delete(::operator new(8, std::nothrow), std::nothrow);
    EXPECT_EQ(guard.count(), 3u);
    EXPECT_EQ(guard.freed_count(), 1u);
}

TEST(AllocationGuard, IgnoresOtherThreads) {
    std::thread other;
    {
        AllocationGuard around_start;
        other = std::thread([] { std::vector<int> numbers(100); });
        EXPECT_GE(around_start.count(), 1u);  // the thread object itself
    }
    AllocationGuard guard;
    other.join();
    EXPECT_EQ(guard.count(), 0u);
}

}  // namespace
}  // namespace lacquer::test
