#include "src/player/keys.h"

#include <utility>

#include "dsp/preset.h"

namespace lacquer::player {
namespace {

constexpr unsigned char kEscape = 0x1b;
constexpr unsigned char kBell = 0x07;
constexpr unsigned char kCancel = 0x18;
constexpr unsigned char kSubstitute = 0x1a;
constexpr double kShortSeekSeconds = 5.0;
constexpr double kLongSeekSeconds = 30.0;
constexpr double kIntensityStep = 0.1;

void add(std::vector<PlayerCommand>& commands, SeekBy seek) {
    if (SeekBy* last = commands.empty() ? nullptr : std::get_if<SeekBy>(&commands.back())) {
        last->seconds += seek.seconds;
    } else {
        commands.emplace_back(seek);
    }
}

void add(std::vector<PlayerCommand>& commands, ChangeIntensity change) {
    if (ChangeIntensity* last = commands.empty() ? nullptr : std::get_if<ChangeIntensity>(&commands.back())) {
        last->by += change.by;
    } else {
        commands.emplace_back(change);
    }
}

void add_arrow(std::vector<PlayerCommand>& commands, unsigned char final) {
    switch (final) {
        case 'A':
            return add(commands, SeekBy{kLongSeekSeconds});
        case 'B':
            return add(commands, SeekBy{-kLongSeekSeconds});
        case 'C':
            return add(commands, SeekBy{kShortSeekSeconds});
        case 'D':
            return add(commands, SeekBy{-kShortSeekSeconds});
        default:
            return;
    }
}

}  // namespace

std::vector<PlayerCommand> KeyParser::parse(std::span<const char> bytes, Clock::time_point now) {
    std::vector<PlayerCommand> commands;
    if (bytes.empty()) return commands;
    if (now - last_byte_ > kPatience) state_ = State::ground;
    last_byte_ = now;
    for (const char byte : bytes) take(static_cast<unsigned char>(byte), commands);
    return commands;
}

bool KeyParser::take_help() noexcept {
    return std::exchange(help_, false);
}

void KeyParser::take(unsigned char byte, std::vector<PlayerCommand>& commands) {
    if (byte == kCancel || byte == kSubstitute) {
        state_ = State::ground;
        return;
    }
    if (byte == kEscape) {
        state_ = state_ == State::string ? State::string_escape : State::escape;
        return;
    }
    switch (state_) {
        case State::ground:
            return take_key(byte, commands);
        case State::escape:
            return take_after_escape(byte);
        case State::csi:
            return take_csi(byte, commands);
        case State::ss3:
            state_ = State::ground;
            return add_arrow(commands, byte);
        case State::linux_function:
            state_ = State::ground;
            return;
        case State::string:
            if (byte == kBell) state_ = State::ground;
            return;
        case State::string_escape:
            if (byte == '\\') {
                state_ = State::ground;
            } else {
                take_after_escape(byte);
            }
            return;
    }
}

void KeyParser::take_key(unsigned char byte, std::vector<PlayerCommand>& commands) {
    switch (byte) {
        case ' ':
            commands.emplace_back(TogglePause{});
            return;
        case 'a':
            commands.emplace_back(ToggleOriginal{});
            return;
        case '[':
            return add(commands, ChangeIntensity{-kIntensityStep});
        case ']':
            return add(commands, ChangeIntensity{kIntensityStep});
        case 'n':
            commands.emplace_back(NextTrack{});
            return;
        case 'p':
            commands.emplace_back(PreviousTrack{});
            return;
        case 'q':
            commands.emplace_back(Quit{});
            return;
        case '?':
        case 'h':
            help_ = !help_;
            return;
        default:
            break;
    }
    const auto presets = dsp::presets();
    if (byte >= '1' && byte - std::size_t{'1'} < presets.size()) {
        commands.emplace_back(SelectPreset{std::string(presets[byte - std::size_t{'1'}].name)});
    }
}

void KeyParser::take_after_escape(unsigned char byte) {
    has_parameters_ = false;
    switch (byte) {
        case '[':
            state_ = State::csi;
            return;
        case 'O':
            state_ = State::ss3;
            return;
        case 'P':  // DCS, SOS, OSC, PM, APC: strings up to BEL or ST
        case 'X':
        case ']':
        case '^':
        case '_':
            state_ = State::string;
            return;
        default:
            state_ = State::ground;
            return;  // Alt and a key
    }
}

void KeyParser::take_csi(unsigned char byte, std::vector<PlayerCommand>& commands) {
    if (byte == '[' && !has_parameters_) {  // the Linux console's F1 to F5: CSI [ A
        state_ = State::linux_function;
    } else if (byte >= 0x20 && byte <= 0x3f) {
        has_parameters_ = true;
    } else if (byte >= 0x40 && byte <= 0x7e) {
        state_ = State::ground;
        if (!has_parameters_) add_arrow(commands, byte);
    } else if (byte >= 0x80) {  // not in any sequence: the key Esc, `[`, and text
        state_ = State::ground;
    }
}

}  // namespace lacquer::player
