#include "dsp/interleave.h"

#include <vector>

#include <gtest/gtest.h>

#include "tests/support/every_simd.h"
#include "tests/support/measures.h"
#include "tests/support/signals.h"

namespace lacquer::dsp {
namespace {

TEST(Interleave, PutsLeftBeforeRightAndBack) {
    const AudioBuffer source = test::white_noise(1, -6.0, 0.01);
    test::on_every_simd([&](const std::string&) {
        for (const std::size_t frames : {1u, 15u, 16u, 100u, 480u}) {
            std::vector<float> line(2 * frames);
            interleave(source.block().channels[0], source.block().channels[1], frames, line.data());
            for (std::size_t i = 0; i < line.size(); ++i) {
                ASSERT_EQ(line[i], source.block().channels[i % 2][i / 2]) << frames;
            }
            AudioBuffer back(2, frames);
            deinterleave(line.data(), frames, back.block().channels[0], back.block().channels[1]);
            EXPECT_TRUE(test::same_bits(back.block(), source.block().slice(0, frames)));
        }
    });
}

}  // namespace
}  // namespace lacquer::dsp
