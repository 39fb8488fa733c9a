// A player from end to end on a sound card whose time passes by itself, several times as fast as the wall's; what it
// plays is recorded, and so is everything that it tells.
//
// Threads: the card's time has its own; steps and listener are called on the one that calls run().
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "src/player/player.h"
#include "tests/player/fake_sound.h"
#include "tests/player/playable.h"
#include "tests/player/told_frames.h"
#include "tests/src/fixture.h"

namespace lacquer::test {

class PlayerRig : public player::PlayerListener {
public:
    static constexpr std::int64_t kTrackPlaces = 150'000;
    static constexpr std::size_t kNone = ~std::size_t{0};
    struct Told {
        std::string what;
        player::PlayerStatus status;
        std::string text;
    };
    struct Step {
        std::function<bool()> when;
        std::function<std::vector<player::PlayerCommand>()> then;
    };

    PlayerRig() : clock_([this] { pass_time(); }) {}
    ~PlayerRig() override {
        ended_ = true;
        clock_.join();
    }

    void add(double seconds, std::uint32_t rate_hz = 16'000) {
        const std::size_t index = tracks.size();
        const auto frames = static_cast<std::size_t>(std::llround(seconds * rate_hz));
        const std::vector<float> samples = told_frames(place(index, 1), frames);
        dsp::AudioBuffer audio(2, frames);
        for (std::size_t i = 0; i < samples.size(); ++i) audio.block().channels[i % 2][i / 2] = samples[i];
        tracks.push_back(playable(directory.path() / (std::to_string(index) + ".wav"), audio.block(), rate_hz, index));
    }
    void add_unreadable() { tracks.push_back(nullptr); }
    static std::int64_t place(std::size_t track, std::int64_t frame) {
        return static_cast<std::int64_t>(track) * kTrackPlaces + frame;
    }
    // Once the steps before it were made.
    void when(std::function<bool()> condition, std::function<std::vector<player::PlayerCommand>()> then) {
        steps.push_back({std::move(condition), std::move(then)});
    }
    void ask_when(std::function<bool()> condition, std::vector<player::PlayerCommand> commands) {
        when(std::move(condition), [commands] { return commands; });
    }
    // To its end; bounded, which fails.
    std::size_t run(const player::FeedStart& start = {0, 0.0, untouched()}) {
        player::PlayerSettings settings;
        settings.quality = dsp::Resampler::Quality::fastest;
        settings.grid = kShortGrid;
        settings.start = start;
        settings.shows_reduction = false;
        const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
        player::Player player(
            {pipeline.chunks, sound, *this, [this](std::chrono::milliseconds) { return next_commands(); },
             [] { return std::vector<std::string>{}; },
             [give_up] { return std::chrono::steady_clock::now() < give_up; },
             [](std::size_t track) { return "track " + std::to_string(track); }},
            settings, tracks.size(), [this](std::size_t index, const auto& wanted) { return load(index, wanted); });
        const std::size_t failed = player.run();
        EXPECT_LT(std::chrono::steady_clock::now(), give_up) << "it did not end";
        EXPECT_TRUE(player.stop());
        EXPECT_TRUE(steps.empty()) << steps.size() << " steps were not made";
        return failed;
    }
    bool heard_from(std::size_t track, double seconds) const {
        return status.track.number == track + 1 && status.position_seconds >= seconds;
    }
    std::vector<Told> all(const std::string& what) const {
        std::vector<Told> found;
        for (const Told& one : told)
            if (one.what == what) found.push_back(one);
        return found;
    }
    // Places of a track in the order they were heard, fades included.
    std::vector<std::int64_t> frames_of(std::size_t track) const {
        std::vector<std::int64_t> found;
        for (const ToldFrame& frame : read_told(sound.recording())) {
            const std::int64_t at = std::llround(frame.place) - place(track, 1);
            if (at >= 0 && at < kTrackPlaces - 1) found.push_back(at);
        }
        return found;
    }

    void track_started(const player::PlayerStatus& now) override { tell("started", now); }
    void track_skipped(const std::string& name, const std::string&) override { tell("skipped", status, name); }
    void switched(const player::PlayerStatus& now, const player::PlayerCommand&) override { tell("switched", now); }
    void refused(const player::PlayerCommand&, const std::string& why) override { tell("refused", status, why); }
    void underrun(const player::PlayerStatus& now) override { tell("underrun", now); }
    void device_lost(const std::string& device, const std::string&) override { tell("lost", status, device); }
    void device_opened(const player::PlayerStatus& now) override { tell("opened", now); }
    void message(const std::string& text) override { tell("message", status, text); }
    void tick(const player::PlayerStatus& now) override { status = now; }
    void ended(const player::PlayerStatus& now) override { tell("ended", now); }

    TempDir directory;
    Pipeline pipeline;
    FakeSoundSystem sound;
    std::vector<player::TrackPtr> tracks;   // null: cannot be read
    std::atomic<std::size_t> slow = kNone;  // this one takes as long to load
    std::atomic<int> call_every_ms = 2;     // of the wall's time, for 160 frames
    std::deque<Step> steps;
    player::PlayerStatus status;  // as last told
    std::vector<Told> told;

private:
    void tell(const std::string& what, const player::PlayerStatus& now, const std::string& text = "") {
        status = now;
        told.push_back({what, now, text});
    }
    std::vector<player::PlayerCommand> next_commands() {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        if (steps.empty() || !steps.front().when()) return {};
        const Step step = std::move(steps.front());
        steps.pop_front();
        return step.then();
    }
    player::TrackPtr load(std::size_t index, const std::function<bool()>& wanted) {
        while (index == slow && wanted()) std::this_thread::yield();
        if (!tracks[index] || !wanted()) throw std::runtime_error("unreadable");
        return tracks[index];
    }
    void pass_time() {
        while (!ended_) {
            sound.advance(160, 160);
            std::this_thread::sleep_for(std::chrono::milliseconds(call_every_ms));
        }
    }

    std::atomic<bool> ended_ = false;
    std::thread clock_;  // last: it uses the others
};

}  // namespace lacquer::test
