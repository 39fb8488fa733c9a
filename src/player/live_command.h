// `lacquer live`: the chain as an insert between an input and an output device.
//
//     input device --> LiveChain (in the device's callback) --> output device
//                        |  ^
//                       tap  recipe
//                        v  |
//                      LiveTuner (its own thread)          this thread: the devices' health, a status every second
//
// Latency: look-ahead of the chain + what the driver says of the input's buffer + of the output's; told at the start.
//          Where the two have different clocks (live_device.h) what waits between them counts to the input's buffer.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "dsp/recipe.h"
#include "src/player/sound_system.h"

namespace lacquer::player {

struct LiveCommand {
    std::string input;  // as find_device() takes it; empty: the default
    std::string output;
    dsp::RecipeRequest request{};
    double latency_ms = 20.0;   // of each buffer, that between two clocks included; the devices decide
    std::uint32_t rate_hz = 0;  // 0: the output's default, else the input's
    bool json = false;          // a line of JSON for each event, instead of one for people
};

// Until SIGINT or SIGTERM. Returns an ExitCode; says why on stderr.
int run_live(const LiveCommand& command);

// What it needs of the world.
struct LiveSurroundings {
    std::shared_ptr<SoundSystem> system;  // shared: a driver that hangs keeps it
    int output = 1;                       // descriptor; what is written to nobody ends it
    // Lets that much time pass, which may be none; false: end.
    std::function<bool(std::chrono::milliseconds)> go_on;
    std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};
// True when everything was closed; false: a driver hangs, and its thread is left behind, with `system`. Throws
// SoundError when the devices cannot be opened at first, or do not answer, which leaves a thread behind as well; later
// they are waited for.
bool run_live(const LiveCommand& command, const LiveSurroundings& surroundings);

}  // namespace lacquer::player
