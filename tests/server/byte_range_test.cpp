#include "server/byte_range.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace lacquer::server {
namespace {

using Parts = std::vector<ByteRange>;

TEST(ByteRange, ResolvesTheExamplesOfRfc9110) {
    struct Row {
        const char* header;
        Parts parts;
    };
    const Row rows[] = {
        {"bytes=0-499", {{0, 500}}},
        {"bytes=500-999", {{500, 500}}},
        {"bytes=-500", {{9500, 500}}},
        {"bytes=9500-", {{9500, 500}}},
        {"bytes=0-0,-1", {{0, 1}, {9999, 1}}},
        {"bytes= 0-999, 4500-5499, -1000", {{0, 1000}, {4500, 1000}, {9000, 1000}}},
        {"bytes=500-600,601-999", {{500, 101}, {601, 399}}},
        {"bytes=500-700,601-999", {{500, 201}, {601, 399}}},
    };
    for (const Row& row : rows) {
        const RangeAnswer answer = resolve_range(row.header, 10'000);
        EXPECT_EQ(answer.kind, RangeKind::partial) << row.header;
        EXPECT_EQ(answer.parts, row.parts) << row.header;
    }
}

TEST(ByteRange, ClampsAndRefusesAndIgnores) {
    struct Row {
        const char* header;
        std::uint64_t size;
        RangeKind kind;
        Parts parts;
    };
    const Row rows[] = {
        {"bytes=90-200", 100, RangeKind::partial, {{90, 10}}},
        {"bytes=0-99999999999999999999999", 100, RangeKind::partial, {{0, 100}}},
        {"bytes=-200", 100, RangeKind::partial, {{0, 100}}},
        {"bytes=-99999999999999999999999", 100, RangeKind::partial, {{0, 100}}},
        {"BYTES=1-2", 100, RangeKind::partial, {{1, 2}}},
        {"bytes=,1-2,,", 100, RangeKind::partial, {{1, 2}}},
        {"bytes=1-2,500-", 100, RangeKind::partial, {{1, 2}}},
        {"bytes=100-", 100, RangeKind::unsatisfiable, {}},
        {"bytes=99999999999999999999999-", 100, RangeKind::unsatisfiable, {}},
        {"bytes=-0", 100, RangeKind::unsatisfiable, {}},
        {"bytes=0-", 0, RangeKind::unsatisfiable, {}},
        {"bytes=-5", 0, RangeKind::whole, {}},
        {"items=0-5", 100, RangeKind::whole, {}},
        {"bytes=-", 100, RangeKind::whole, {}},
        {"bytes=", 100, RangeKind::whole, {}},
        {"bytes", 100, RangeKind::whole, {}},
        {"", 100, RangeKind::whole, {}},
        {"bytes=5-2", 100, RangeKind::whole, {}},
        {"bytes=a-b", 100, RangeKind::whole, {}},
        {"bytes=+1-2", 100, RangeKind::whole, {}},
        {"bytes=1-2-3", 100, RangeKind::whole, {}},
        {"bytes=1-2;3-4", 100, RangeKind::whole, {}},
        {"bytes=0-,0-,0-", 100, RangeKind::whole, {}},
        {"bytes=0-1,2-3,4-5,6-7,8-9,10-11,12-13,14-15",
         16,
         RangeKind::partial,
         {{0, 2}, {2, 2}, {4, 2}, {6, 2}, {8, 2}, {10, 2}, {12, 2}, {14, 2}}},
        {"bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8", 100, RangeKind::whole, {}},
    };
    for (const Row& row : rows) {
        const RangeAnswer answer = resolve_range(row.header, row.size);
        EXPECT_EQ(answer.kind, row.kind) << row.header;
        EXPECT_EQ(answer.parts, row.parts) << row.header;
    }
}

// The oracle asks each byte of a string whether the header names it.
TEST(ByteRange, NamesTheBytesThatANaiveReadingNames) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 20'000; ++round) {
        const std::uint64_t size = random() % 40;
        const std::uint64_t a = random() % 50;
        const std::uint64_t b = random() % 50;
        const int form = static_cast<int>(random() % 3);
        const std::string header = form == 0   ? "bytes=" + std::to_string(a) + "-" + std::to_string(b)
                                   : form == 1 ? "bytes=" + std::to_string(a) + "-"
                                               : "bytes=-" + std::to_string(a);
        std::string wanted;
        for (std::uint64_t i = 0; i < size; ++i) {
            const bool is_named = form == 0 ? a <= i && i <= b : form == 1 ? a <= i : i + a >= size;
            if (is_named) wanted += static_cast<char>('A' + i);
        }
        const RangeAnswer answer = resolve_range(header, size);
        const bool is_invalid = (form == 0 && b < a) || (form == 2 && size == 0 && a > 0);
        if (is_invalid) {
            EXPECT_EQ(answer.kind, RangeKind::whole) << header << " of " << size;
        } else if (wanted.empty()) {
            EXPECT_EQ(answer.kind, RangeKind::unsatisfiable) << header << " of " << size;
        } else {
            ASSERT_EQ(answer.kind, RangeKind::partial) << header << " of " << size;
            std::string got;
            for (std::uint64_t i = 0; i < answer.parts[0].length_bytes; ++i)
                got += static_cast<char>('A' + answer.parts[0].offset_bytes + i);
            EXPECT_EQ(got, wanted) << header << " of " << size;
        }
    }
}

TEST(ByteRange, KnowsWhetherByteZeroIsAskedFor) {
    EXPECT_TRUE(asks_for_first_byte(std::nullopt));
    EXPECT_TRUE(asks_for_first_byte("bytes=0-"));
    EXPECT_TRUE(asks_for_first_byte("bytes=0-0"));
    EXPECT_TRUE(asks_for_first_byte("bytes=100-200,0-5"));
    EXPECT_TRUE(asks_for_first_byte("items=5-"));
    EXPECT_FALSE(asks_for_first_byte("bytes=1-"));
    EXPECT_FALSE(asks_for_first_byte("bytes=-5"));
}

TEST(ByteRange, IsWrittenAsContentRange) {
    EXPECT_EQ(content_range({0, 100}, 1000), "bytes 0-99/1000");
    EXPECT_EQ(content_range({999, 1}, 1000), "bytes 999-999/1000");
}

}  // namespace
}  // namespace lacquer::server
