#include "dsp/crossfade.h"

#include <random>

#include <gtest/gtest.h>

#include "tests/support/every_simd.h"
#include "tests/support/signals.h"

namespace lacquer::dsp {
namespace {

AudioBuffer noise(std::size_t frames, unsigned seed) {
    AudioBuffer buffer(2, frames);
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> sample(-1.0f, 1.0f);
    for (std::size_t c = 0; c < 2; ++c) {
        for (float& x : buffer.block().channel(c)) x = sample(random);
    }
    return buffer;
}

TEST(Crossfade, EqualSidesComeOutBitForBit) {
    const AudioBuffer side = noise(4410, 1);
    AudioBuffer out(2, 4410);
    crossfade(side.block(), side.block(), 0, 4410, out.block());
    for (std::size_t c = 0; c < 2; ++c) {
        for (std::size_t i = 0; i < 4410; ++i) ASSERT_EQ(out.block().channel(c)[i], side.block().channel(c)[i]);
    }
}

TEST(Crossfade, GoesFromOneSideToTheOtherInAStraightLine) {
    AudioBuffer from(1, 100), to(1, 100), out(1, 100);
    for (float& x : to.block().channel(0)) x = 1.0f;
    crossfade(from.block(), to.block(), 0, 100, out.block());
    for (std::size_t i = 0; i < 100; ++i)
        EXPECT_FLOAT_EQ(out.block().channel(0)[i], (static_cast<float>(i) + 0.5f) / 100.0f);
}

TEST(Crossfade, DoesNotDependOnHowItIsCut) {
    const AudioBuffer from = noise(1000, 2), to = noise(1000, 3);
    AudioBuffer whole(2, 1000), parts(2, 1000);
    crossfade(from.block(), to.block(), 0, 1000, whole.block());
    for (std::size_t at = 0, step = 1; at < 1000; at += step, step = std::min<std::size_t>(step + 7, 1000 - at)) {
        crossfade(from.block().slice(at, step), to.block().slice(at, step), static_cast<std::int64_t>(at), 1000,
                  parts.block().slice(at, step));
    }
    for (std::size_t c = 0; c < 2; ++c) {
        for (std::size_t i = 0; i < 1000; ++i) ASSERT_EQ(whole.block().channel(c)[i], parts.block().channel(c)[i]);
    }
}

TEST(Crossfade, IsThatOfALoopInDoubleOnEveryInstructionSet) {
    const AudioBuffer from = noise(1003, 4), to = noise(1003, 5);
    test::on_every_simd([&](const std::string&) {
        AudioBuffer out = test::copy(to.block());
        crossfade(from.block(), out.block(), 100, 44'100, out.block());
        for (std::size_t c = 0; c < 2; ++c) {
            for (std::size_t i = 0; i < 1003; ++i) {
                const double weight = (static_cast<double>(100 + i) + 0.5) * (1.0 / 44'100.0);
                const double a = from.block().channels[c][i];
                const double b = to.block().channels[c][i];
                ASSERT_EQ(out.block().channels[c][i], static_cast<float>(a + weight * (b - a)));
            }
        }
    });
}

}  // namespace
}  // namespace lacquer::dsp
