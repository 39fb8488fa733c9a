#include "src/chunk_renderer.h"

#include <fstream>

#include "src/source_watch.h"
#include "tests/src/fixture.h"
#include "tests/support/measures.h"

namespace lacquer {
namespace {

using test::Format;
using test::plan_of;
using test::PlanWish;

constexpr Format kFormat{8000, 2};

// Keeps what it is given and insists that it comes in order, without gaps.
class Collector : public FrameSink {
public:
    explicit Collector(const dsp::ChunkSpan& span) : span_(span), next_(span.begin) {}
    void write(dsp::ConstAudioBlock block, std::int64_t first_frame) override {
        EXPECT_EQ(first_frame, next_);
        next_ += static_cast<std::int64_t>(block.frame_count);
        parts_.push_back(test::copy(block));
        if (on_write) on_write();
    }
    bool is_whole() const { return next_ == span_.end; }
    dsp::AudioBuffer audio() const {
        std::vector<dsp::ConstAudioBlock> blocks;
        for (const dsp::AudioBuffer& part : parts_) blocks.push_back(part.block());
        return test::concatenate(blocks);
    }
    std::function<void()> on_write;

private:
    const dsp::ChunkSpan span_;
    std::int64_t next_;
    std::vector<dsp::AudioBuffer> parts_;
};

dsp::AudioBuffer rendered(const RenderPlan& plan, std::int64_t index, RenderReport* report = nullptr) {
    Collector collector(plan.grid.span(index));
    const RenderReport told = render_chunk(plan, plan.grid.span(index), {}, collector);
    if (report) *report = told;
    EXPECT_TRUE(collector.is_whole());
    return collector.audio();
}

PlanPtr as_a_whole(const PlanPtr& plan) {
    RenderPlan whole = *plan;
    whole.grid = dsp::ChunkGrid::whole(plan->media.sample_rate_hz, plan->grid.frame_count());
    return make_plan(std::move(whole));
}

class ChunkRenderer : public testing::Test {
protected:
    std::filesystem::path source(double seconds, const Format& format = kFormat) {
        const auto file = folder / "source.wav";
        test::write_wav(file, test::restless_noise(seconds, format).block(), format.sample_rate_hz);
        return file;
    }
    test::TempDir folder;
};

TEST_F(ChunkRenderer, ABypassedChunkIsThatPartOfTheWholeBitForBit) {
    for (const std::size_t channels : {1u, 2u}) {
        const auto file = source(23.1, {8000, channels});
        for (const dsp::GridSettings& grid : {dsp::GridSettings{5, 1, 1}, {5, 0, 5}, {5, 5, 1}, {7.77, 0.3, 2}}) {
            const PlanPtr plan = plan_of(file, {.grid = grid, .request = {.intensity = 0.0}});
            const auto whole = rendered(*as_a_whole(plan), 0);
            for (std::int64_t n = 0; n < plan->grid.chunk_count(); ++n) {
                const dsp::ChunkSpan span = plan->grid.span(n);
                const auto part = whole.block().slice(static_cast<std::size_t>(span.begin),
                                                      static_cast<std::size_t>(span.end - span.begin));
                EXPECT_TRUE(test::same_bits(rendered(*plan, n).block(), part)) << "chunk " << n;
            }
        }
    }
}

TEST_F(ChunkRenderer, TheSameChunkIsTheSameBitsEveryTime) {
    const PlanPtr plan = plan_of(source(17), {.request = {dsp::PresetId::night}});
    for (const std::int64_t n : {2, 0, 1}) {
        EXPECT_TRUE(test::same_bits(rendered(*plan, n).block(), rendered(*plan, n).block())) << "chunk " << n;
    }
}

TEST_F(ChunkRenderer, WithFiveSecondsOfContextAChunkIsThatPartOfTheWhole) {
    const PlanPtr plan = plan_of(source(23), {.grid = {5, 1, 5}, .request = {dsp::PresetId::punchy}});
    const auto whole = rendered(*as_a_whole(plan), 0);
    for (std::int64_t n = 0; n < plan->grid.chunk_count(); ++n) {
        const dsp::ChunkSpan span = plan->grid.span(n);
        const auto part =
            whole.block().slice(static_cast<std::size_t>(span.begin), static_cast<std::size_t>(span.end - span.begin));
        const auto difference = test::residual(rendered(*plan, n).block(), part, 8000);
        EXPECT_LE(difference.rms_dbfs, -150.0) << "chunk " << n;
        EXPECT_LE(difference.peak_dbfs, -140.0) << "chunk " << n;
    }
}

TEST_F(ChunkRenderer, AFileCutShortGoesOnAsSilenceToThePromisedLengthAndCountsIt) {
    const auto file = source(23);
    const auto whole = rendered(*as_a_whole(plan_of(file, {.request = {.intensity = 0.0}})), 0);
    constexpr std::int64_t kThere = 8000 * 13 + 77;
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - (8000 * 23 - kThere) * 4);
    const PlanPtr plan = plan_of(file, {.request = {.intensity = 0.0}});
    ASSERT_EQ(plan->media.frame_count, kThere);
    ASSERT_EQ(plan->grid.frame_count(), 8000 * 23);
    for (std::int64_t n = 0; n < plan->grid.chunk_count(); ++n) {
        const dsp::ChunkSpan span = plan->grid.span(n);
        RenderReport report;
        const auto audio = rendered(*plan, n, &report);
        const std::int64_t audible = std::clamp<std::int64_t>(kThere - span.begin, 0, span.end - span.begin);
        const auto heard = static_cast<std::size_t>(audible);
        EXPECT_TRUE(test::same_bits(audio.block().slice(0, heard),
                                    whole.block().slice(static_cast<std::size_t>(span.begin), heard)));
        const auto rest = audio.block().slice(heard, audio.frame_count() - heard);
        if (rest.frame_count > 0) {
            EXPECT_EQ(test::peak_dbfs(rest), -200.0);
        }
        EXPECT_EQ(report.silent_frames, span.end - span.begin - audible) << "chunk " << n;
    }
}

TEST_F(ChunkRenderer, AFileThatIsNoLongerTheOneOfThePlanIsRefused) {
    const auto file = source(6);
    const PlanPtr plan = plan_of(file);
    const auto rewritten = std::filesystem::last_write_time(file) + std::chrono::seconds(1);
    std::filesystem::last_write_time(file, rewritten);  // the same size
    EXPECT_THROW(rendered(*plan, 0), SourceChanged);
    const PlanPtr again = plan_of(file);
    std::ofstream(file, std::ios::app) << "x";
    std::filesystem::last_write_time(file, rewritten);  // the same time
    EXPECT_THROW(rendered(*again, 0), SourceChanged);
    std::filesystem::remove(file);
    EXPECT_THROW(rendered(*again, 0), SourceChanged);
}

TEST_F(ChunkRenderer, AFileThatIsOverwrittenWhileItIsRenderedIsRefused) {
    const auto file = source(6);
    for (const Quality quality : {Quality::enhanced, Quality::neutral, Quality::plain}) {
        const PlanPtr plan = plan_of(file);
        Collector collector(plan->grid.span(0));
        int writes = 0;
        collector.on_write = [&] {
            ++writes;
            std::filesystem::last_write_time(file, std::filesystem::last_write_time(file) + std::chrono::seconds(1));
        };
        EXPECT_THROW(render_chunk(*plan, plan->grid.span(0), {.quality = quality}, collector), SourceChanged);
        EXPECT_EQ(writes, 1) << "not a frame of the new content";
    }
}

TEST_F(ChunkRenderer, AFileThatIsReplacedWhileItIsRenderedIsReadToTheEndOfTheChunk) {
    const auto file = source(6);
    const PlanPtr plan = plan_of(file);
    const auto expected = test::rendered_alone(*plan, 0);
    GrowingChunk chunk(chunk_layout(*plan, 0).total_bytes());
    ChunkEncoder encoder(*plan, 0, chunk);
    bool replaced = false;
    const RenderControl control{.go_on = [&] {
        if (chunk.ready_bytes() > 0 && !std::exchange(replaced, true)) {
            test::write_wav(folder / "other.wav", test::restless_noise(7, kFormat, 2).block(), kFormat.sample_rate_hz);
            std::filesystem::rename(folder / "other.wav", file);
        }
        return true;
    }};
    render_chunk(*plan, plan->grid.span(0), control, encoder);
    EXPECT_TRUE(replaced);
    EXPECT_TRUE(test::ByteVector(chunk.bytes().begin(), chunk.bytes().end()) == expected);
    EXPECT_THROW(test::rendered_alone(*plan, 0), SourceChanged);
}

TEST_F(ChunkRenderer, StopsWhenAsked) {
    const PlanPtr plan = plan_of(source(6));
    Collector collector(plan->grid.span(0));
    int writes = 0;
    collector.on_write = [&] { ++writes; };
    EXPECT_THROW(render_chunk(*plan, plan->grid.span(0), {.go_on = [&] { return writes == 0; }}, collector),
                 RenderCancelled);
    EXPECT_EQ(writes, 1);
}

}  // namespace
}  // namespace lacquer
