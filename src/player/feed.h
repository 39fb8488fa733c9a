// Where feeding begins, what it leads to, and a run on its way into a lane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "src/player/frame_ring.h"
#include "src/player/level_meter.h"
#include "src/player/player_status.h"
#include "src/player/run.h"
#include "src/player/timeline.h"

namespace lacquer::player {

// Where the feeding begins.
struct FeedStart {
    std::size_t track = 0;
    double seconds = 0.0;
    ListeningChoice choice;                 // compared: this track was
    std::vector<PlayerCommand> commands{};  // that led here and are told as switched when it is heard
};

// The feeder has no more to give in this format.
struct FeedEnd {
    std::optional<FeedStart> next;  // goes on so in another format; nullopt: the list has ended
    bool at_once = false;           // what is still in the lane is not to be heard
};

// A run on its way into a lane: what is read is put there and measured. While it is not certain that it will be heard,
// the measuring is put off: the meter still belongs to the run before.
//
// Threads: the feeder's. Memory: a run and a block; what is not yet measured, a fraction of a second.
class Feed {
public:
    Feed(ChunkService& chunks, const RunFormat& format, LevelMeter& meter, FrameRing& lane, std::uint16_t id,
         TimelineEntry first);

    std::uint16_t id() const noexcept { return id_; }
    const TimelineEntry& first() const noexcept { return first_; }  // where the run begins
    const TimelineEntry& last() const noexcept { return last_; }    // of the track being read
    Run& run() noexcept { return run_; }
    const FrameRing& lane() const noexcept { return lane_; }
    bool has_room() const noexcept { return lane_.room_frames() >= block_.size() / format_.channels; }

    // One block into the lane: its frames; 0 as Run::read(). Throws ChunkError, WorkRefused.
    std::size_t advance(const std::function<bool()>& go_on);
    // As Run::go_on_with(); the entry with its places filled in.
    const TimelineEntry& go_on_with(TimelineEntry following);
    std::optional<FeedEnd> leads_to{};  // once all of it is in the lane; nullopt: not yet known
    // It will be heard: what was put off is measured now, everything else as it comes.
    void begin_measuring(bool begins_track);

private:
    void measure(std::size_t from_frame, std::size_t to_frame);
    std::int64_t meter_frame(std::uint64_t lane_frame) const {
        return first_.meter_frame + static_cast<std::int64_t>(lane_frame);
    }

    const RunFormat format_;
    LevelMeter& meter_;
    FrameRing& lane_;
    const std::uint16_t id_;
    const TimelineEntry first_;
    TimelineEntry last_;
    Run run_;
    std::vector<float> block_;
    bool is_measured_ = false;
    std::vector<float> put_off_;                   // from the lane's beginning
    std::vector<std::uint64_t> tracks_put_off_{};  // where tracks begin in the lane
};

}  // namespace lacquer::player
