#include "src/player/player.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <thread>

#include <fmt/format.h>

namespace lacquer::player {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t kChannels = 2;
constexpr std::size_t kMostAsked = 200;     // and not yet done
constexpr auto kPatience = 50ms;            // between two looks at everything
constexpr auto kTickEvery = 100ms;          // of the listener
constexpr double kMostDeviceSeconds = 2.0;  // of what a lane can hold
constexpr auto kFadePatience = 300ms;       // until a device that does not ask any more is not waited for

bool is_jack(const SoundDevice& device) {
    return device.host_api.find("JACK") != std::string::npos;
}

}  // namespace

Player::Player(Surroundings surroundings, PlayerSettings settings, std::size_t track_count, TrackLoader::Load load)
    : surroundings_(std::move(surroundings)),
      settings_(std::move(settings)),
      tracks_(track_count, std::move(load), [this] { wake_feeder(); }),
      outlet_(kChannels),
      output_(surroundings_.sound, {settings_.device, kChannels, settings_.latency_ms}, outlet_, *this),
      next_(settings_.start) {
    if (settings_.shows_reduction) reduction_ = std::make_unique<ReductionMeter>();
}

Player::~Player() {
    stop();
}

bool Player::stop() {
    if (stopped_) return *stopped_;
    output_.stop(SoundStream::Stop::now);
    close_session();
    const bool all_loaded = tracks_.stop();
    stopped_ = all_loaded && !output_.is_hung();
    return *stopped_;
}

std::size_t Player::run() {
    bool opened = false;
    if (find_first_track()) {
        opened = output_.open_at(rate_wanted_hz(), [this] { return pass_time(0ms); });
        if (opened && settings_.rate_hz && device_.sample_rate_hz != *settings_.rate_hz) refuse_rate();
        while (opened && pass_time(kPatience) && move_on()) {}
        if (!ended_by_itself_) fade_out();
        output_.ring_out();  // nothing depends on what the driver does with the rest
        output_.stop(SoundStream::Stop::drained);
        settle_session();
    }
    PlayerStatus last = status();
    last.state = PlayerStatus::State::ended;
    surroundings_.listener.ended(last);
    return skipped_.size();
}

// The device is opened at the rate of the first track that can be played.
bool Player::find_first_track() {
    std::size_t& track = next_.track;
    while (track < tracks_.count()) {
        const auto loaded = tracks_.find(track);
        if (loaded && loaded->track) {
            if (begins_in(*loaded->track)) return true;
            ++track;
            next_.seconds = 0.0;
        } else if (loaded) {
            skip(track++, loaded->problem);
            next_.seconds = 0.0;
        } else if (!pass_time(5ms)) {
            return false;
        }
    }
    return false;
}

bool Player::begins_in(const PlayableTrack& track) {
    const media::MediaInfo& media = track.input.media;
    const double length = static_cast<double>(served_frames(media)) / media.sample_rate_hz;
    if (next_.seconds == 0.0 || next_.seconds < length) return true;
    surroundings_.listener.message(
        fmt::format("'{}' lasts {:.1f} s, playing was to begin at {:.1f} s", track.name, length, next_.seconds));
    return false;
}

// Commands, and what else there is to look after; false: the end.
bool Player::pass_time(std::chrono::milliseconds patience) {
    for (const PlayerCommand& command : surroundings_.commands(patience)) obey(command);
    for (const std::string& message : surroundings_.messages()) surroundings_.listener.message(message);
    if (!device_.device.name.empty()) output_.tick(Clock::now());
    if (session_) {
        tell_events();
        tell_place(at_the_ear());
    }
    if (const auto now = Clock::now(); now >= next_tick_) {
        next_tick_ = now + kTickEvery;
        surroundings_.listener.tick(status());
    }
    return !quit_ && surroundings_.go_on();
}

void Player::obey(const PlayerCommand& command) {
    if (std::holds_alternative<Quit>(command)) {
        quit_ = true;
    } else if (std::holds_alternative<TogglePause>(command)) {
        paused_ = !paused_;
        if (session_) session_->mixer.pause(paused_);
        surroundings_.listener.switched(status(), command);
    } else {
        ask(command);
    }
}

void Player::ask(const PlayerCommand& command) {
    if (asked_.size() >= kMostAsked) {
        surroundings_.listener.refused(command, "too much was asked for already");
        return;
    }
    asked_.push_back(command);
    if (session_) session_->feeder.ask(command);
}

void Player::forget(const PlayerCommand& command) {
    const auto found = std::find(asked_.begin(), asked_.end(), command);
    if (found != asked_.end()) asked_.erase(found);
}

void Player::refuse_rate() const {
    throw SoundError(SoundError::Reason::unsupported,
                     fmt::format("'{}' ({}) cannot be opened at {} Hz; it runs at {} Hz", device_.device.name,
                                 device_.device.host_api, *settings_.rate_hz, device_.sample_rate_hz));
}

std::uint32_t Player::rate_wanted_hz() {
    if (settings_.rate_hz) return *settings_.rate_hz;
    const auto next = tracks_.find(next_.track);
    return next && next->track ? next->track->input.media.sample_rate_hz : device_.sample_rate_hz;
}

// In the format of the device as it is.
void Player::begin_session() {
    const std::uint32_t rate_hz = device_.sample_rate_hz;
    const bool one_rate = settings_.rate_hz || is_jack(device_.device);
    auto plays = [one_rate, rate_hz, refused = output_.refused_rates_hz()](std::uint32_t track_hz) {
        return one_rate || track_hz == rate_hz || std::find(refused.begin(), refused.end(), track_hz) != refused.end();
    };
    const RunFormat format{rate_hz, kChannels, settings_.quality};
    auto session = std::make_unique<Session>(surroundings_.chunks, tracks_, settings_.grid, format, std::move(plays),
                                             std::min(output_.latency_seconds(), kMostDeviceSeconds), next_);
    session->mixer.pause(paused_);
    for (const PlayerCommand& command : next_.commands) forget(command);
    for (const PlayerCommand& command : asked_) session->feeder.ask(command);
    asked_.insert(asked_.begin(), next_.commands.begin(), next_.commands.end());
    outlet_.connect(&session->mixer);
    told_underruns_ = 0;
    const thread::MutexLock lock(session_mutex_);
    session_ = std::move(session);
}

// Nothing is heard of it any more, and nothing that happened in it stays untold.
void Player::settle_session() {
    if (!session_) return;
    outlet_.connect(nullptr);
    session_->feeder.stop();
    tell_events();
    tell_place(session_->feeder.heard());
}

// What was asked for and not heard is in next_.commands: in the feeder's choice, or asked of the next session again.
void Player::end_session() {
    settle_session();
    next_.commands.clear();
    for (FeedEvent& event : switched_) next_.commands.push_back(std::move(event.command));
    close_session();
}

void Player::close_session() {
    outlet_.connect(nullptr);
    std::unique_ptr<Session> session;
    {
        const thread::MutexLock lock(session_mutex_);
        session.swap(session_);
    }
    switched_.clear();
}

// On the loader's thread.
void Player::wake_feeder() {
    const thread::MutexLock lock(session_mutex_);
    if (session_) session_->feeder.wake();
}

void Player::output_opened(const OpenedOutput& output) {
    device_ = output;
    if (session_) {  // it was lost, with what waited in it: it goes on from what was heard last, out of silence
        end_session();
        assert(lost_at_);
        next_ = *std::exchange(lost_at_, std::nullopt);
    }
    begin_session();
    surroundings_.listener.device_opened(status());
}

void Player::output_lost(const std::string& device, const std::string& reason) {
    if (session_) lost_at_ = here();
    surroundings_.listener.device_lost(device, reason);
}

void Player::output_message(const std::string& text) {
    surroundings_.listener.message(text);
}

FeedStart Player::here() const {
    const auto heard = at_the_ear();
    if (!heard) return next_;
    const double seconds = static_cast<double>(heard->track_frame) / session_->format.sample_rate_hz;
    return {heard->entry.track->index, seconds, heard->entry.choice};
}

void Player::tell_events() {
    for (FeedEvent& event : session_->feeder.take_events()) {
        switch (event.kind) {
            case FeedEvent::Kind::switched:
                switched_.push_back(std::move(event));
                break;
            case FeedEvent::Kind::refused:
                forget(event.command);
                surroundings_.listener.refused(event.command, event.reason);
                break;
            case FeedEvent::Kind::skipped:
                skip(event.track, event.reason);
                break;
        }
    }
    const std::uint64_t underruns = session_->mixer.underruns();
    if (underruns > told_underruns_) {
        underruns_ += underruns - std::exchange(told_underruns_, underruns);
        surroundings_.listener.underrun(status());
    }
}

void Player::skip(std::size_t track, const std::string& reason) {
    skipped_.insert(track);
    surroundings_.listener.track_skipped(surroundings_.name_of(track), reason);
}

// What has come to be heard since the last look.
void Player::tell_place(const std::optional<Heard>& heard) {
    if (!heard) return;
    if (told_track_ != heard->entry.track->index) {
        told_track_ = heard->entry.track->index;
        surroundings_.listener.track_started(status(heard));
    }
    // A run that lived for less than it takes to look was heard, too.
    const auto is_heard = [&](const FeedEvent& event) {
        return static_cast<std::int16_t>(heard->run - event.run) >= 0;
    };
    for (const FeedEvent& event : switched_) {
        if (!is_heard(event)) continue;
        forget(event.command);
        surroundings_.listener.switched(status(heard), event.command);
    }
    std::erase_if(switched_, is_heard);
}

// False: the list has ended.
bool Player::move_on() {
    if (!session_) return true;
    const auto end = session_->feeder.end();
    if (!end || (!end->at_once && (paused_ || !session_->feeder.played_out()))) return true;
    if (end->at_once) fade_out();
    if (!end->next) {
        ended_by_itself_ = !end->at_once;
        return false;
    }
    go_on_at(*end->next);
    return true;
}

void Player::go_on_at(const FeedStart& next) {
    output_.ring_out();
    end_session();
    std::vector<PlayerCommand> commands = std::move(next_.commands);
    commands.insert(commands.end(), next.commands.begin(), next.commands.end());
    next_ = next;
    next_.commands = std::move(commands);
    if (!output_.reopen(rate_wanted_hz(), SoundStream::Stop::drained)) begin_session();
}

void Player::fade_out() {
    if (!session_ || !output_.opened()) return;
    session_->mixer.pause(true);
    const auto give_up = Clock::now() + kFadePatience;
    while (!session_->mixer.silent() && Clock::now() < give_up) std::this_thread::sleep_for(2ms);
}

std::uint64_t Player::latency_frames() const {
    return static_cast<std::uint64_t>(output_.latency_seconds() * session_->format.sample_rate_hz);
}

std::optional<Heard> Player::at_the_ear() const {
    if (!session_) return std::nullopt;
    return session_->feeder.heard(latency_frames());
}

PlayerStatus Player::status(const std::optional<Heard>& heard) {
    PlayerStatus status;
    status.device = device_.device.name;
    status.device_rate_hz = device_.sample_rate_hz;
    status.latency_ms = 1000.0 * output_.latency_seconds();
    status.xruns = output_.xruns();
    status.underruns = underruns_;
    status.preset = next_.choice.preset;
    status.intensity = next_.choice.request.intensity;
    status.original = next_.choice.original;
    if (session_) status.buffered_seconds = session_->feeder.buffered_seconds();
    if (session_ && heard) describe(*heard, status);
    const bool device_is_away = !device_.device.name.empty() && !output_.opened();
    status.state = device_is_away             ? PlayerStatus::State::waiting_for_device
                   : paused_                  ? PlayerStatus::State::paused
                   : status.track.number == 0 ? PlayerStatus::State::loading
                                              : PlayerStatus::State::playing;
    return status;
}

void Player::describe(const Heard& heard, PlayerStatus& status) {
    const PlayableTrack& track = *heard.entry.track;
    const media::MediaInfo& media = track.input.media;
    status.track = {track.name,
                    track.title,
                    media.sample_rate_hz,
                    media.channels,
                    heard.entry.track_seconds,
                    track.profile.integrated_lufs,
                    heard.entry.voice.predicted_lufs,
                    heard.entry.voice.bound,
                    track.index + 1,
                    tracks_.count()};
    status.position_seconds = static_cast<double>(heard.track_frame) / session_->format.sample_rate_hz;
    status.preset = track.already_enhanced ? "as it is" : heard.entry.choice.preset;
    status.intensity = heard.entry.choice.request.intensity;
    status.original = heard.entry.choice.original;
    status.match_gain_db = heard.entry.voice.gain_db;
    status.meters = session_->meter.at(heard.meter_frame);
    if (session_->mixer.silent()) status.meters = {.integrated_lufs = status.meters.integrated_lufs};
    status.resampled = media.sample_rate_hz != session_->format.sample_rate_hz;
    if (reduction_ && !paused_) {
        const auto frame = std::llround(status.position_seconds * media.sample_rate_hz);
        status.reduction = reduction_->at(heard.entry.voice.plan, frame);
    }
}

}  // namespace lacquer::player
