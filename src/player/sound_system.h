// Sound cards as the player and the live insert see them. The real ones are PortAudio's (portaudio_system.h); tests use
// one whose clock they turn by hand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "dsp/realtime.h"

namespace lacquer::player {

// Makes, or takes and makes, what the device plays next; or takes what it has heard. Called on the device's own thread.
class AudioCallback {
public:
    virtual ~AudioCallback() = default;
    // `output`: frames x output channels, interleaved, full scale 1.0, all of it to be written. `input`: the same for
    // the input's channels; null when the stream has none.
    virtual void process(const float* input, float* output, std::size_t frames) LACQUER_REALTIME = 0;
};

// Why there is no sound; what() is fit for people and names the device.
class SoundError : public std::runtime_error {
public:
    enum class Reason {
        no_device,    // none at all, or none of that name
        busy,         // another program has it
        unsupported,  // not at this rate, or not with these channels
        failed,       // anything else the device or its driver says
    };
    SoundError(Reason reason, const std::string& message) : std::runtime_error(message), reason_(reason) {}
    Reason reason() const noexcept { return reason_; }

private:
    Reason reason_;
};

struct SoundDevice {
    int index = -1;  // as `lacquer devices` lists it; changes with rescan()
    std::string name;
    std::string host_api;  // "ALSA", "JACK Audio Connection Kit", ...
    std::uint32_t input_channels = 0;
    std::uint32_t output_channels = 0;
    std::uint32_t default_rate_hz = 0;
    double low_latency_ms = 0.0;  // of what it can do most of: output, else input
    double high_latency_ms = 0.0;
    bool default_input = false;
    bool default_output = false;
};

struct StreamRequest {
    std::optional<SoundDevice> input;  // nullopt: output alone
    SoundDevice output;
    std::uint32_t sample_rate_hz = 0;
    std::uint32_t input_channels = 0;   // [1, 2]
    std::uint32_t output_channels = 2;  // [1, 2]; 0: input alone, `output` is its device again
    double latency_ms = 50.0;           // wished for; the device decides
};

// An open stream. Threads: belongs to one, besides the device's own. Destroying it is stop(Stop::now).
class SoundStream {
public:
    virtual ~SoundStream() = default;
    enum class Stop { now, drained };  // drained: what the device has taken is played out first
    virtual void stop(Stop how) noexcept = 0;
    // From the callback to the ear, as the driver tells: also of what waits behind the device, where it knows of that.
    virtual double output_latency_seconds() const = 0;
    virtual double input_latency_seconds() const = 0;
    // What the callback has made since the stream was opened, and what of that had reached the ear when it was called
    // last. In the device's own time, however slowly that passes on a machine with too much to do.
    virtual std::uint64_t made_frames() const noexcept = 0;
    virtual std::uint64_t heard_frames() const noexcept = 0;
    virtual std::uint64_t calls() const noexcept = 0;  // of the callback so far: stands still when the device is dead
    virtual std::uint64_t xruns() const noexcept = 0;  // that the driver has reported: it was late, not the callback
    virtual bool ended() const noexcept { return false; }  // the driver has given up: no call will come any more
};

// Threads: belongs to one.
class SoundSystem {
public:
    virtual ~SoundSystem() = default;
    virtual const std::vector<SoundDevice>& devices() const = 0;
    // Looks again for what was plugged in or out. No stream may be open.
    virtual void rescan() = 0;
    virtual bool supports(const StreamRequest& request) const = 0;
    // Opens and starts: `callback` is called from now on until the stream is stopped. Throws SoundError.
    virtual std::unique_ptr<SoundStream> open(const StreamRequest& request, AudioCallback& callback) = 0;
};

enum class Direction { input, output };
// `wanted`: an index, a name, or a part of a name that only one device has, letter case aside; empty: the default.
// Throws SoundError (no_device) that lists those there are.
const SoundDevice& find_device(const SoundSystem& system, const std::string& wanted, Direction direction);

}  // namespace lacquer::player
