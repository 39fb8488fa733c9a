// Which place of which track a frame of a run is: written by the feeder, seconds ahead of the ear, read by whoever
// tells what is heard.
//
// Threads: any. Memory: a few entries for each of the last runs.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "src/player/mixer.h"
#include "src/player/voice.h"
#include "thread/mutex.h"

namespace lacquer::player {

// A stretch of one track inside a run. Frames are the device's.
struct TimelineEntry {
    std::uint64_t lane_frame = 0;   // where it begins
    std::int64_t track_frame = 0;   // the place in the track that this is
    std::int64_t track_frames = 0;  // its length
    double track_seconds = 0.0;     // the same
    std::int64_t meter_frame = 0;   // where it begins as the level meter counts
    TrackPtr track;
    ListeningChoice choice;
    Voice voice;
};

struct Heard {
    TimelineEntry entry;
    std::uint16_t run = 0;
    std::int64_t track_frame = 0;
    std::int64_t meter_frame = 0;
};

class Timeline {
public:
    void begin_run(std::uint16_t run, TimelineEntry first);
    void forget_run(std::uint16_t run);  // the one begun last: it did not come to be heard
    // To the run begun last. What ended before its frame `keep_from` is not asked for any more.
    void append(TimelineEntry next, std::uint64_t keep_from);
    // What `position` is; of a time `behind_frames` earlier, as far as the run goes back. nullopt: not known any more.
    std::optional<Heard> at(const Mixer::Position& position, std::uint64_t behind_frames = 0) const;

private:
    struct RunEntries {
        std::uint16_t run = 0;
        std::vector<TimelineEntry> entries;  // in order, never empty
    };
    mutable thread::Mutex mutex_;
    std::deque<RunEntries> runs_ GUARDED_BY(mutex_);
};

}  // namespace lacquer::player
