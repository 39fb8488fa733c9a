#include "src/player/timeline.h"

#include <algorithm>

namespace lacquer::player {
namespace {

constexpr std::size_t kRunsKept = 4;  // the one that is heard, the one that is coming, those just left

}  // namespace

void Timeline::begin_run(std::uint16_t run, TimelineEntry first) {
    const thread::MutexLock lock(mutex_);
    runs_.push_back({run, {std::move(first)}});
    if (runs_.size() > kRunsKept) runs_.pop_front();
}

void Timeline::forget_run(std::uint16_t run) {
    const thread::MutexLock lock(mutex_);
    if (!runs_.empty() && runs_.back().run == run) runs_.pop_back();
}

void Timeline::append(TimelineEntry next, std::uint64_t keep_from) {
    const thread::MutexLock lock(mutex_);
    std::vector<TimelineEntry>& entries = runs_.back().entries;
    entries.push_back(std::move(next));
    const auto is_over = [&](std::size_t entry) { return entries[entry + 1].lane_frame <= keep_from; };
    std::size_t over = 0;
    while (over + 1 < entries.size() && is_over(over)) ++over;
    entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(over));
}

std::optional<Heard> Timeline::at(const Mixer::Position& position, std::uint64_t behind_frames) const {
    const thread::MutexLock lock(mutex_);
    const auto run =
        std::find_if(runs_.rbegin(), runs_.rend(), [&](const RunEntries& known) { return known.run == position.run; });
    if (run == runs_.rend()) return std::nullopt;
    const std::uint64_t begin = run->entries.front().lane_frame;
    const std::uint64_t frame = std::max(begin, position.frame - std::min(position.frame, behind_frames));
    auto entry = run->entries.end();
    do {
        --entry;
    } while (entry != run->entries.begin() && entry->lane_frame > frame);
    const auto into = static_cast<std::int64_t>(frame - entry->lane_frame);
    return Heard{*entry, position.run, entry->track_frame + into, entry->meter_frame + into};
}

}  // namespace lacquer::player
