#include "src/player/live_bridge.h"

#include <algorithm>
#include <cmath>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/allocation_guard.h"

namespace lacquer::player {
namespace {

constexpr std::uint32_t kRateHz = 48'000;
constexpr double kMarginSeconds = 0.02;

// What goes in comes out.
struct Wire : AudioCallback {
    void process(const float* input, float* output, std::size_t frames) LACQUER_REALTIME override {
        std::copy_n(input, 2 * frames, output);
    }
};

class LiveBridgeTest : public testing::Test {
protected:
    // A slow sine; its frames tell where they come from.
    void hear(std::size_t frames) {
        std::vector<float> input(2 * frames);
        for (std::size_t i = 0; i < frames; ++i, ++heard_) {
            input[2 * i] = input[2 * i + 1] = 0.5f * static_cast<float>(std::sin(0.02 * static_cast<double>(heard_)));
        }
        bridge_.listener().process(input.data(), nullptr, frames);
    }
    void speak(std::size_t frames) {
        const std::size_t before = out_.size();
        out_.resize(before + 2 * frames);
        bridge_.speaker().process(nullptr, out_.data() + before, frames);
    }
    float largest_step() const {
        float largest = 0.0f;
        for (std::size_t i = 2; i < out_.size(); i += 2) largest = std::max(largest, std::abs(out_[i] - out_[i - 2]));
        return largest;
    }

    Wire wire_;
    LiveBridge bridge_{wire_, 2, 2, kRateHz, kMarginSeconds};
    std::vector<float> out_;
    std::size_t heard_ = 0;
};

// The sine's own steepest step is 0.5 x 0.02; a fade of 5 ms adds 1/240 per frame.
constexpr float kSmoothStep = 0.5f * 0.02f + 1.0f / 240.0f;

TEST_F(LiveBridgeTest, CarriesEveryFrameOnceItFlows) {
    for (int i = 0; i < 500; ++i) {
        hear(480);
        speak(480);
    }
    EXPECT_EQ(bridge_.slips(), 0u);
    EXPECT_LE(largest_step(), kSmoothStep);
    // From then on the input, late by the margin and what was handed over at once.
    const std::size_t last = out_.size() / 2 - 1;
    const double late = (heard_ - 1) - std::round(kMarginSeconds * kRateHz);
    EXPECT_NEAR(out_[2 * last], 0.5 * std::sin(0.02 * late), 1e-6);
}

TEST_F(LiveBridgeTest, AnInputThatStopsFadesOutAndComesBackWithMoreMargin) {
    const auto both = [this] {
        for (int i = 0; i < 100; ++i) {
            hear(480);
            speak(480);
        }
    };
    both();
    for (int i = 0; i < 20; ++i) speak(480);
    EXPECT_EQ(bridge_.slips(), 1u);
    EXPECT_EQ(out_.back(), 0.0f);
    EXPECT_NEAR(bridge_.margin_seconds(), 1.5 * kMarginSeconds, 1e-4);
    both();
    EXPECT_EQ(bridge_.slips(), 1u);
    EXPECT_NE(out_.back(), 0.0f);
    EXPECT_LE(largest_step(), kSmoothStep);
}

class LiveBridgeAtPeriods : public LiveBridgeTest, public testing::WithParamInterface<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(OfFrames, LiveBridgeAtPeriods, testing::Values(80, 480));

TEST_P(LiveBridgeAtPeriods, AFasterInputIsLeftOutInFades) {
    for (int i = 0; i < 6'000; ++i) {  // a minute, 0.2 % apart
        hear(481);
        for (std::size_t left = 480; left > 0; left -= GetParam()) speak(GetParam());
    }
    EXPECT_GE(bridge_.slips(), 4u);
    EXPECT_LE(bridge_.slips(), 12u);
    EXPECT_LE(largest_step(), 1.0f / std::min<float>(240.0f, static_cast<float>(GetParam())) + 2 * kSmoothStep);
    EXPECT_NEAR(bridge_.margin_seconds(), kMarginSeconds, 1e-4);
}

TEST_F(LiveBridgeTest, ASlowerInputSlipsNowAndThen) {
    for (int i = 0; i < 6'000; ++i) {
        hear(479);
        speak(480);
    }
    EXPECT_GE(bridge_.slips(), 1u);
    EXPECT_LE(bridge_.slips(), 8u);
    EXPECT_LE(largest_step(), kSmoothStep);
}

TEST_F(LiveBridgeTest, AllocatesNothing) {
    std::vector<float> input(2 * 480, 0.1f), output(2 * 480);
    const test::AllocationGuard guard;
    for (int i = 0; i < 1'000; ++i) {
        bridge_.listener().process(input.data(), nullptr, 480);
        bridge_.speaker().process(nullptr, output.data(), i % 7 == 0 ? 300 : 480);
    }
    EXPECT_GT(bridge_.slips(), 0u);
    EXPECT_EQ(guard.count(), 0u);
}

TEST_F(LiveBridgeTest, TwoThreadsWorkAtOnce) {
    std::jthread input([this] {
        for (int i = 0; i < 2'000; ++i) hear(100);
    });
    for (int i = 0; i < 2'000; ++i) speak(100);
    input.join();
    EXPECT_TRUE(std::all_of(out_.begin(), out_.end(), [](float sample) { return std::abs(sample) <= 0.5f; }));
}

}  // namespace
}  // namespace lacquer::player
