#include "src/player/reduction_meter.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "dsp/enhancer.h"
#include "tests/src/faulty_decoder.h"
#include "tests/src/fixture.h"

namespace lacquer::player {
namespace {

using test::DecoderFaults;
using test::eventually;

constexpr std::uint32_t kRateHz = 16'000;
constexpr std::int64_t kTick = kRateHz / 10;

class ReductionMeterTest : public testing::Test {
protected:
    ReductionMeterTest() {
        test::write_wav(file_, test::restless_noise(20.0, {kRateHz, 2}).block(), kRateHz, 32);
        RenderPlan plan = *test::plan_of(file_);
        for (auto& band : plan.recipe.compressor.bands) {
            band.threshold_db = -40.0;
            band.slope = 0.6;
        }
        plan.recipe.level.gain *= 16.0;
        plan_ = make_plan(plan);
    }

    std::optional<GainReduction> known(ReductionMeter& meter, std::int64_t frame) const {
        std::optional<GainReduction> reduction;
        EXPECT_TRUE(eventually([&] { return (reduction = meter.at(plan_, frame)).has_value(); })) << frame;
        return reduction;
    }

    // The most that the chain does in the 100 ms before and after `frame`, run from the beginning of the track.
    GainReduction straight(std::int64_t frame) const {
        dsp::Enhancer enhancer(plan_->recipe, 0);
        const auto decoder = media::open_decoder(file_);
        dsp::AudioBuffer audio(2, static_cast<std::size_t>(frame + kTick));
        decoder->read(audio.block());
        enhancer.process(audio.block().slice(0, static_cast<std::size_t>(frame - kTick)));
        enhancer.take_reduction();
        enhancer.process(audio.block().slice(static_cast<std::size_t>(frame - kTick), 2 * kTick));
        const dsp::GainReduction reduction = enhancer.take_reduction();
        return {reduction.compressor_db, reduction.limiter_db};
    }

    test::TempDir directory_;
    const std::filesystem::path file_ = directory_.path() / "track.wav";
    PlanPtr plan_;
    const std::shared_ptr<DecoderFaults> faults_ = std::make_shared<DecoderFaults>();
};

TEST_F(ReductionMeterTest, KnowsWhatTheChainDoesWherePlaybackIs) {
    ReductionMeter meter;
    for (std::int64_t frame = 0; frame < 8 * kRateHz; frame += kTick) {
        const GainReduction reduction = *known(meter, frame);
        if (frame < 2 * kTick || frame % (3 * kRateHz) < kRateHz / 2) continue;  // the level changes every 3 s
        EXPECT_NEAR(reduction.compressor_db, straight(frame).compressor_db, 0.6) << frame;
        EXPECT_LE(reduction.limiter_db, straight(frame).limiter_db + 0.1) << frame;  // of twice the time
    }
}

TEST_F(ReductionMeterTest, LoudAndQuietPassagesDiffer) {
    ReductionMeter meter;
    const GainReduction loud = *known(meter, 2 * kRateHz);
    const GainReduction quiet = *known(meter, 5 * kRateHz);
    EXPECT_GT(loud.compressor_db, quiet.compressor_db + 1.0);
    EXPECT_GT(loud.limiter_db, quiet.limiter_db + 1.0);
}

TEST_F(ReductionMeterTest, AJumpIsWarmedUpTo) {
    ReductionMeter meter(DecoderFaults::opener(faults_));
    for (const std::int64_t frame : {14 * kRateHz, 2 * kRateHz, 8 * kRateHz}) {
        EXPECT_NEAR(known(meter, frame)->compressor_db, straight(frame).compressor_db, 0.6) << frame;
    }
    EXPECT_EQ(faults_->opened(), 3);
}

TEST_F(ReductionMeterTest, FollowingNeedsOneDecoder) {
    ReductionMeter meter(DecoderFaults::opener(faults_));
    for (std::int64_t frame = 0; frame < 5 * kRateHz; frame += kTick) known(meter, frame);
    EXPECT_EQ(faults_->opened(), 1);
}

TEST_F(ReductionMeterTest, ADecoderThatFailsLeavesItUnknownAndIsTriedAgainLater) {
    faults_->set({.from_frame = kRateHz});
    ReductionMeter meter(DecoderFaults::opener(faults_));
    known(meter, 0);
    EXPECT_TRUE(eventually([&] { return !meter.at(plan_, kRateHz + kTick).has_value() && faults_->opened() >= 1; }));
    EXPECT_FALSE(meter.at(plan_, kRateHz + 2 * kTick).has_value());
    faults_->clear();
    known(meter, 7 * kRateHz);
    EXPECT_LE(faults_->opened(), 3);
}

TEST_F(ReductionMeterTest, ADecoderThatHangsHoldsNobodyUp) {
    faults_->set({.blocks = true});
    {
        ReductionMeter meter(DecoderFaults::opener(faults_));
        EXPECT_TRUE(eventually([&] {
            EXPECT_FALSE(meter.at(plan_, 0).has_value());
            return faults_->blocked() == 1;
        }));
    }
    EXPECT_EQ(faults_->blocked(), 1);  // gone without it
    faults_->release();
    EXPECT_TRUE(eventually([&] { return faults_->blocked() == 0; }));
}

TEST_F(ReductionMeterTest, NothingIsKnownOfWhatIsNotEnhanced) {
    ReductionMeter meter(DecoderFaults::opener(faults_));
    known(meter, kRateHz);
    EXPECT_FALSE(meter.at(nullptr, kRateHz).has_value());
    const PlanPtr untouched = test::plan_of(file_, {.request = {dsp::PresetId::punchy, 0.0}});
    EXPECT_FALSE(meter.at(untouched, kRateHz).has_value());
    EXPECT_EQ(faults_->opened(), 1);
    known(meter, kRateHz);
}

TEST_F(ReductionMeterTest, AFileThatIsAnotherOneByNowIsNotLookedAt) {
    std::filesystem::remove(file_);
    test::write_wav(file_, test::restless_noise(20.0, {kRateHz, 2}, 2).block(), kRateHz, 32);
    ReductionMeter meter(DecoderFaults::opener(faults_));
    for (int i = 0; i < 20; ++i) {
        EXPECT_FALSE(meter.at(plan_, i * kTick).has_value());
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    EXPECT_EQ(faults_->opened(), 0);
}

}  // namespace
}  // namespace lacquer::player
