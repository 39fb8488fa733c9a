// A feeder over real chunks, and the device it feeds turned by hand. Tracks that tell their place, untouched: what is
// heard says what it is.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "src/player/feeder.h"
#include "tests/player/ear.h"
#include "tests/player/playable.h"
#include "tests/player/told_frames.h"
#include "tests/src/faulty_decoder.h"

namespace lacquer::test {

// Places [begin, end) heard one after the other, from the moment `at` on.
struct Stretch {
    std::size_t at = 0;
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::size_t at_end() const { return at + static_cast<std::size_t>(end - begin); }
};

// What lies between two of them is a fade.
inline std::vector<Stretch> stretches(std::span<const float> heard) {
    constexpr std::int64_t kShortest = 30;
    std::vector<Stretch> found;
    Stretch current;
    const auto close = [&] {
        if (current.end - current.begin >= kShortest) found.push_back(current);
    };
    for (const ToldFrame& frame : read_told(heard)) {
        const std::int64_t place = std::llround(frame.place);
        if (place != current.end || frame.at != current.at_end()) {
            close();
            current = {frame.at, place, place};
        }
        ++current.end;
    }
    close();
    return found;
}

class Deck {
public:
    static constexpr std::uint32_t kRateHz = 16'000;
    static constexpr std::int64_t kFade = 480;
    static constexpr std::size_t kNone = ~std::size_t{0};
    static constexpr std::int64_t kTrackPlaces = 1'000'000;

    ~Deck() {
        feeder.reset();
        if (loader) loader->stop();
    }
    // The place of a frame of a track, as it is heard.
    static std::int64_t place(std::size_t track, double seconds) {
        return static_cast<std::int64_t>(track) * kTrackPlaces + std::llround(seconds * kRateHz);
    }
    void add(double seconds, std::uint32_t rate_hz = kRateHz) {
        const std::size_t index = tracks.size();
        const auto frames = static_cast<std::size_t>(std::llround(seconds * rate_hz));
        const std::vector<float> samples = told_frames(place(index, 0.0), frames);
        dsp::AudioBuffer audio(2, frames);
        for (std::size_t i = 0; i < samples.size(); ++i) audio.block().channels[i % 2][i / 2] = samples[i];
        const fs::path file = directory.path() / (std::to_string(index) + ".wav");
        tracks.push_back(playable(file, audio.block(), rate_hz, index));
    }
    void add_unreadable() { tracks.push_back(nullptr); }
    void start(std::size_t track = 0, double seconds = 0.0) {
        loader.emplace(
            tracks.size(),
            [this](std::size_t index, const std::function<bool()>& wanted) {
                while (index >= slow && wanted()) std::this_thread::yield();
                if (!tracks[index]) throw std::runtime_error("unreadable");
                return tracks[index];
            },
            [] {});  // listen() wakes the feeder: it may come and go while this is called
        player::FeedStart begin{track, seconds, untouched()};
        feeder.emplace(player::Feeder::Parts{pipeline.chunks,
                                             *loader,
                                             mixer,
                                             meter,
                                             kShortGrid,
                                             {kRateHz, 2, dsp::Resampler::Quality::fastest},
                                             [](std::uint32_t rate_hz) { return rate_hz != 22'050; }},
                       begin);
    }
    // As a device would that gives the feeder all the time it needs.
    void listen(double seconds, std::size_t period = 160) {
        for (std::int64_t left = std::llround(seconds * kRateHz); left > 0; left -= static_cast<std::int64_t>(period)) {
            ASSERT_TRUE(eventually([&] {
                feeder->wake();
                return feeder->buffered_seconds() > 0.5 || feeder->end().has_value();
            })) << "the feeder stands still";
            take(std::min(static_cast<std::size_t>(left), period));
        }
    }
    void take(std::size_t frames) {
        if (const auto now = feeder->heard())
            told[heard.size() / 2] = place(now->entry.track->index, 0.0) + now->track_frame;
        heard = std::move(heard) + ear.take(frames, frames);
    }
    // Listens until everything was heard, bounded.
    void listen_to_the_end(double at_most_seconds = 100.0) {
        for (double at = 0.0; at < at_most_seconds && !feeder->played_out(); at += 0.1) listen(0.1);
        EXPECT_TRUE(feeder->played_out());
    }
    // Gives it; returns what became of it, before anything more is heard.
    player::FeedEvent ask(const player::PlayerCommand& command) {
        feeder->ask(command);
        std::optional<player::FeedEvent> answer;
        EXPECT_TRUE(eventually([&] {
            gather_events();
            for (; !answer && answered < events.size(); ++answered)
                if (events[answered].kind != player::FeedEvent::Kind::skipped) answer = events[answered];
            return answer || (feeder->end() && feeder->end()->at_once);
        })) << "no answer";
        return answer.value_or(player::FeedEvent{});
    }
    void gather_events() {
        for (player::FeedEvent& event : feeder->take_events()) events.push_back(std::move(event));
    }
    std::vector<std::size_t> skipped() {
        gather_events();
        std::vector<std::size_t> found;
        for (const player::FeedEvent& event : events)
            if (event.kind == player::FeedEvent::Kind::skipped) found.push_back(event.track);
        return found;
    }
    // What the timeline said of every moment, where it was no fade, is what was heard then.
    void expect_told_truly() const {
        std::size_t checked = 0;
        for (const Stretch& stretch : stretches(heard)) {
            for (auto at = told.lower_bound(stretch.at); at != told.end() && at->first < stretch.at_end(); ++at) {
                const std::int64_t place = stretch.begin + static_cast<std::int64_t>(at->first - stretch.at);
                const bool about_to_switch = at->second != place && stretch.at_end() - at->first < 480;
                if (about_to_switch) continue;
                ASSERT_EQ(at->second, place) << "at " << at->first;
                ++checked;
            }
        }
        EXPECT_GT(checked, 0u);
    }

    TempDir directory;
    std::shared_ptr<DecoderFaults> faults = std::make_shared<DecoderFaults>();
    Pipeline pipeline{Pipeline::kRoomy, 2, {false, DecoderFaults::opener(faults)}};
    std::vector<player::TrackPtr> tracks;   // null: cannot be read
    std::atomic<std::size_t> slow = kNone;  // from this one on they take as long to load
    player::Mixer mixer{2, kRateHz, 3.5};
    player::LevelMeter meter{kRateHz, 2};
    Ear ear{mixer, 2};
    std::optional<player::TrackLoader> loader;
    std::optional<player::Feeder> feeder;
    std::vector<float> heard;
    std::map<std::size_t, std::int64_t> told;
    std::vector<player::FeedEvent> events;
    std::size_t answered = 0;
};

}  // namespace lacquer::test
