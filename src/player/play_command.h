// `lacquer play`: files, folders, playlists and URLs, enhanced, on this machine's sound card. docs/play.md is the
// user's page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/player/voice.h"
#include "src/settings.h"

namespace lacquer::player {

struct PlayCommand {
    std::vector<std::string> inputs;
    ListeningChoice choice;
    std::optional<std::string> device{};  // as find_device() takes it; nullopt: the setting play.device
    double start_seconds = 0.0;
    std::optional<double> latency_ms{};      // [5, 2000]; nullopt: the setting play.latency
    std::optional<std::uint32_t> rate_hz{};  // the device's; nullopt: the track's where the device can
    bool json = false;
};

// "90", "1:30", "1:02:03.5". Throws SettingError.
double parse_time(const std::string& text);

// The exit code: exit_codes.h, or 128 + the signal that ended it. Throws std::runtime_error for what makes the whole
// command impossible.
int play(const Settings& settings, const PlayCommand& command);

}  // namespace lacquer::player
