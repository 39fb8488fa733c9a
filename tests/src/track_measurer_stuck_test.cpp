// Measuring from a source that blocks for ever.
#include <atomic>
#include <functional>
#include <future>
#include <memory>

#include "src/track_measurer.h"
#include "tests/src/fixture.h"

namespace lacquer {
namespace {

using namespace std::chrono_literals;
using test::eventually;
using test::present;

// Does something before each read, told the frame.
class WatchedDecoder : public media::Decoder {
public:
    using BeforeRead = std::function<void(std::int64_t)>;
    static media::OpenDecoder opener(BeforeRead before_read) {
        return [before_read](const std::filesystem::path& file, const media::MediaInfo& info) {
            return std::make_unique<WatchedDecoder>(media::open_decoder(file, info), before_read);
        };
    }
    WatchedDecoder(std::unique_ptr<media::Decoder> decoder, BeforeRead before_read)
        : decoder_(std::move(decoder)), before_read_(std::move(before_read)) {}
    const media::MediaInfo& info() const noexcept override { return decoder_->info(); }
    void seek(std::int64_t frame) override {
        decoder_->seek(frame);
        position_ = frame;
    }
    std::size_t read(dsp::AudioBlock out) override {
        before_read_(position_);
        const std::size_t count = decoder_->read(out);
        position_ += static_cast<std::int64_t>(count);
        return count;
    }

private:
    std::unique_ptr<media::Decoder> decoder_;
    BeforeRead before_read_;
    std::int64_t position_ = 0;
};

// Nothing of it is read from a frame of the track on until it is let go.
class HungMount {
public:
    explicit HungMount(std::int64_t hangs_at_frame) : state_(std::make_shared<State>()), from_(hangs_at_frame) {}
    media::OpenDecoder opener() const {
        return WatchedDecoder::opener([state = state_, from = from_](std::int64_t frame) {
            if (frame < from) return;
            ++state->hanging;
            state->gone.wait();
            --state->hanging;
        });
    }
    int hanging() const { return state_->hanging; }
    void let_go() { state_->go.set_value(); }

private:
    struct State {
        std::atomic<int> hanging = 0;
        std::promise<void> go;
        std::shared_future<void> gone = go.get_future().share();
    };
    std::shared_ptr<State> state_;  // shared with those that hang, who may outlive the test
    const std::int64_t from_;
};

class TrackMeasurerStuckTest : public testing::Test {
protected:
    static constexpr int kSeconds = 155;

    TrackMeasurerStuckTest() { test::write_wav(file, test::restless_noise(kSeconds, {8000, 1}).block(), 8000); }
    std::future<std::optional<Measured>> measuring(TrackMeasurer& measurer, std::function<bool()> wanted = present) {
        return std::async(std::launch::async, [this, &measurer, wanted = std::move(wanted)] {
            return measurer.measure(file, media::probe(file), TaskClass::listener, wanted);
        });
    }
    static void wait_out_the_patience(Scheduler& scheduler) {
        scheduler.write_off_stuck(Deadline{} + 0s, 30s);
        scheduler.write_off_stuck(Deadline{} + 30s, 30s);
    }
    test::TempDir folder;
    const std::filesystem::path file = folder / "a.wav";
};

TEST_F(TrackMeasurerStuckTest, WhatHangsFromItsStartFailsWithTimeoutAndLeavesNothingBehind) {
    HungMount mount(0);
    Scheduler scheduler(2);
    TrackMeasurer measurer(scheduler, mount.opener());
    std::promise<void> asked, answer;  // whoever waits is busy elsewhere and withdraws nothing
    auto measured = measuring(measurer, [&] {
        asked.set_value();
        answer.get_future().wait();
        return true;
    });
    asked.get_future().wait();
    ASSERT_TRUE(eventually([&] { return mount.hanging() == 1; }));
    EXPECT_EQ(scheduler.counts().waiting, 0u) << "the other segments wait until the source reads";
    wait_out_the_patience(scheduler);
    EXPECT_TRUE(eventually([&] { return scheduler.counts().waiting + scheduler.counts().running == 0; }));
    EXPECT_EQ(mount.hanging(), 1) << "the other segments were not tried on the same mount";
    answer.set_value();
    try {
        measured.get();
        ADD_FAILURE() << "measured";
    } catch (const media::DecodeError& error) {
        EXPECT_EQ(std::string(error.what()).find("timeout"), 0u);
        EXPECT_EQ(error.code(), std::errc::timed_out);
    }
    mount.let_go();
    EXPECT_TRUE(eventually([&] { return scheduler.counts().written_off == 0; }));
    const auto again = TrackMeasurer(scheduler).measure(file, media::probe(file), TaskClass::listener, present);
    EXPECT_TRUE(again && again->complete);
}

TEST_F(TrackMeasurerStuckTest, WhatWasMeasuredUntilItHungIsUsedButNotComplete) {
    const std::int64_t frames = 3 * dsp::ProfileMeter::segment_frames(8000);
    HungMount mount(frames);
    Scheduler scheduler(1);
    TrackMeasurer measurer(scheduler, mount.opener());
    auto measuring_all = measuring(measurer);
    ASSERT_TRUE(eventually([&] { return mount.hanging() == 1; }));
    wait_out_the_patience(scheduler);
    const auto measured = measuring_all.get();
    ASSERT_TRUE(measured);
    EXPECT_FALSE(measured->complete);
    EXPECT_TRUE(measured->passing_failure);
    mount.let_go();
    ASSERT_TRUE(eventually([&] { return scheduler.counts().written_off == 0; }));
    const auto whole = TrackMeasurer(scheduler).measure(file, media::probe(file), TaskClass::listener, present);
    ASSERT_EQ(measured->profile.short_term_lufs.size(), static_cast<std::size_t>(frames / 8000));
    for (std::size_t i = 0; i + 2 < measured->profile.short_term_lufs.size(); ++i) {
        EXPECT_NEAR(measured->profile.short_term_lufs[i], whole->profile.short_term_lufs[i], 1e-4) << "second " << i;
    }
}

TEST_F(TrackMeasurerStuckTest, EveryBlockIsProgress) {
    Scheduler scheduler(1);
    std::atomic<int> looks = 0;
    const auto look = [&](std::int64_t) { scheduler.write_off_stuck(Deadline{} + std::chrono::seconds(++looks), 1s); };
    TrackMeasurer measurer(scheduler, WatchedDecoder::opener(look));
    const auto measured = measuring(measurer).get();
    EXPECT_TRUE(measured && measured->complete);
    EXPECT_GT(looks, kSeconds * 8000 / 8192);
}

TEST_F(TrackMeasurerStuckTest, AListenerMayLeaveWhileTheOnlyWorkerIsBlocked) {
    HungMount mount(0);
    Scheduler scheduler(1);
    TrackMeasurer measurer(scheduler, mount.opener());
    EXPECT_FALSE(measuring(measurer, [&] { return mount.hanging() == 0; }).get());
    EXPECT_EQ(mount.hanging(), 1);
    EXPECT_EQ(scheduler.counts().waiting, 0u);
    mount.let_go();
}

TEST_F(TrackMeasurerStuckTest, AWorkerMayComeBackWhenSchedulerAndMeasurerAreGone) {
    HungMount mount(0);
    {
        Scheduler scheduler(1);
        TrackMeasurer measurer(scheduler, mount.opener());
        auto measured = measuring(measurer);
        ASSERT_TRUE(eventually([&] { return mount.hanging() == 1; }));
        scheduler.stop(10ms);
        EXPECT_THROW(measured.get(), media::DecodeError);
    }
    mount.let_go();
    EXPECT_TRUE(eventually([&] { return mount.hanging() == 0; }));
}

TEST_F(TrackMeasurerStuckTest, WhatIsRefusedSaysSoAndLeavesNoTaskBehind) {
    HungMount mount(8192);  // the first block is read, so that the others are asked for
    Scheduler scheduler(1, 0, 4);
    TrackMeasurer measurer(scheduler, mount.opener());
    EXPECT_THROW(measuring(measurer).get(), WorkRefused);
    EXPECT_EQ(scheduler.counts().waiting, 0u);
    EXPECT_EQ(scheduler.counts().refused, 1u);
    mount.let_go();
}

}  // namespace
}  // namespace lacquer
