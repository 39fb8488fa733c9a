#include "src/player/devices_command.h"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "src/player/exit_codes.h"
#include "src/player/portaudio_system.h"

namespace lacquer::player {
namespace {

nlohmann::ordered_json json_of(const SoundDevice& device) {
    return {{"index", device.index},
            {"name", device.name},
            {"hostApi", device.host_api},
            {"inputChannels", device.input_channels},
            {"outputChannels", device.output_channels},
            {"defaultRateHz", device.default_rate_hz},
            {"lowLatencyMs", device.low_latency_ms},
            {"highLatencyMs", device.high_latency_ms},
            {"defaultInput", device.default_input},
            {"defaultOutput", device.default_output}};
}

const char* mark_of(const SoundDevice& device) {
    if (device.default_output) return device.default_input ? "  default for both" : "  default output";
    return device.default_input ? "  default input" : "";
}

// In what a terminal shows as columns, which is not bytes; combining characters are rare in names of sound cards.
std::size_t width_of(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

void print_table(const std::vector<SoundDevice>& devices, std::ostream& out) {
    std::size_t width = 4;
    for (const SoundDevice& device : devices) width = std::max(width, width_of(device.name));
    out << fmt::format("  #  {:<{}}  in  out     rate    latency  driver\n", "name", width);
    for (const SoundDevice& device : devices) {
        out << fmt::format("{:>3}  {}{:{}}  {:>2}  {:>3}  {:>6}  {:>3.0f}-{:<3.0f} ms  {}{}\n", device.index,
                           device.name, "", width - width_of(device.name), device.input_channels,
                           device.output_channels, device.default_rate_hz, device.low_latency_ms,
                           device.high_latency_ms, device.host_api, mark_of(device));
    }
}

int report_none(const std::vector<std::string>& hosts) {
    std::string looked;
    for (const std::string& host : hosts) looked += (looked.empty() ? "" : ", ") + host;
    const bool jack = looked.find("JACK") != std::string::npos;
    fmt::print(stderr, "There is no sound device. Looked at: {}{}.\n", looked.empty() ? "nothing" : looked,
               jack ? "" : "; no JACK server is running");
    fmt::print(
        stderr,
        "PulseAudio and PipeWire are reached through ALSA: libasound2-plugins or pipewire-alsa must be installed, "
        "and /dev/snd readable (group 'audio').\n");
    return kNoDevice;
}

}  // namespace

void print_devices(const std::vector<SoundDevice>& devices, bool as_json, std::ostream& out) {
    if (!as_json) return print_table(devices, out);
    nlohmann::ordered_json all = nlohmann::ordered_json::array();
    for (const SoundDevice& device : devices) all.push_back(json_of(device));
    const nlohmann::ordered_json answer{{"devices", std::move(all)}};
    out << answer.dump(2, ' ', true, nlohmann::ordered_json::error_handler_t::replace) << '\n';
}

int list_devices(bool as_json) try {
    const PortAudioSystem system;
    if (as_json || !system.devices().empty()) print_devices(system.devices(), as_json, std::cout);
    return system.devices().empty() ? report_none(system.hosts()) : kDone;
} catch (const SoundError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return exit_code_of(error.reason());
}

}  // namespace lacquer::player
