#include "src/player/feed.h"

#include <algorithm>
#include <span>
#include <utility>

namespace lacquer::player {
namespace {

constexpr std::size_t kBlocksPerSecond = 10;

}  // namespace

Feed::Feed(ChunkService& chunks, const RunFormat& format, LevelMeter& meter, FrameRing& lane, std::uint16_t id,
           TimelineEntry first)
    : format_(format),
      meter_(meter),
      lane_(lane),
      id_(id),
      first_(std::move(first)),
      last_(first_),
      run_(chunks, format, *first_.track, first_.voice, first_.track_frame),
      block_(format.sample_rate_hz / kBlocksPerSecond * format.channels) {}

std::size_t Feed::advance(const std::function<bool()>& go_on) {
    const std::size_t frames = run_.read(block_, go_on);
    const auto samples = std::span<const float>(block_).first(frames * format_.channels);
    if (is_measured_) {
        meter_.feed(meter_frame(lane_.written_frames()), samples);
    } else {
        put_off_.insert(put_off_.end(), samples.begin(), samples.end());
    }
    lane_.write(samples);
    return frames;
}

const TimelineEntry& Feed::go_on_with(TimelineEntry following) {
    const std::size_t to_come = run_.go_on_with(*following.track, following.voice);
    following.lane_frame = lane_.written_frames() + to_come;
    following.meter_frame = meter_frame(following.lane_frame);
    if (is_measured_) {
        meter_.begin_track(following.meter_frame);
    } else {
        tracks_put_off_.push_back(following.lane_frame);
    }
    last_ = std::move(following);
    return last_;
}

void Feed::begin_measuring(bool begins_track) {
    is_measured_ = true;
    if (begins_track) meter_.begin_track(first_.meter_frame);
    const std::size_t frames = put_off_.size() / format_.channels;
    std::size_t measured = 0;
    for (const std::uint64_t begin : tracks_put_off_) {
        const std::size_t until = std::min<std::size_t>(begin, frames);
        measure(std::exchange(measured, until), until);
        meter_.begin_track(meter_frame(begin));
    }
    measure(measured, frames);
    put_off_ = {};
}

void Feed::measure(std::size_t from_frame, std::size_t to_frame) {
    const auto samples = std::span<const float>(put_off_).subspan(from_frame * format_.channels,
                                                                  (to_frame - from_frame) * format_.channels);
    meter_.feed(meter_frame(from_frame), samples);
}

}  // namespace lacquer::player
