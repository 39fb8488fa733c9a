// The daemon: builds every part bottom-up, answers until a signal comes, tears down in reverse.
#pragma once

#include "src/settings.h"

namespace lacquer {

// Blocks until SIGTERM or SIGINT. Returns the exit code. Throws std::runtime_error (exit code 2) when something it
// needs cannot be had: a folder, the cache directory, the port.
int run_daemon(const Settings& settings);

}  // namespace lacquer
