// An input and an output, opened together and kept going: a stream whose callback is not called any more, or that says
// itself that it has ended, is closed, and both are looked for and opened again until they are back.
//
// Clocks:  JACK, and input and output of one sound card, share a clock: they are one stream, and nothing is ever
//          dropped. Everything else is two streams with a LiveBridge between them, also what only looks like one device
//          (the sound servers' ALSA plug-ins, which do not bear to be asked for both directions in one stream): it
//          costs the bridge's margin, and slips when the clocks have drifted apart.
// Threads: one, but that drivers are opened and closed on threads of their own, because they may hang there. What hangs
//          is left behind; system and callback stay as long as it does.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>

#include "src/player/live_chain.h"
#include "src/player/sound_system.h"

namespace lacquer::player {

struct LiveWish {
    std::string input;  // as find_device() takes it
    std::string output;
    double latency_ms = 20.0;  // of each buffer; the devices decide
};

// Whether both run on the same clock and bear to be one stream.
bool share_a_clock(const SoundDevice& input, const SoundDevice& output);

class LiveDevice {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds kDeadAfter{2};  // without a call
    static constexpr std::chrono::seconds kTryAgainAfter{1};
    static constexpr std::chrono::seconds kHangsAfter{10};  // at first; from then on nothing waits
    static constexpr std::chrono::seconds kStopsWithin{2};

    // Shared: a driver that hangs may keep both beyond the life of this.
    LiveDevice(std::shared_ptr<SoundSystem> system, LiveWish wish, const LiveShape& shape,
               std::shared_ptr<AudioCallback> callback);
    ~LiveDevice();
    LiveDevice(const LiveDevice&) = delete;  // it owns a stream
    LiveDevice& operator=(const LiveDevice&) = delete;

    // The first time. Throws SoundError, also when the driver does not answer within kHangsAfter. While it has not
    // answered `go_on` is asked every 20 ms; false, and open() is.
    bool open(const std::function<bool()>& go_on = nullptr);
    enum class Change { none, lost, opened };
    Change tick(Clock::time_point now);  // a few times a second
    // Waits for kStopsWithin at most. False: a driver hangs, in opening or in closing.
    bool close() noexcept;

    bool is_open() const noexcept { return streams_ != nullptr; }
    const std::string& input() const noexcept { return input_; }  // names, of the last ones opened
    const std::string& output() const noexcept { return output_; }
    const std::string& reason() const noexcept { return reason_; }  // that it was lost for
    double input_latency_seconds() const;                           // with the bridge's margin
    double output_latency_seconds() const;
    std::uint64_t xruns() const noexcept;  // and slips

private:
    struct Streams;
    void begin_opening(bool look_again);
    void take_opened();  // throws what the opening has failed with, a SoundError
    bool is_dead(Clock::time_point now);

    const std::shared_ptr<SoundSystem> system_;
    const LiveWish wish_;
    const LiveShape shape_;
    const std::shared_ptr<AudioCallback> callback_;

    std::future<std::unique_ptr<Streams>> opening_;
    std::unique_ptr<Streams> streams_;
    std::string input_;
    std::string output_;
    std::string reason_;
    struct Watched {
        std::uint64_t calls = 0;
        Clock::time_point at{};  // when it was last seen to be called
    };
    Watched output_calls_;
    Watched input_calls_;
    Clock::time_point tried_at_{};
    std::uint64_t earlier_xruns_ = 0;
};

}  // namespace lacquer::player
