// One output closed, another opened, on a thread of its own, because a driver may take seconds for either, or hang.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include "src/player/outlet.h"
#include "src/player/sound_system.h"

namespace lacquer::player {

struct OutputWish {
    std::string device;          // as find_device() takes it; empty: the default, whichever that is at the moment
    std::uint32_t channels = 2;  // [1, 2]
    double latency_ms = 50.0;
};

struct OpenedOutput {
    SoundDevice device;
    std::uint32_t wanted_rate_hz = 0;
    std::uint32_t sample_rate_hz = 0;  // the wanted one, or else the device's default
};

// A stream that calls nobody until its outlet is connected.
struct Output {
    OpenedOutput opened;
    std::unique_ptr<Outlet> outlet;
    std::unique_ptr<SoundStream> stream;  // calls the outlet: after it
};

// Opens at `rate_hz`, or at the device's default rate when it does not do that. Throws SoundError.
Output open_output(SoundSystem& system, const OutputWish& wish, std::uint32_t rate_hz);

class OutputChange {
public:
    struct Opening {
        SoundSystem& system;  // belongs to the change until it is finished or has been given up
        OutputWish wish;
        std::uint32_t rate_hz;
        bool rescan;
    };
    using Stop = SoundStream::Stop;

    // Begins. Either may be missing. `closing` calls nobody any more when this returns.
    OutputChange(std::optional<Output> closing, Stop how, std::optional<Opening> opening);

    bool is_finished() const;
    bool wait_for(std::chrono::milliseconds patience) const;  // false: not finished within that
    bool wants_to_open() const { return wants_to_open_; }

    // Once finished: what was opened; nullopt: nothing was to be. Throws SoundError, and nothing else, when it could
    // not be opened.
    std::optional<Output> take();

    // A driver that hangs in closing: what was to be opened will not be. False when it is too late to say so.
    bool give_up_opening();
    // Nobody wants it any more: what was to be opened will not be, and what opens nevertheless is closed again by the
    // thread that opened it. False when it is open already, for take().
    bool give_up();

private:
    enum class Phase { closing, opening, open, given_up };
    // Shared with the thread, which a driver may keep longer than anybody wants to wait.
    struct Work {
        std::optional<Output> closing;
        Stop how = Stop::now;
        std::optional<Opening> opening;
        std::atomic<Phase> phase{Phase::closing};
    };
    static std::optional<Output> run(Work& work);

    bool wants_to_open_;
    std::shared_ptr<Work> work_;
    std::future<std::optional<Output>> result_;
};

}  // namespace lacquer::player
