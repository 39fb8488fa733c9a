#include "dsp/lanes.h"

#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/audio_block.h"
#include "tests/support/every_simd.h"
#include "tests/support/signals.h"

namespace lacquer::dsp {
namespace {

TEST(Lanes, EveryLaneIsItsRowTimesTheWindow) {
    const AudioBuffer audio = test::white_noise(1, -10.0, 0.1);
    std::vector<float> window(64);
    for (std::size_t i = 0; i < window.size(); ++i) window[i] = 0.25f * static_cast<float>(i);
    LaneRows rows;
    for (std::size_t lane = 0; lane < kLanes; ++lane) rows[lane] = audio.block().channels[lane % 2] + 37 * lane;
    test::on_every_simd([&](const std::string&) {
        for (const std::size_t frames : {1u, 3u, 4u, 61u, 64u}) {
            AudioBuffer plain(1, 64 * kLanes), windowed(1, 64 * kLanes);
            to_lanes(rows, frames, plain.block().channels[0]);
            to_lanes(rows, window.data(), 64, windowed.block().channels[0]);
            for (std::size_t i = 0; i < frames; ++i) {
                for (std::size_t lane = 0; lane < kLanes; ++lane) {
                    ASSERT_EQ(plain.block().channels[0][i * kLanes + lane], rows[lane][i]) << i << " " << lane;
                    ASSERT_EQ(windowed.block().channels[0][i * kLanes + lane], rows[lane][i] * window[i]);
                }
            }
        }
    });
}

TEST(Lanes, DamageIsCopiedAsSilence) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const float bad[] = {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity, 1.0001e6f, -3e38f};
    test::on_every_simd([&](const std::string&) {
        for (const std::size_t count : {0u, 1u, 15u, 16u, 33u}) {
            for (std::size_t at = 0; at < count; ++at) {
                std::vector<float> from(count, -kLoudestSample), to(count + 1, 7.0f);
                from[at] = bad[at % std::size(bad)];
                copy_undamaged(from.data(), count, to.data());
                for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(to[i], i == at ? 0.0f : -kLoudestSample);
                EXPECT_EQ(to[count], 7.0f);
            }
        }
    });
}

}  // namespace
}  // namespace lacquer::dsp
