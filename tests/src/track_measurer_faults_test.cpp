// Measuring from a source that fails: what is measured again, and what comes of it.
#include <nlohmann/json.hpp>

#include "src/measurement.h"
#include "src/profile_json.h"
#include "src/retry_policy.h"
#include "src/track_measurer.h"
#include "tests/src/faulty_decoder.h"
#include "tests/src/fixture.h"

namespace lacquer {
namespace {

using test::DecoderFaults;
using test::present;

const std::error_code kPasses(EIO, std::generic_category());

class TrackMeasurerFaultsTest : public testing::Test {
protected:
    TrackMeasurerFaultsTest() { test::write_wav(file, test::restless_noise(155, {8000, 1}).block(), 8000); }
    std::optional<Measured> measure(int workers = 2, const std::function<bool()>& wanted = present) {
        Scheduler scheduler(workers);
        return TrackMeasurer(scheduler, DecoderFaults::opener(faults))
            .measure(file, media::probe(file), TaskClass::listener, wanted);
    }
    std::string undisturbed() {
        Scheduler scheduler(2);
        return text(TrackMeasurer(scheduler).measure(file, media::probe(file), TaskClass::listener, present));
    }
    static std::string text(const std::optional<Measured>& measured) {
        return profile_to_json(measured->profile).dump();
    }
    test::TempDir folder;
    const std::filesystem::path file = folder / "a.wav";
    const std::shared_ptr<DecoderFaults> faults = std::make_shared<DecoderFaults>();
};

TEST_F(TrackMeasurerFaultsTest, ASourceThatRefusesTooManyReadersIsMeasuredByRetries) {
    const std::string expected = undisturbed();
    for (const int workers : {5, 3}) {
        // From the second block on, so that all begin.
        faults->set(
            {.from_frame = 8192, .code = {EAGAIN, std::generic_category()}, .concurrent = 3, .gather = workers});
        const auto measured = measure(workers);
        ASSERT_TRUE(measured) << workers;
        EXPECT_TRUE(measured->complete) << workers;
        EXPECT_FALSE(measured->passing_failure) << workers;
        EXPECT_EQ(measured->retries > 0, workers == 5);
        EXPECT_EQ(text(measured), expected) << workers;
    }
}

TEST_F(TrackMeasurerFaultsTest, AFaultOfAMomentChangesNothing) {
    const std::string expected = undisturbed();
    for (const int error : {EIO, EMFILE, ESTALE, ETIMEDOUT}) {
        faults->set({.times = 2, .from_frame = 60 * 8000, .code = {error, std::generic_category()}});
        const auto measured = measure();
        ASSERT_TRUE(measured) << error;
        EXPECT_TRUE(measured->complete) << error;
        EXPECT_GE(measured->retries, 1) << error;
        EXPECT_EQ(text(measured), expected) << error;
    }
}

TEST_F(TrackMeasurerFaultsTest, WhatStillFailsAfterThreeRetriesIsSaidToBeMissingForNow) {
    const auto last_segment = 5 * dsp::ProfileMeter::segment_frames(8000);
    faults->set({.from_frame = last_segment, .code = kPasses});
    const auto measured = measure();
    ASSERT_TRUE(measured);
    EXPECT_EQ(measured->retries, kRetries);
    EXPECT_FALSE(measured->complete);
    ASSERT_TRUE(measured->passing_failure);
    try {
        std::rethrow_exception(measured->passing_failure);
    } catch (const media::DecodeError& error) {
        EXPECT_EQ(error.code(), kPasses);
    }
}

TEST_F(TrackMeasurerFaultsTest, WhatIsDamagedIsNotMeasuredAgain) {
    faults->set({.from_frame = 5 * dsp::ProfileMeter::segment_frames(8000)});
    const auto measured = measure();
    ASSERT_TRUE(measured);
    EXPECT_EQ(measured->retries, 0);
    EXPECT_FALSE(measured->complete);
    EXPECT_FALSE(measured->passing_failure);
}

TEST_F(TrackMeasurerFaultsTest, WhereNothingCanBeReadTheErrorTellsWhetherItMayPass) {
    for (const std::error_code& code : {kPasses, std::error_code()}) {
        faults->set({.code = code});
        try {
            measure();
            ADD_FAILURE() << "measured";
        } catch (const media::DecodeError& error) {
            EXPECT_EQ(can_pass(error), code == kPasses);
        }
    }
}

TEST_F(TrackMeasurerFaultsTest, NoWorkerIsKeptWhileARetryIsWaitedForAndWhoLeavesThenIsLetGo) {
    faults->set({.code = kPasses});
    Scheduler scheduler(1);
    TrackMeasurer measurer(scheduler, DecoderFaults::opener(faults));
    const auto all_failed = [&] {
        return faults->opened() >= 7 && scheduler.counts().waiting + scheduler.counts().running == 0;
    };
    EXPECT_FALSE(
        measurer.measure(file, media::probe(file), TaskClass::listener, [&] { return !all_failed(); }).has_value());
    EXPECT_EQ(scheduler.waiting(), 0u);
}

}  // namespace
}  // namespace lacquer
