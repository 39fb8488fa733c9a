#include "src/player/event_text.h"

#include <array>

#include <fmt/format.h>

#include "src/player/screen_text.h"
#include "src/player/status_lines.h"

namespace lacquer::player {
namespace {

std::string counted(std::uint64_t count, const char* what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

std::string started_text(const PlayerStatus& status) {
    const PlayedTrack& track = status.track;
    const std::string number = track.of > 1 ? fmt::format("{}/{} ", track.number, track.of) : "";
    return fmt::format("{}{} ({}, {} kHz, {})", number, printable(track.title.empty() ? track.name : track.title),
                       time_text(track.length_seconds), track.sample_rate_hz / 1000.0, printable(preset_text(status)));
}

std::string switched_text(const PlayerStatus& status, const PlayerCommand& command) {
    if (std::holds_alternative<TogglePause>(command)) {
        return status.state == PlayerStatus::State::paused ? "paused" : "playing";
    }
    if (std::holds_alternative<SeekBy>(command)) return "at " + time_text(status.position_seconds);
    return "heard: " + printable(preset_text(status));
}

std::string opened_text(const PlayerStatus& status) {
    return fmt::format("device: {}, {}, {:.0f} ms", printable(status.device), rate_text(status), status.latency_ms);
}

std::string lost_text(const std::string& device, const std::string& reason) {
    return fmt::format("lost the device {}: {}", printable(device), printable(reason));
}

std::string skipped_text(const std::string& name, const std::string& reason) {
    return fmt::format("{}: {}", printable(name), printable(reason));
}

std::string ended_text(std::size_t played, std::size_t skipped, const PlayerStatus& status) {
    std::string text = "played " + counted(played, "track");
    if (skipped > 0) text += fmt::format(", skipped {}", skipped);
    if (status.underruns > 0) text += ", " + counted(status.underruns, "underrun");
    if (status.xruns > 0) text += ", " + counted(status.xruns, "xrun");
    return text;
}

std::string command_name(const PlayerCommand& command) {
    constexpr std::array kNames{"togglePause",     "seekBy",    "toggleOriginal", "selectPreset",
                                "changeIntensity", "nextTrack", "previousTrack",  "quit"};
    static_assert(kNames.size() == std::variant_size_v<PlayerCommand>);
    return kNames[command.index()];
}

}  // namespace lacquer::player
