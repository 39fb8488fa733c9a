// Every setting, from one table: command line over LACQUER_* environment over lacquer.toml over defaults.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "dsp/chunk_grid.h"
#include "dsp/resampler.h"

namespace lacquer {

// A setting has no such value; what() names the setting, where it was set and what is allowed. Exit code 2.
class SettingError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct Settings {
    std::vector<std::filesystem::path> music;
    std::string host = "127.0.0.1";
    std::uint16_t port = 4747;
    std::filesystem::path cache_dir;  // default: $XDG_CACHE_HOME/lacquer
    std::uint64_t cache_size_bytes = 1'000'000'000;
    std::filesystem::path state_dir;  // default: $XDG_STATE_HOME/lacquer
    int workers = 1;                  // [1, 20]; default: the number of cores
    std::string token;
    std::vector<std::string> public_hosts;
    std::string log_level = "info";
    std::string simd = "auto";  // "auto" or one of dsp::runnable_simd(); main hands it to dsp::force_simd()
    dsp::GridSettings grid;
    double stuck_seconds = 30.0;    // [1, 600]: a render without progress for so long is given up
    std::string play_device;        // as player::find_device() takes it; empty: the system's default
    double play_latency_ms = 50.0;  // [5, 2000]
    dsp::Resampler::Quality play_resampler = dsp::Resampler::Quality::best;
};

struct SettingRow {
    std::string_view name;  // as in --name and in lacquer.toml; LACQUER_NAME in the environment
    std::string_view help;
    bool many;  // may be given more than once; separated by ':' in the environment
    std::function<void(Settings&, const std::string&)> set;  // throws SettingError saying what is allowed
    std::function<std::string(const Settings&)> get;
};
std::span<const SettingRow> setting_rows();

// Values by setting name, from the command line.
using SettingValues = std::map<std::string, std::vector<std::string>>;

// `config_file`: empty for ./lacquer.toml or $XDG_CONFIG_HOME/lacquer/lacquer.toml, where there is one. Throws
// SettingError.
Settings load_settings(const SettingValues& command_line, const std::filesystem::path& config_file);

// "1GB" is 10^9 bytes, "1GiB" 2^30. Throws SettingError.
std::uint64_t parse_size_bytes(const std::string& text);

}  // namespace lacquer
