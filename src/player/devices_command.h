// `lacquer devices`: which sound cards there are.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "src/player/sound_system.h"

namespace lacquer::player {

// One line each, the defaults marked; as JSON {"devices": [...]} with the fields' names of SoundDevice.
void print_devices(const std::vector<SoundDevice>& devices, bool as_json, std::ostream& out);

// Prints to stdout and answers 0; without any device says on stderr where it has looked and answers 3; other answers
// are those of exit_codes.h.
int list_devices(bool as_json);

}  // namespace lacquer::player
