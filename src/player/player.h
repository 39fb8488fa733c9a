// Plays a list of tracks on one sound device: opens it at each track's rate where it can, keeps it going, carries out
// commands and tells what happens.
//
//     commands --> Player --> Feeder --> Mixer --> SteadyOutput --> device
//                    |  <-- events, places, levels --'
//                    '--> PlayerListener
//
// Threads: run() and everything it calls on its listener is one thread; the feeder, the loader and the device have
// their own. Memory: seven seconds of sound for each channel, whatever chunks are in use.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "src/player/outlet.h"
#include "src/player/player_status.h"
#include "src/player/reduction_meter.h"
#include "src/player/session.h"
#include "src/player/sound_system.h"
#include "src/player/steady_output.h"
#include "src/player/track_loader.h"
#include "thread/mutex.h"

namespace lacquer::player {

struct PlayerSettings {
    std::string device;  // as find_device() takes it
    double latency_ms = 50.0;
    std::optional<std::uint32_t> rate_hz{};  // the device's, whatever the tracks'; nullopt: the tracks' where it can
    dsp::Resampler::Quality quality = dsp::Resampler::Quality::best;
    dsp::GridSettings grid;
    FeedStart start;
    bool shows_reduction = true;  // costs a second run of the chain, at the pace of playing
};

class Player : private OutputListener {
public:
    struct Surroundings {
        ChunkService& chunks;
        SoundSystem& sound;
        PlayerListener& listener;
        // What was asked for; empty after `patience` without.
        std::function<std::vector<PlayerCommand>(std::chrono::milliseconds patience)> commands;
        std::function<std::vector<std::string>()> messages;  // to be told, since last asked
        std::function<bool()> go_on;                         // false: end now
        std::function<std::string(std::size_t track)> name_of;
    };
    Player(Surroundings surroundings, PlayerSettings settings, std::size_t track_count, TrackLoader::Load load);
    ~Player() override;

    // To the end of the list, Quit, or until told not to go on. Returns how many tracks could not be played. Throws
    // SoundError when the device cannot be opened at first; later it is waited for.
    std::size_t run();
    // False: something hangs in a source or a driver: end the process, without destructors.
    bool stop();

private:
    bool find_first_track();
    bool begins_in(const PlayableTrack& track);
    bool pass_time(std::chrono::milliseconds patience);
    bool move_on();
    void begin_session();
    void settle_session();
    void end_session();
    void close_session();
    void go_on_at(const FeedStart& next);
    std::uint32_t rate_wanted_hz();
    [[noreturn]] void refuse_rate() const;
    FeedStart here() const;
    void wake_feeder();
    void obey(const PlayerCommand& command);
    void ask(const PlayerCommand& command);
    void forget(const PlayerCommand& command);
    void skip(std::size_t track, const std::string& reason);
    void output_opened(const OpenedOutput& output) override;
    void output_lost(const std::string& device, const std::string& reason) override;
    void output_message(const std::string& text) override;
    void tell_events();
    void tell_place(const std::optional<Heard>& heard);
    std::optional<Heard> at_the_ear() const;
    void fade_out();
    PlayerStatus status() { return status(at_the_ear()); }
    PlayerStatus status(const std::optional<Heard>& heard);
    void describe(const Heard& heard, PlayerStatus& status);
    std::uint64_t latency_frames() const;  // of the session's format

    const Surroundings surroundings_;
    PlayerSettings settings_;
    TrackLoader tracks_;
    Outlet outlet_;
    SteadyOutput output_;
    std::unique_ptr<ReductionMeter> reduction_;
    thread::Mutex session_mutex_;       // between the loader, which wakes the feeder, and the player, which replaces it
    std::unique_ptr<Session> session_;  // replaced under session_mutex_; read without by the player's own thread
    FeedStart next_;                    // where the next session begins
    std::optional<FeedStart> lost_at_;  // what was heard last of the device that is away
    OpenedOutput device_;               // that is or was open
    bool paused_ = false;
    bool quit_ = false;
    bool ended_by_itself_ = false;
    std::optional<bool> stopped_;  // what stop() came to
    std::set<std::size_t> skipped_;
    std::optional<std::size_t> told_track_;
    std::vector<FeedEvent> switched_;   // and not yet heard
    std::vector<PlayerCommand> asked_;  // neither heard nor refused yet: the next session is asked for them again
    std::uint64_t underruns_ = 0;
    std::uint64_t told_underruns_ = 0;  // of this session
    std::chrono::steady_clock::time_point next_tick_{};
};

}  // namespace lacquer::player
