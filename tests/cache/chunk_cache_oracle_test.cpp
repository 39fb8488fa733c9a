// A random life of the cache against the simplest model of it: one list, walked from its end.
#include <algorithm>
#include <list>
#include <random>

#include "tests/cache/fixture.h"

namespace lacquer::test {
namespace {

struct Model {
    struct Entry {
        std::uint32_t number;
        std::uint64_t pages;
    };
    std::uint64_t capacity_pages;
    std::list<Entry> entries{};  // front = most recently used

    std::uint64_t pages() const {
        std::uint64_t sum = 0;
        for (const auto& entry : entries) sum += entry.pages;
        return sum;
    }
    auto find(std::uint32_t number) {
        return std::find_if(entries.begin(), entries.end(), [=](const Entry& entry) { return entry.number == number; });
    }
    bool open(std::uint32_t number) {
        const auto found = find(number);
        if (found == entries.end()) return false;
        entries.splice(entries.begin(), entries, found);
        return true;
    }
    void remove(std::uint32_t number) {
        if (const auto found = find(number); found != entries.end()) entries.erase(found);
    }
    bool insert(std::uint32_t number, std::uint64_t pages_wanted) {
        if (pages_wanted > capacity_pages) return false;
        if (pages() + pages_wanted > capacity_pages) remove(number);
        while (pages() + pages_wanted > capacity_pages) entries.pop_back();
        remove(number);
        entries.push_front({number, pages_wanted});
        return true;
    }
};

class OracleTest : public ChunkCacheTest, public testing::WithParamInterface<unsigned> {};

TEST_P(OracleTest, SameSurvivorsAsASimpleList) {
    constexpr std::uint32_t kKeys = 40;
    constexpr std::uint64_t kCapacityPages = 50;
    std::mt19937 random(GetParam());
    const auto below = [&](std::uint32_t bound) { return static_cast<std::uint32_t>(random() % bound); };
    Model model{kCapacityPages};
    open_cache(kCapacityPages);
    for (int step = 0; step < 1500; ++step) {
        const auto number = below(kKeys);
        const auto choice = below(100);
        if (choice < 50) {
            const std::uint64_t pages = below(50) == 0 ? 51 : 1 + below(6);
            ASSERT_EQ(put(number, pages), model.insert(number, pages)) << step;
        } else if (choice < 92) {
            ASSERT_EQ(reads_back(number), model.open(number)) << step;
        } else if (choice < 98) {
            cache->remove(key(number));
            model.remove(number);
        } else {
            restart();
        }
        ASSERT_EQ(cache->stats().bytes, model.pages() * kPage) << step;
        ASSERT_EQ(cache->stats().entries, model.entries.size()) << step;
        for (std::uint32_t other = 0; other < kKeys; ++other)
            ASSERT_EQ(has(other), model.find(other) != model.entries.end()) << step << ' ' << other;
    }
    EXPECT_EQ(allocated_on_disk(), model.pages() * kPage);
    EXPECT_EQ(cache->verify(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, OracleTest, testing::Values(1u, 2u, 3u, 4u));

}  // namespace
}  // namespace lacquer::test
