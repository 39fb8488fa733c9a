#include "src/player/sound_system.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <fmt/format.h>

#include "src/player/screen_text.h"

namespace lacquer::player {
namespace {

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

bool can(const SoundDevice& device, Direction direction) {
    return (direction == Direction::input ? device.input_channels : device.output_channels) > 0;
}

[[noreturn]] void no_device(const SoundSystem& system, const std::string& wanted, Direction direction) {
    const char* what = direction == Direction::input ? "input" : "output";
    std::string known;
    for (const SoundDevice& device : system.devices()) {
        if (can(device, direction)) known += fmt::format("\n  {}: {} ({})", device.index, device.name, device.host_api);
    }
    if (known.empty()) {
        throw SoundError(SoundError::Reason::no_device, fmt::format("there is no sound {} device", what));
    }
    const std::string problem = wanted.empty()
                                    ? fmt::format("there is no default sound {} device", what)
                                    : fmt::format("no single {} device is called '{}'", what, printable(wanted));
    throw SoundError(SoundError::Reason::no_device, problem + "; there are:" + known);
}

}  // namespace

const SoundDevice& find_device(const SoundSystem& system, const std::string& wanted, Direction direction) {
    std::vector<const SoundDevice*> candidates;
    int index = -1;
    const auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), index);
    const bool by_index = error == std::errc() && end == wanted.data() + wanted.size();
    for (const SoundDevice& device : system.devices()) {
        if (!can(device, direction)) continue;
        const bool is_default = direction == Direction::input ? device.default_input : device.default_output;
        if (wanted.empty() ? is_default : device.name == wanted || (by_index && device.index == index)) return device;
        if (!wanted.empty() && lower(device.name).find(lower(wanted)) != std::string::npos) {
            candidates.push_back(&device);
        }
    }
    if (candidates.size() == 1) return *candidates.front();
    no_device(system, wanted, direction);
}

}  // namespace lacquer::player
