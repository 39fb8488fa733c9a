// Keeps what ALSA, JACK and PortAudio have to say off the terminal, and the last of it for error messages.
//
// ALSA and JACK complain on stderr, by the dozen when there is no card; they have hooks for that. PortAudio's
// "Expression
// ... failed" has none. Therefore `stderr` becomes a stream that looks at who writes: what comes from a thread that is
// inside a driver is kept back, everything else goes through.
//
// Process-wide, because the hooks are; that is why there is no object to own it.
#pragma once

#include <string>

namespace lacquer::player {

// From now on, for the life of the process. Idempotent. Threads: any, but before others write to stderr.
void collect_driver_remarks();

// What the drivers have said last, in one line; empty: nothing since it was asked. Threads: any.
std::string take_driver_remark();

// While it lives, this thread is inside a driver.
class DriverCall {
public:
    DriverCall() noexcept;
    ~DriverCall();
    DriverCall(const DriverCall&) = delete;
    DriverCall& operator=(const DriverCall&) = delete;

private:
    const bool before_;
};
void this_thread_is_the_drivers() noexcept;  // for good

}  // namespace lacquer::player
