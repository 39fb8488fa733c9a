#include "src/stream.h"

#include <array>
#include <cstring>

#include "tests/src/fixture.h"

namespace lacquer {
namespace {

using dsp::SampleFormat;
using test::ByteVector;
using test::Pipeline;
using test::plan_of;
using test::PlanWish;
using test::present;
using test::rendered_alone;
using test::Roadblock;

float float_at(const ByteVector& bytes, std::uint64_t offset) {
    float value = 0;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

// The virtual file built the plain way: every chunk rendered, one frame after the other.
ByteVector naive_stream(const RenderPlan& plan, StreamSpan span) {
    std::vector<ByteVector> chunks;
    for (std::int64_t n = 0; n < plan.grid.chunk_count(); ++n) chunks.push_back(rendered_alone(plan, n));
    WavShape shape = plan.wav_shape();
    shape.frame_count = span.end_frame - span.first_frame;
    ByteVector stream = wav_header(shape);
    const std::uint64_t channels = plan.channels();
    for (std::int64_t frame = span.first_frame; frame < span.end_frame; ++frame) {
        const std::int64_t n = plan.grid.chunk_at(frame);
        const ChunkLayout layout = chunk_layout(plan, n);
        const ByteVector& chunk = chunks[static_cast<std::size_t>(n)];
        if (frame >= layout.span.middle_begin) {
            const auto begin =
                chunk.begin() + static_cast<std::ptrdiff_t>(
                                    layout.head_bytes() +
                                    static_cast<std::uint64_t>(frame - layout.span.middle_begin) * shape.frame_bytes());
            stream.insert(stream.end(), begin, begin + shape.frame_bytes());
            continue;
        }
        const std::int64_t into = frame - layout.span.begin;
        const double weight =
            (static_cast<double>(into) + 0.5) * (1.0 / static_cast<double>(layout.span.head_frames()));
        dsp::AudioBuffer faded(plan.channels(), 1);
        for (std::uint64_t c = 0; c < channels; ++c) {
            const std::uint64_t sample = (static_cast<std::uint64_t>(into) * channels + c) * sizeof(float);
            const ByteVector& outgoing = chunks[static_cast<std::size_t>(n - 1)];
            const double from = float_at(outgoing, chunk_layout(plan, n - 1).tail_offset() + sample);
            const double to = float_at(chunk, sample);
            faded.block().channels[c][0] = static_cast<float>(from + weight * (to - from));
        }
        std::array<std::byte, 8> quantised{};
        const auto out = std::span(quantised).first(shape.frame_bytes());
        dsp::quantise(faded.block(), frame, plan.format, plan.dither(), out);
        stream.insert(stream.end(), out.begin(), out.end());
    }
    stream.resize(stream.size() + shape.pad_bytes());
    return stream;
}

ByteVector read_range(Stream& stream, std::uint64_t from, std::uint64_t to, std::size_t slice_bytes = 65536) {
    ByteVector bytes;
    ByteVector slice(slice_bytes);
    while (from < to) {
        const std::size_t count =
            stream.read(from, std::span(slice).first(std::min<std::uint64_t>(slice.size(), to - from)), present);
        if (count == 0 || count > slice.size()) {
            ADD_FAILURE() << "read " << count << " bytes at " << from;
            break;
        }
        bytes.insert(bytes.end(), slice.begin(), slice.begin() + static_cast<std::ptrdiff_t>(count));
        from += count;
    }
    return bytes;
}

bool is_range(const ByteVector& got, const ByteVector& whole, std::uint64_t from) {
    return from + got.size() <= whole.size() && std::memcmp(got.data(), whole.data() + from, got.size()) == 0;
}

class StreamTest : public testing::Test {
protected:
    // Context 0: neighbours differ where they overlap, so a wrong fade shows.
    PlanPtr plan(std::int64_t frames, SampleFormat format, std::size_t channels = 2,
                 const dsp::GridSettings& grid = {5, 1, 0}) {
        const test::Format shape{8000, channels};
        const auto audio = test::restless_noise(static_cast<double>(frames) / 8000.0, shape);
        const auto file = folder / ("source" + std::to_string(++sources_) + ".wav");
        test::write_wav(file, audio.block(), 8000);
        return plan_of(file, {.grid = grid, .format = format, .request = {dsp::PresetId::night}});
    }
    static StreamSpan all(const PlanPtr& plan) { return {0, plan->grid.frame_count()}; }
    static ByteVector read_whole(Pipeline& pipeline, const PlanPtr& plan, StreamSpan span) {
        Stream stream(pipeline.chunks, plan, span);
        return read_range(stream, 0, stream.size_bytes());
    }

    test::TempDir folder;

private:
    int sources_ = 0;
};

class StreamOf : public StreamTest, public testing::WithParamInterface<std::tuple<SampleFormat, std::size_t>> {};

TEST_P(StreamOf, AnyRangeIsThatSliceOfTheNaiveStream) {
    const auto [format, channels] = GetParam();
    const PlanPtr p = plan(8000 * 17 + 333, format, channels);
    const ByteVector expected = naive_stream(*p, all(p));
    Pipeline pipeline;
    test::Random random(3);
    Stream wanderer(pipeline.chunks, p, all(p));
    ASSERT_EQ(wanderer.size_bytes(), expected.size());
    for (int i = 0; i < 60; ++i) {
        const std::uint64_t from = random.below(expected.size());
        const std::uint64_t to = from + 1 + random.below(std::min<std::size_t>(expected.size() - from, 100'000));
        Stream fresh(pipeline.chunks, p, all(p));
        const std::size_t slice = 1 + random.below(20'000);
        EXPECT_TRUE(is_range(read_range(fresh, from, to, slice), expected, from)) << from << " to " << to;
        EXPECT_TRUE(is_range(read_range(wanderer, from, to, slice), expected, from)) << from << " to " << to;
    }
    EXPECT_TRUE(read_whole(pipeline, p, all(p)) == expected);
}

TEST_P(StreamOf, RangesAcrossTheSeamsAreRightAtEveryOffset) {
    const auto [format, channels] = GetParam();
    const PlanPtr p = plan(8000 * 11, format, channels);
    const ByteVector expected = naive_stream(*p, all(p));
    Pipeline pipeline;
    Stream stream(pipeline.chunks, p, all(p));
    const std::uint64_t frame_bytes = p->wav_shape().frame_bytes();
    for (const std::int64_t seam : {8000 * 5, 8000 * 6, 8000 * 10}) {
        const std::uint64_t at = stream.header_bytes() + static_cast<std::uint64_t>(seam) * frame_bytes;
        for (std::uint64_t before = 0; before <= 2 * frame_bytes; ++before) {
            const std::uint64_t to = std::min<std::uint64_t>(at + frame_bytes + 1, expected.size());
            EXPECT_TRUE(is_range(read_range(stream, at - before, to), expected, at - before)) << seam << " " << before;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Formats, StreamOf,
                         testing::Combine(testing::Values(SampleFormat::s16, SampleFormat::s24, SampleFormat::f32),
                                          testing::Values(std::size_t{1}, std::size_t{2})));

TEST_F(StreamTest, ByteByByteForwardsAndBackwardsIsTheSameStream) {
    const PlanPtr p = plan(8000 * 6 + 1, SampleFormat::s24, 1);
    const ByteVector expected = naive_stream(*p, all(p));
    ASSERT_EQ(expected.size() % 2, 0u) << "the pad byte counts";
    Pipeline pipeline;
    Stream forwards(pipeline.chunks, p, all(p));
    EXPECT_TRUE(read_range(forwards, 0, expected.size(), 1) == expected);
    Stream backwards(pipeline.chunks, p, all(p));
    ByteVector mirrored(expected.size());
    for (std::size_t at = expected.size(); at-- > 0;) {
        ASSERT_EQ(backwards.read(at, std::span(mirrored).subspan(at, 1), present), 1u);
    }
    EXPECT_TRUE(mirrored == expected);
}

TEST_F(StreamTest, EveryLengthAndGridGivesTheNaiveStream) {
    struct Case {
        std::int64_t frames;
        dsp::GridSettings grid;
        std::int64_t chunks;
    };
    for (const auto& [frames, grid, chunks] : {Case{0, {5, 1, 1}, 0},
                                               {1, {5, 1, 1}, 1},
                                               {8000 * 5, {5, 1, 1}, 1},
                                               {8000 * 5 + 1, {5, 1, 1}, 1},
                                               {8000 * 6 - 1, {5, 1, 1}, 1},
                                               {8000 * 6, {5, 1, 1}, 2},
                                               {8000 * 10 + 7999, {5, 1, 1}, 2},
                                               {8000 * 11 + 5, {5, 0, 1}, 3},
                                               {8000 * 5 + 1, {5, 0, 0}, 2},
                                               {8000 * 16 + 3, {5, 5, 1}, 3},
                                               {8000 * 12 + 1, {5.55, 0.7, 0}, 3}}) {
        for (const auto format : {SampleFormat::s16, SampleFormat::s24}) {
            const PlanPtr p = plan(frames, format, 1, grid);
            ASSERT_EQ(p->grid.frame_count(), frames);
            EXPECT_EQ(p->grid.chunk_count(), chunks) << frames;
            Pipeline pipeline;
            EXPECT_TRUE(read_whole(pipeline, p, all(p)) == naive_stream(*p, all(p))) << frames << " frames";
            EXPECT_EQ(pipeline.diary.count("started"), static_cast<std::size_t>(chunks));
        }
    }
}

TEST_F(StreamTest, ASpanMayBeginAndEndAnywhere) {
    const PlanPtr p = plan(8000 * 17, SampleFormat::s16);
    Pipeline pipeline;
    for (const StreamSpan span : {StreamSpan{8000 * 5 + 123, 8000 * 17},
                                  {8000 * 6, 8000 * 10},
                                  {8000 * 2, 8000 * 5 + 1},
                                  {8000 * 10 + 4000, 8000 * 10 + 4001},
                                  {3, 3},
                                  {8000 * 17, 8000 * 17}}) {
        EXPECT_TRUE(read_whole(pipeline, p, span) == naive_stream(*p, span))
            << span.first_frame << " to " << span.end_frame;
    }
}

TEST_F(StreamTest, ASpanRendersNoChunkBehindItsEnd) {
    const PlanPtr p = plan(8000 * 22, SampleFormat::s16);
    Pipeline pipeline;
    read_whole(pipeline, p, {8000 * 5, 8000 * 10});
    EXPECT_TRUE(pipeline.comes_to_rest());
    auto rendered = pipeline.diary.chunks("started");
    std::sort(rendered.begin(), rendered.end());
    EXPECT_EQ(rendered, (std::vector<std::int64_t>{0, 1})) << "its own and the tail that is faded out in it";
}

TEST_F(StreamTest, TheChunksOneByOneConcatenateToTheStream) {
    for (const auto format : {SampleFormat::s16, SampleFormat::s24}) {
        const PlanPtr p = plan(8000 * 16 + 4001, format, 1);
        Pipeline pipeline;
        Stream whole(pipeline.chunks, p, all(p));
        ByteVector samples;
        for (std::int64_t n = 0; n < p->grid.chunk_count(); ++n) {
            const dsp::ChunkSpan span = p->grid.span(n);
            Stream part(pipeline.chunks, p, {span.begin, span.body_end});
            const ByteVector bytes = read_range(part, part.header_bytes(), part.size_bytes());
            const auto data_bytes = static_cast<std::ptrdiff_t>(static_cast<std::uint64_t>(span.body_end - span.begin) *
                                                                p->wav_shape().frame_bytes());
            samples.insert(samples.end(), bytes.begin(), bytes.begin() + data_bytes);
        }
        samples.resize(samples.size() + p->wav_shape().pad_bytes());
        EXPECT_TRUE(samples == read_range(whole, whole.header_bytes(), whole.size_bytes()));
    }
}

TEST_F(StreamTest, NothingIsRenderedBeforeAByteOfTheSamplesIsRead) {
    const PlanPtr p = plan(8000 * 6, SampleFormat::s16);
    Pipeline pipeline(Pipeline::kRoomy, 1);
    const Roadblock road(pipeline.scheduler);
    Stream stream(pipeline.chunks, p, all(p));
    EXPECT_EQ(read_range(stream, 0, stream.header_bytes()).size(), stream.header_bytes());
    EXPECT_EQ(pipeline.scheduler.waiting(), 0u);
}

TEST_F(StreamTest, TheListenerIsToldApartFromItsLookAhead) {
    const PlanPtr p = plan(8000 * 22, SampleFormat::s16);
    Pipeline pipeline(Pipeline::kRoomy, 1);
    std::vector<std::int64_t> entered;
    Roadblock road(pipeline.scheduler);
    {
        Stream stream(pipeline.chunks, p, all(p), TaskClass::listener, [&](std::int64_t n) { entered.push_back(n); });
        stream.set_look_ahead(2);
        ByteVector out(100);
        const std::uint64_t in_third = stream.header_bytes() + 8000 * 13 * 4;
        EXPECT_EQ(stream.read(in_third, out, [] { return false; }), 0u);
        EXPECT_EQ(pipeline.scheduler.waiting(), 1u) << "chunk 2 alone, until something of it was heard";
        const std::uint64_t in_fade = stream.header_bytes() + 8000 * 5 * 4;
        EXPECT_EQ(stream.read(in_fade, out, [] { return false; }), 0u);
        EXPECT_EQ(entered, (std::vector<std::int64_t>{2, 1}));
        EXPECT_EQ(pipeline.scheduler.waiting(), 2u) << "both sides of the fade";
        road.open();
        EXPECT_GT(stream.read(in_fade, out, test::present), 0u);
        EXPECT_TRUE(pipeline.comes_to_rest());
        EXPECT_EQ(pipeline.diary.chunks("started"), (std::vector<std::int64_t>{0, 1}));
        EXPECT_GT(stream.read(in_fade + out.size(), out, test::present), 0u);
        EXPECT_TRUE(pipeline.comes_to_rest());
        EXPECT_EQ(pipeline.diary.chunks("started"), (std::vector<std::int64_t>{0, 1, 2, 3})) << "and two ahead";
    }
}

TEST_F(StreamTest, AListenerThatLeavesGetsNothingAndNoRenderStaysBehind) {
    const PlanPtr p = plan(8000 * 11, SampleFormat::s16);
    Pipeline pipeline(Pipeline::kRoomy, 1);
    const Roadblock road(pipeline.scheduler);
    {
        Stream stream(pipeline.chunks, p, all(p));
        ByteVector out(1000);
        EXPECT_EQ(stream.read(stream.header_bytes(), out, [] { return false; }), 0u);
        EXPECT_EQ(stream.read(stream.header_bytes() + 8000 * 5 * 4 + 1, out, [] { return false; }), 0u);
        EXPECT_GT(pipeline.scheduler.waiting(), 0u);
    }
    EXPECT_EQ(pipeline.scheduler.waiting(), 0u);
}

TEST_F(StreamTest, ASourceThatGoesAwayIsAnErrorNeverAWrongByte) {
    const PlanPtr p = plan(8000 * 11, SampleFormat::s16);
    Pipeline pipeline;
    std::filesystem::remove(p->source.path);
    Stream stream(pipeline.chunks, p, all(p));
    ByteVector out(1000);
    EXPECT_THROW(stream.read(stream.header_bytes(), out, present), ChunkError);
}

}  // namespace
}  // namespace lacquer
