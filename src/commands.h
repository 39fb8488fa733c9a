// What `lacquer COMMAND` does. Each returns the exit code: 0 done, 1 some inputs failed (each named on stderr).
// Throws std::runtime_error for what makes the whole command impossible (exit code 2).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dsp/quantiser.h"
#include "src/recipe_choice.h"
#include "src/settings.h"

namespace lacquer {

struct RenderCommand {
    std::vector<std::filesystem::path> inputs;
    std::filesystem::path output;  // a file for one input, else a folder
    RenderChoice choice;
    int jobs = 1;                       // files at once, [1, 20]
    std::filesystem::path profile{};    // as `analyze --json` writes it; empty: measured
    bool whole = false;                 // one pass without chunks: the reference of null tests
    bool no_context = false;            // chunks without context and overlap: the control of null tests, audibly wrong
    std::filesystem::path reference{};  // a file to sound like; empty: as `choice` says
};
int render_files(const Settings& settings, const RenderCommand& command);

int analyze_files(const Settings& settings, const std::vector<std::filesystem::path>& inputs, bool as_json);

enum class CacheAction { stats, verify, clear };
int manage_cache(const Settings& settings, CacheAction action);

int print_settings(const Settings& settings);

}  // namespace lacquer
