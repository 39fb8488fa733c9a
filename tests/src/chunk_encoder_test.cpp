#include "src/chunk_encoder.h"

#include <cmath>
#include <cstring>

#include "dsp/dequantiser.h"
#include "tests/src/fixture.h"

namespace lacquer {
namespace {

class ChunkEncoderTest : public testing::Test {
protected:
    ChunkEncoderTest() {
        const auto file = folder / "source.wav";
        test::write_wav(file, test::white_noise(1, -12, 12, {8000, 2}).block(), 8000);
        plan = test::plan_of(file, {.grid = {5, 1, 1}});
        span = plan->grid.span(1);
    }
    dsp::AudioBuffer constant(float value, std::int64_t frames) const {
        dsp::AudioBuffer buffer(2, static_cast<std::size_t>(frames));
        for (std::size_t c = 0; c < 2; ++c) std::fill_n(buffer.block().channels[c], frames, value);
        return buffer;
    }
    // The middle of the chunk as numbers, left channel.
    std::vector<float> middle(const GrowingChunk& chunk) const {
        const ChunkLayout layout = chunk_layout(*plan, 1);
        dsp::AudioBuffer buffer(2, static_cast<std::size_t>(layout.span.middle_frames()));
        dsp::dequantise(chunk.bytes().subspan(layout.head_bytes(), layout.middle_bytes()), plan->format,
                        buffer.block());
        return {buffer.block().channels[0], buffer.block().channels[0] + buffer.frame_count()};
    }

    test::TempDir folder;
    PlanPtr plan;
    dsp::ChunkSpan span;
};

TEST_F(ChunkEncoderTest, ASecondRenderIsPassedOverAsFarAsTheFirstCame) {
    const std::int64_t frames = span.end - span.begin;
    const dsp::AudioBuffer noise = test::white_noise(2, -12, frames / 8000.0, {8000, 2});
    const auto encoded = [&](const std::vector<std::int64_t>& breaks, std::int64_t block) {
        GrowingChunk chunk(chunk_layout(*plan, 1).total_bytes());
        ChunkEncoder encoder(*plan, 1, chunk);
        for (const std::int64_t end : breaks) {
            for (std::int64_t at = 0; at < end; at += block) {
                const std::int64_t count = std::min(block, end - at);
                encoder.write(noise.block().slice(static_cast<std::size_t>(at), static_cast<std::size_t>(count)),
                              span.begin + at);
            }
        }
        return test::ByteVector(chunk.bytes().begin(), chunk.bytes().end());
    };
    const auto whole = encoded({frames}, 1024);
    EXPECT_TRUE(encoded({1, 5000, 4999, 12'345, frames}, 1000) == whole);
    EXPECT_TRUE(encoded({frames - 1, frames}, 333) == whole);
}

TEST_F(ChunkEncoderTest, TheStepToAFallbackIsSpreadOverTenMilliseconds) {
    const std::int64_t frames = span.end - span.begin;
    const std::int64_t at = span.middle_begin - span.begin + 1000;
    GrowingChunk chunk(chunk_layout(*plan, 1).total_bytes());
    ChunkEncoder encoder(*plan, 1, chunk);
    encoder.write(constant(0.5f, at).block(), span.begin);
    encoder.splice();
    const dsp::AudioBuffer fallback = constant(-0.25f, frames);
    for (std::int64_t done = 0; done < frames; done += 30) {
        const std::int64_t count = std::min<std::int64_t>(30, frames - done);
        encoder.write(fallback.block().slice(static_cast<std::size_t>(done), static_cast<std::size_t>(count)),
                      span.begin + done);
    }
    const std::vector<float> samples = middle(chunk);
    float steepest = 0.0f;
    for (std::size_t i = 1; i < samples.size(); ++i)
        steepest = std::max(steepest, std::abs(samples[i] - samples[i - 1]));
    EXPECT_NEAR(steepest, 0.75f / 80, 2e-4) << "10 ms are 80 frames";
    EXPECT_NEAR(samples[999], 0.5f, 1e-4);
    EXPECT_NEAR(samples[1080], -0.25f, 1e-4);
}

TEST_F(ChunkEncoderTest, AFallbackFromTheFirstFrameOnIsTakenAsItIs) {
    GrowingChunk chunk(chunk_layout(*plan, 1).total_bytes());
    ChunkEncoder encoder(*plan, 1, chunk);
    encoder.splice();
    encoder.write(constant(0.5f, span.end - span.begin).block(), span.begin);
    for (const float sample : middle(chunk)) ASSERT_NEAR(sample, 0.5f, 1e-4);
}

}  // namespace
}  // namespace lacquer
