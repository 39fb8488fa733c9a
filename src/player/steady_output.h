// Keeps sound going whatever happens to the device: unplugged, asleep, its server restarted, its driver hanging.
//
// Method:  a watchdog on the device's calls. A device that does not call for kStill, or whose driver has given up, is
//          closed, and looked for again after 0.5, 1, 2 and then every 4 s, for as long as it takes. Drivers are closed
//          and opened on threads of their own; one that does not let go within kPatience is abandoned, and from then on
//          the list of devices is not renewed until it does, because PortAudio would wait for it.
// Threads: belongs to one, the listener is called on it; the callback runs on the device's. Nothing here waits for a
//          driver except open_at(), which can be interrupted, ring_out(), and stop() and the destructor for at most
//          kPatience.
// Time:    comes with tick(). A pause of the whole process is nobody's silence: what passes between two ticks counts as
//          kLongestTick at most.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "src/player/output_change.h"
#include "src/player/sound_system.h"

namespace lacquer::player {

class OutputListener {
public:
    virtual ~OutputListener() = default;
    // First, again, or at another rate. The callback is called from the return of this on.
    virtual void output_opened(const OpenedOutput& output) = 0;
    // The callback is not called any more.
    virtual void output_lost(const std::string& device, const std::string& reason) = 0;
    virtual void output_message(const std::string& text) = 0;  // why it is still away; told when the reason changes
};

class SteadyOutput {
public:
    using Time = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::steady_clock::duration;
    using Stop = SoundStream::Stop;
    static constexpr Duration kStill = std::chrono::seconds(2);
    static constexpr Duration kPatience = std::chrono::seconds(2);
    static constexpr Duration kSilent = std::chrono::milliseconds(500);
    static constexpr Duration kLongestRing = std::chrono::seconds(15);
    static constexpr Duration kFirstPatience = std::chrono::seconds(10);
    static constexpr Duration kLongestTick = std::chrono::milliseconds(250);

    // All but the wish must outlive it; `system` is used by nobody else from open_at() on.
    SteadyOutput(SoundSystem& system, OutputWish wish, AudioCallback& callback, OutputListener& listener);
    ~SteadyOutput() { stop(Stop::now); }
    SteadyOutput(const SteadyOutput&) = delete;
    SteadyOutput& operator=(const SteadyOutput&) = delete;

    // The first time. A device wished for by its number is from now on the one of that name. Throws SoundError, also
    // when the driver does not answer within `patience`; it is_hung() then. `go_on` is asked every 20 ms while it has
    // not answered, on this thread; false, and open_at() is: the device is not open, and stop() is what is left to do.
    bool open_at(std::uint32_t rate_hz, const std::function<bool()>& go_on = nullptr,
                 Duration patience = kFirstPatience);
    // Another rate from now on: the callback is called no more, the device stopped and opened anew; output_opened()
    // follows in a tick. False: the device stays as it is, having this rate or having refused it before.
    bool reopen(std::uint32_t rate_hz, Stop how);
    // About ten times a second.
    void tick(Time now);
    // For good: no tick opens it again. Idempotent, and waits once. What a driver does after kPatience is its own
    // business; the program should end soon, and without destructors, when is_hung(): it may be using system and
    // callback.
    void stop(Stop how);

    const std::optional<OpenedOutput>& opened() const { return opened_; }  // nullopt: none at the moment
    // By the device that is or was open; forgotten when it is lost, because it may come back as another one.
    const std::vector<std::uint32_t>& refused_rates_hz() const { return refused_hz_; }
    bool refuses(std::uint32_t rate_hz) const;
    double latency_seconds() const;  // from the callback to the ear; while none is open, as it was last
    // Waits until what the callback has made so far has reached the ear, in the device's time. False: none is open, it
    // was not called for kSilent, or kLongestRing has passed.
    bool ring_out() const;
    std::uint64_t xruns() const;                              // of all streams so far
    bool is_changing() const { return change_.has_value(); }  // a driver is being waited for
    bool is_hung() const { return !hung_.empty(); }           // an abandoned one has not come back

private:
    void pass_time(Time now);
    void watch();
    void lose(const std::string& reason);
    void change(Stop how, bool open);
    void leave_change_behind();
    void follow_change();
    void abandon_if_it_hangs();
    void settle_change();
    void adopt(Output output);
    void retry_later(const std::string& reason);
    void tell(const std::string& text);

    SoundSystem& system_;
    OutputWish wish_;
    AudioCallback& callback_;
    OutputListener& listener_;
    std::uint32_t rate_hz_ = 0;  // wanted
    bool stopped_ = false;

    std::optional<Output> output_;  // at most one of output_ and change_
    std::optional<OutputChange> change_;
    std::optional<OpenedOutput> opened_;  // of output_
    std::vector<OutputChange> hung_;
    std::vector<std::uint32_t> refused_hz_;
    std::uint64_t past_xruns_ = 0;
    double past_latency_seconds_ = 0.0;

    std::optional<Time> last_tick_;
    Duration clock_{};  // of ticks; the following are times of it
    std::uint64_t calls_ = 0;
    Duration called_at_{};
    Duration changing_since_{};
    Duration retry_at_{};
    std::size_t retries_ = 0;
    bool lost_ = false;   // and the listener told
    std::string device_;  // that is or was open
    std::string told_;
};

}  // namespace lacquer::player
