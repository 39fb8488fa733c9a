// Stereo frames that tell which they are, whatever level they are heard at: left the level itself, right the place
// times the level.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <gtest/gtest.h>

namespace lacquer::test {

inline std::vector<float> told_frames(std::int64_t first, std::size_t frames) {
    std::vector<float> samples(frames * 2);
    for (std::size_t i = 0; i < frames; ++i) {
        samples[2 * i] = 1.0f;
        samples[2 * i + 1] = static_cast<float>(first + static_cast<std::int64_t>(i));
    }
    return samples;
}

struct ToldFrame {
    std::size_t at = 0;  // when it was heard
    double place = 0.0;
    double level = 0.0;
};

// All but the silent ones.
inline std::vector<ToldFrame> read_told(std::span<const float> heard) {
    std::vector<ToldFrame> told;
    for (std::size_t i = 0; 2 * i < heard.size(); ++i) {
        const double level = static_cast<double>(heard[2 * i]);
        if (level != 0.0) told.push_back({i, static_cast<double>(heard[2 * i + 1]) / level, level});
    }
    return told;
}

// Every place heard once, in its order, from `first` on.
inline void expect_consecutive(const std::vector<ToldFrame>& told, std::int64_t first) {
    for (std::size_t i = 0; i < told.size(); ++i) {
        const double expected = static_cast<double>(first) + static_cast<double>(i);
        ASSERT_NEAR(told[i].place, expected, 1e-6 * expected + 1e-3) << "frame " << told[i].at;
    }
}

// The steepest change of the level from one frame to the next, silence before and after.
inline double steepest(std::span<const float> heard, double level_before = 0.0) {
    double most = 0.0;
    for (std::size_t i = 0; 2 * i < heard.size(); ++i) {
        const double level = static_cast<double>(heard[2 * i]);
        most = std::max(most, std::abs(level - level_before));
        level_before = level;
    }
    return most;
}

}  // namespace lacquer::test
