// What happens while playing, in words: what the views have in common.
#pragma once

#include <string>

#include "src/player/player_status.h"

namespace lacquer::player {

// Each on one line of printable text.
std::string started_text(const PlayerStatus& status);  // "3/12 Artist - Title (2:54, 44.1 kHz, warm 80 %)"
std::string switched_text(const PlayerStatus& status, const PlayerCommand& command);  // "heard: bright 80 %"
std::string opened_text(const PlayerStatus& status);  // "device: HDA Intel PCH, 48 kHz, 52 ms"
std::string lost_text(const std::string& device, const std::string& reason);
std::string skipped_text(const std::string& name, const std::string& reason);
std::string ended_text(std::size_t played, std::size_t skipped, const PlayerStatus& status);

// As scripts name it: "togglePause", "seekBy", "toggleOriginal", "selectPreset", "changeIntensity", "nextTrack",
// "previousTrack", "quit".
std::string command_name(const PlayerCommand& command);

}  // namespace lacquer::player
