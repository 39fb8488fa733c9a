#include "src/player/feeder.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace lacquer::player {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kAheadSeconds = 3.0;
// In the lane that takes over, beyond the fade: for so long a busy machine may keep this thread waiting.
constexpr double kMarginSeconds = 0.170;
constexpr double kMarginInSilenceSeconds = 0.5;  // where nobody waits to hear a switch
constexpr double kLeastMarginSeconds = 0.020;    // a period or two
constexpr std::chrono::milliseconds kTopUpPause{150};
constexpr std::chrono::milliseconds kSwitchPause{4};
constexpr int kQuickRounds = 250;  // then what a switch waits for is no matter of milliseconds: a track, a device
// A switch that has taken so long is given up for what was asked since.
constexpr std::chrono::milliseconds kSwitchPatience{150};

std::size_t frames_of(double seconds, const RunFormat& format) {
    return static_cast<std::size_t>(std::ceil(seconds * format.sample_rate_hz));
}

std::int64_t frame_at(double seconds, const RunFormat& format, const PlayableTrack& track) {
    return std::clamp<std::int64_t>(std::llround(seconds * format.sample_rate_hz), 0, length_in(format, track));
}

}  // namespace

Feeder::Feeder(Parts parts, const FeedStart& start)
    : parts_(std::move(parts)),
      ahead_frames_(frames_of(kAheadSeconds, parts_.format)),
      aim_(start.choice, start.choice.compared ? std::optional(start.track) : std::nullopt),
      choice_(start.choice) {
    aim_.aim_at({start.track, start.seconds, 1, start.commands});
    thread_ = std::thread([this] { work(); });
}

void Feeder::stop() {
    {
        const thread::MutexLock lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Feeder::ask(const PlayerCommand& command) {
    {
        const thread::MutexLock lock(mutex_);
        commands_.push_back(command);
    }
    changed_.notify_all();
}

void Feeder::wake() {
    {
        const thread::MutexLock lock(mutex_);
        woken_ = true;
    }
    changed_.notify_all();
}

std::optional<Heard> Feeder::heard(std::uint64_t behind_frames) const {
    const auto position = parts_.mixer.position();
    return position ? timeline_.at(*position, behind_frames) : std::nullopt;
}

ListeningChoice Feeder::choice() const {
    const thread::MutexLock lock(mutex_);
    return choice_;
}

double Feeder::buffered_seconds() const {
    const std::size_t frames = parts_.mixer.available_frames();
    return static_cast<double>(frames) / parts_.format.sample_rate_hz;
}

std::vector<FeedEvent> Feeder::take_events() {
    const thread::MutexLock lock(mutex_);
    return std::exchange(events_, {});
}

std::optional<FeedEnd> Feeder::end() const {
    const thread::MutexLock lock(mutex_);
    return end_;
}

bool Feeder::played_out() const {
    const thread::MutexLock lock(mutex_);
    return end_ && (!last_run_ || parts_.mixer.finished(*last_run_));
}

void Feeder::work() {
    while (true) {
        take_commands();
        {
            const thread::MutexLock lock(mutex_);
            if (stopping_) return;
        }
        const bool over = is_over();
        Step step = over || !aim_.target() ? Step::idle : switch_over();
        if (!over && step == Step::idle) step = top_up([this] { return !aim_.target() && !interrupted(); });
        if (step == Step::idle) wait(over || aim_.target());
        if (step == Step::done) idle_rounds_ = 0;
    }
}

void Feeder::wait(bool switching) {
    const bool soon = switching && idle_rounds_++ < kQuickRounds;
    const auto until = Clock::now() + (soon ? kSwitchPause : kTopUpPause);
    const thread::MutexLock lock(mutex_);
    while (!stopping_ && (switching || commands_.empty()) && !woken_) {
        if (changed_.wait_until(mutex_, until) == std::cv_status::timeout) break;
    }
    woken_ = false;
}

bool Feeder::interrupted() const {
    const thread::MutexLock lock(mutex_);
    return stopping_ || !commands_.empty();
}

bool Feeder::stopping() const {
    const thread::MutexLock lock(mutex_);
    return stopping_;
}

bool Feeder::is_over() const {
    const thread::MutexLock lock(mutex_);
    return end_ && end_->at_once;
}

void Feeder::take_commands() {
    std::vector<PlayerCommand> commands;
    {
        const thread::MutexLock lock(mutex_);
        if (end_ && end_->at_once) return;
        commands.swap(commands_);
    }
    if (commands.empty()) return;
    const auto now = heard_or_about_to_be();
    for (const PlayerCommand& command : commands) {
        const auto refusal = aim_.apply(command, now);
        const thread::MutexLock lock(mutex_);
        if (refusal) events_.push_back({FeedEvent::Kind::refused, 0, command, 0, *refusal});
        if (aim_.target()) {
            choice_ = aim_.choice_for(aim_.target()->track);
            end_.reset();
        }
    }
}

void Feeder::skip(std::size_t track, const std::string& reason) {
    const thread::MutexLock lock(mutex_);
    events_.push_back({FeedEvent::Kind::skipped, 0, {}, track, reason});
}

void Feeder::skip_rest(Feed& feed, const std::string& reason) {
    skip(feed.last().track->index, reason);
    feed.run().skip_rest();
}

// What was asked for cannot be had, and what is heard can.
void Feeder::stay_here(const std::string& reason) {
    const std::vector<PlayerCommand> commands = aim_.target()->commands;
    aim_.stay_with(feed_->last().choice);
    const thread::MutexLock lock(mutex_);
    choice_ = aim_.choice_for(feed_->last().track->index);
    for (const PlayerCommand& command : commands) {
        events_.push_back({FeedEvent::Kind::refused, 0, command, 0, reason});
    }
    if (feed_->run().finished()) end_ = feed_->leads_to;
}

void Feeder::set_end(FeedEnd end) {
    const thread::MutexLock lock(mutex_);
    end_ = std::move(end);
}

std::optional<Heard> Feeder::heard_or_about_to_be() const {
    const auto position = parts_.mixer.position();
    const bool is_to_come = feed_ && (!position || position->run != feed_->id());
    if (!is_to_come) return position ? timeline_.at(*position) : std::nullopt;
    const TimelineEntry& first = feed_->first();
    return Heard{first, feed_->id(), first.track_frame, first.meter_frame};
}

Feeder::Step Feeder::switch_over() {
    Target& target = *aim_.target();
    const auto now = heard_or_about_to_be();
    if (!target.seconds && now) target.track = now->entry.track->index;
    if (target.track >= parts_.tracks.count()) {
        aim_.target().reset();
        set_end({std::nullopt, true});
        return Step::done;
    }
    const auto loaded = parts_.tracks.find(target.track);
    if (!loaded) return Step::idle;
    if (!loaded->track) return try_another(loaded->problem);
    try {
        return switch_to(loaded->track);
    } catch (const std::exception& error) {  // the track's boundary: no recipe can be had from what was measured
        if (now && now->entry.track == loaded->track) {
            stay_here(error.what());
        } else {
            parts_.tracks.reject(target.track, error.what());
        }
        return Step::done;
    }
}

Feeder::Step Feeder::try_another(const std::string& problem) {
    Target& target = *aim_.target();
    skip(target.track, problem);
    if (target.track == 0) target.direction = 1;
    target.track += static_cast<std::size_t>(target.direction);
    target.seconds = 0.0;
    return Step::done;
}

// The lane is prepared beside the one that is heard, which has seconds in store.
Feeder::Step Feeder::switch_to(const TrackPtr& track) {
    const std::optional<double> seconds = aim_.target()->seconds;
    if (!parts_.plays(track->input.media.sample_rate_hz)) {
        FeedStart next{track->index, seconds.value_or(0.0), aim_.choice_for(track->index), aim_.target()->commands};
        aim_.target().reset();
        set_end({std::move(next), true});
        return Step::done;
    }
    FrameRing* lane = parts_.mixer.spare();
    if (lane == nullptr) return Step::idle;
    const auto position = parts_.mixer.position();
    const auto place = position ? timeline_.at(*position) : std::nullopt;
    std::optional<std::uint64_t> aligned_with;
    TimelineEntry first = entry(track);
    if (seconds) {
        first.track_frame = frame_at(*seconds, parts_.format, *track);
    } else if (place) {
        first.track_frame = std::min(place->track_frame, first.track_frames);
        aligned_with = position->frame;
    }
    first.meter_frame = place ? place->meter_frame : 0;
    auto feed =
        std::make_unique<Feed>(parts_.chunks, parts_.format, parts_.meter, *lane, next_run_++, std::move(first));
    timeline_.begin_run(feed->id(), feed->first());
    if (prime(*feed, aligned_with)) {
        feed->begin_measuring(!place || place->entry.track != track);
        take_over(std::move(feed), aligned_with);
    } else {
        timeline_.forget_run(feed->id());
    }
    return Step::done;
}

void Feeder::take_over(std::unique_ptr<Feed> feed, std::optional<std::uint64_t> aligned_with) {
    const bool fades_in = feed->first().track_frame > 0;
    parts_.mixer.switch_to_spare({feed->id(), aligned_with, fades_in});
    const bool finished = feed->run().finished();
    if (finished) parts_.mixer.end_lane();
    feed_ = std::move(feed);
    const thread::MutexLock lock(mutex_);
    last_run_ = feed_->id();
    end_ = finished ? feed_->leads_to : std::nullopt;
    for (const PlayerCommand& command : aim_.target()->commands) {
        events_.push_back({FeedEvent::Kind::switched, feed_->id(), command, 0, ""});
    }
    aim_.target().reset();
}

// As much as the mixer wants to see before it fades over; what is heard meanwhile does not run dry. False: something
// else is wanted by now.
bool Feeder::prime(Feed& feed, std::optional<std::uint64_t> aligned_with) {
    const auto begun = Clock::now();
    const bool in_silence = parts_.mixer.silent();
    const double margin_seconds = in_silence ? kMarginInSilenceSeconds + parts_.device_seconds : kMarginSeconds;
    const std::size_t enough = frames_of(kFadeSeconds + margin_seconds, parts_.format);
    const std::size_t least = frames_of(kFadeSeconds + kLeastMarginSeconds, parts_.format);
    const auto wanted = [&] {
        const auto position = parts_.mixer.position();
        return enough + (aligned_with && position ? position->frame - *aligned_with : 0);
    };
    const auto what_is_ready = [] { return false; };
    const auto go_on = [&] {
        top_up(what_is_ready);
        return !stopping() && !(interrupted() && Clock::now() - begun > kSwitchPatience);
    };
    while (feed.lane().written_frames() < wanted()) {
        if (!feed.has_room() || !go_on()) return false;
        try {
            if (feed.advance(go_on) > 0) continue;
        } catch (const WorkRefused&) {  // for now
            wait(false);
            return false;
        } catch (const std::exception& error) {  // the track's boundary
            if (cannot_begin(feed, error.what())) return false;
            skip_rest(feed, error.what());
        }
        if (feed.run().finished()) return true;
        if (!feed.run().ends_here() || go_on_with_next(feed)) continue;
        if (in_silence && feed.lane().written_frames() >= least) return true;  // a short one, and the next takes long
        wait(true);
    }
    return true;
}

// Nothing of the run can be heard: another track, or, when it is the one that is heard, no switch.
bool Feeder::cannot_begin(const Feed& feed, const std::string& reason) {
    if (feed.lane().written_frames() > 0 || feed.last().track != feed.first().track) return false;
    const auto now = heard_or_about_to_be();
    if (now && now->entry.track == feed.first().track) {
        stay_here(reason);
    } else {
        try_another(reason);
    }
    return true;
}

Feeder::Step Feeder::top_up(const std::function<bool()>& go_on) {
    if (!feed_ || feed_->run().finished()) return Step::idle;
    if (feed_->lane().available_frames() >= ahead_frames_) return Step::idle;
    try {
        if (feed_->advance(go_on) > 0) return Step::done;
    } catch (const std::exception& error) {  // the track's boundary
        skip_rest(*feed_, error.what());
        return Step::done;
    }
    if (feed_->run().finished()) {
        parts_.mixer.end_lane();
        if (!aim_.target()) set_end(*feed_->leads_to);
        return Step::idle;
    }
    if (aim_.target()) return Step::idle;  // the loader is asked for that one
    if (!feed_->run().ends_here()) return Step::done;
    return go_on_with_next(*feed_) ? Step::done : Step::idle;
}

// False: it is not known yet what comes next.
bool Feeder::go_on_with_next(Feed& feed) {
    std::size_t next = feed.last().track->index + 1;
    for (; const auto problem = parts_.tracks.known_problem(next); ++next) {
        if (next >= told_skipped_) skip(next, *problem);
        told_skipped_ = std::max(told_skipped_, next + 1);
    }
    if (next >= parts_.tracks.count()) {
        feed.run().finish();
        feed.leads_to.emplace();
        return true;
    }
    const auto loaded = parts_.tracks.find(next);
    if (!loaded || !loaded->track) return false;  // when it just failed, the next look finds that out
    if (!parts_.plays(loaded->track->input.media.sample_rate_hz)) {
        feed.run().finish();
        feed.leads_to = FeedEnd{FeedStart{next, 0.0, aim_.choice_for(next)}, false};
        return true;
    }
    try {
        timeline_.append(feed.go_on_with(entry(loaded->track)), oldest_asked_for(feed.id()));
        return true;
    } catch (const std::exception& error) {  // the track's boundary: no recipe can be had from what was measured
        parts_.tracks.reject(next, error.what());
        return false;
    }
}

// Frame of the run: places before it are in nobody's ear any more.
std::uint64_t Feeder::oldest_asked_for(std::uint16_t run) const {
    const auto position = parts_.mixer.position();
    if (!position || position->run != run) return 0;
    return position->frame - std::min<std::uint64_t>(position->frame, ahead_frames_);
}

TimelineEntry Feeder::entry(const TrackPtr& track) const {
    TimelineEntry entry;
    entry.track = track;
    entry.choice = aim_.choice_for(track->index);
    entry.voice = voice_of(*track, entry.choice, parts_.grid);
    entry.track_frames = length_in(parts_.format, *track);
    entry.track_seconds = static_cast<double>(served_frames(track->input.media)) / track->input.media.sample_rate_hz;
    return entry;
}

}  // namespace lacquer::player
