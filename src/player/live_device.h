// An input and an output, opened together and kept going: a stream whose callback is not called any more, or that says
// itself that it has ended, is closed, and both are looked for and opened again until they are back.
//
// Clocks:  two devices have two clocks. The driver hears both in one callback; when one of them is faster, the driver
//          has to drop or repeat a buffer now and then and reports an xrun. Input and output of one sound card share a
//          clock: for hours without a gap take one card.
// Threads: one, but that drivers are opened and closed on threads of their own, because they may hang there. What hangs
//          is left behind; system and callback stay as long as it does.
#pragma once

#include <chrono>
#include <cstdint>
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
    ~LiveDevice() { close(); }
    LiveDevice(const LiveDevice&) = delete;  // it owns a stream
    LiveDevice& operator=(const LiveDevice&) = delete;

    // The first time. Throws SoundError, also when the driver hangs.
    void open();
    enum class Change { none, lost, opened };
    Change tick(Clock::time_point now);  // a few times a second
    // False: the driver hangs in it.
    bool close() noexcept;

    bool is_open() const noexcept { return stream_ != nullptr; }
    const std::string& input() const noexcept { return input_; }  // names, of the last ones opened
    const std::string& output() const noexcept { return output_; }
    const std::string& reason() const noexcept { return reason_; }  // that it was lost for
    double input_latency_seconds() const { return stream_ ? stream_->input_latency_seconds() : 0.0; }
    double output_latency_seconds() const { return stream_ ? stream_->output_latency_seconds() : 0.0; }
    std::uint64_t xruns() const noexcept { return earlier_xruns_ + (stream_ ? stream_->xruns() : 0); }

private:
    struct Attempt;
    void begin_attempt(bool look_again);
    bool take_attempt();
    bool is_dead(Clock::time_point now);

    const std::shared_ptr<SoundSystem> system_;
    const LiveWish wish_;
    const LiveShape shape_;
    const std::shared_ptr<AudioCallback> callback_;

    std::shared_ptr<Attempt> attempt_;  // to open; shared with its thread
    std::unique_ptr<SoundStream> stream_;
    std::string input_;
    std::string output_;
    std::string reason_;
    std::uint64_t calls_ = 0;
    Clock::time_point called_at_{};  // when the callback was last seen to be called
    Clock::time_point tried_at_{};
    std::uint64_t earlier_xruns_ = 0;
};

}  // namespace lacquer::player
