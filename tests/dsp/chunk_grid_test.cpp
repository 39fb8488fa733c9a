#include "dsp/chunk_grid.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace lacquer::dsp {
namespace {

constexpr std::uint32_t kRateHz = 1000;  // one frame per millisecond keeps the numbers readable

TEST(ChunkGrid, BodiesCoverTheTrackWithoutGapOrOverlap) {
    for (std::int64_t frames : {1, 999, 29'999, 30'000, 30'001, 30'999, 31'000, 31'001, 60'500, 123'456, 600'000}) {
        const ChunkGrid grid({}, kRateHz, frames);
        std::int64_t next = 0;
        for (std::int64_t n = 0; n < grid.chunk_count(); ++n) {
            const ChunkSpan span = grid.span(n);
            EXPECT_EQ(span.begin, next);
            EXPECT_GT(span.body_end, span.begin);
            EXPECT_LE(span.begin, span.middle_begin);
            EXPECT_LE(span.middle_begin, span.body_end);
            EXPECT_EQ(grid.chunk_at(span.begin), n);
            EXPECT_EQ(grid.chunk_at(span.body_end - 1), n);
            next = span.body_end;
        }
        EXPECT_EQ(next, frames);
    }
}

TEST(ChunkGrid, EveryTailMeetsAWholeHead) {
    for (std::int64_t frames = 29'000; frames < 95'000; frames += 37) {
        const ChunkGrid grid({}, kRateHz, frames);
        for (std::int64_t n = 0; n + 1 < grid.chunk_count(); ++n) {
            EXPECT_EQ(grid.span(n).tail_frames(), 1000);
            EXPECT_EQ(grid.span(n + 1).head_frames(), 1000);
            EXPECT_EQ(grid.span(n).end, grid.span(n + 1).middle_begin);
        }
    }
}

TEST(ChunkGrid, ALastRemainderShorterThanTheTailBelongsToTheChunkBefore) {
    EXPECT_EQ(ChunkGrid({}, kRateHz, 60'999).chunk_count(), 2);
    EXPECT_EQ(ChunkGrid({}, kRateHz, 61'000).chunk_count(), 3);
    EXPECT_EQ(ChunkGrid({}, kRateHz, 999).chunk_count(), 1);
    EXPECT_EQ(ChunkGrid({}, kRateHz, 0).chunk_count(), 0);
}

TEST(ChunkGrid, ContextReachesFiveSecondsBackButNotBeforeTheTrack) {
    const ChunkGrid grid({}, kRateHz, 100'000);
    EXPECT_EQ(grid.span(0).context_begin, 0);
    EXPECT_EQ(grid.span(1).context_begin, 25'000);
}

TEST(ChunkGrid, RedundantWorkStaysWithinTheBound) {
    const ChunkGrid grid({}, 44'100, 44'100LL * 3600);
    std::int64_t rendered = 0;
    for (std::int64_t n = 0; n < grid.chunk_count(); ++n) rendered += grid.span(n).end - grid.span(n).context_begin;
    EXPECT_LE(static_cast<double>(rendered) / static_cast<double>(grid.frame_count()), 1.21);
}

TEST(ChunkGrid, NamesTheSettingThatIsOutOfRange) {
    GridSettings settings;
    settings.body_seconds = 121;
    try {
        ChunkGrid(settings, kRateHz, 1);
        FAIL() << "accepted a body of 121 s";
    } catch (const std::invalid_argument& error) {
        EXPECT_STREQ(error.what(), "chunk.body is 121 s; allowed: 5 to 120 s");
    }
}

TEST(ChunkGrid, WholeIsOneChunkWithoutHeadOrTail) {
    const ChunkSpan span = ChunkGrid::whole(kRateHz, 100'000).span(0);
    EXPECT_EQ(span.middle_frames(), 100'000);
    EXPECT_EQ(span.head_frames() + span.tail_frames(), 0);
}

}  // namespace
}  // namespace lacquer::dsp
