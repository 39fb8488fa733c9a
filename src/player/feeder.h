// Keeps the mixer fed: a thread that has seconds ready ahead of the ear, goes on from track to track without a gap, and
// turns commands into switches.
//
//     commands --> target --> a run from there, in the spare lane --> the mixer fades over
//                             [ until then the old run goes on being heard ]
//
// A change of preset, intensity or A/B takes over at the very place that is heard at that moment; a seek begins at its
// own. Commands that come while a switch is being made are put together and made next. A track that breaks off is
// followed by the next one where it broke off: what was fed before is heard.
//
// Threads: one of its own; ask() and what tells may be called from any other. Memory: two runs.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "src/player/aim.h"
#include "src/player/feed.h"
#include "src/player/level_meter.h"
#include "src/player/mixer.h"
#include "src/player/player_status.h"
#include "src/player/run.h"
#include "src/player/timeline.h"
#include "src/player/track_loader.h"
#include "thread/mutex.h"

namespace lacquer::player {

// What came of a command, or of a track.
struct FeedEvent {
    enum class Kind { switched, refused, skipped };
    Kind kind = Kind::switched;
    std::uint16_t run = 0;  // switched: heard with this run
    PlayerCommand command;  // switched, refused
    std::size_t track = 0;  // skipped
    std::string reason;     // refused, skipped
};

class Feeder {
public:
    struct Parts {
        ChunkService& chunks;
        TrackLoader& tracks;
        Mixer& mixer;
        LevelMeter& meter;
        dsp::GridSettings grid;
        RunFormat format;
        // Whether tracks of this rate are to be played in this format.
        std::function<bool(std::uint32_t track_rate_hz)> plays;
        double device_seconds = 0.0;  // what the device may take at once, when it begins
    };
    Feeder(Parts parts, const FeedStart& start);
    ~Feeder() { stop(); }
    // Feeds no more, and nothing is added to what take_events() gives. Idempotent.
    void stop();

    // All but TogglePause and Quit, which are not the feeder's.
    void ask(const PlayerCommand& command);
    void wake();  // a track was loaded

    std::optional<Heard> heard(std::uint64_t behind_frames = 0) const;  // nullopt: nothing yet
    ListeningChoice choice() const;                                     // as last asked for
    double buffered_seconds() const;
    std::vector<FeedEvent> take_events();
    std::optional<FeedEnd> end() const;  // nullopt: there is more
    bool played_out() const;             // all that was fed was heard

private:
    enum class Step { done, idle };

    void work();
    void wait(bool switching);
    bool interrupted() const;  // something else is wanted
    bool stopping() const;
    bool is_over() const;  // whatever else is asked for
    std::optional<Heard> heard_or_about_to_be() const;
    void take_commands();
    void skip(std::size_t track, const std::string& reason);
    void skip_rest(Feed& feed, const std::string& reason);
    void stay_here(const std::string& reason);
    void set_end(FeedEnd end);

    Step switch_over();
    Step switch_to(const TrackPtr& track);
    Step try_another(const std::string& problem);
    bool prime(Feed& feed, std::optional<std::uint64_t> aligned_with);
    bool cannot_begin(const Feed& feed, const std::string& reason);
    void take_over(std::unique_ptr<Feed> feed, std::optional<std::uint64_t> aligned_with);
    Step top_up(const std::function<bool()>& go_on);
    std::uint64_t oldest_asked_for(std::uint16_t run) const;
    bool go_on_with_next(Feed& feed);
    TimelineEntry entry(const TrackPtr& track) const;

    const Parts parts_;
    const std::size_t ahead_frames_;

    // The feeder's thread alone.
    Aim aim_;
    std::unique_ptr<Feed> feed_;  // null before the first; swapped for the next one
    int idle_rounds_ = 0;         // while a switch waits
    std::uint16_t next_run_ = 0;
    std::size_t told_skipped_ = 0;  // tracks before this one, when going on

    Timeline timeline_;
    mutable thread::Mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<PlayerCommand> commands_ GUARDED_BY(mutex_);
    std::vector<FeedEvent> events_ GUARDED_BY(mutex_);
    ListeningChoice choice_ GUARDED_BY(mutex_);
    std::optional<FeedEnd> end_ GUARDED_BY(mutex_);
    std::optional<std::uint16_t> last_run_ GUARDED_BY(mutex_);
    bool woken_ GUARDED_BY(mutex_) = false;
    bool stopping_ GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

}  // namespace lacquer::player
