// What keys mean. README and docs/play.md list them.
//
// Method:  the part of ECMA-48 that terminals send: CSI and SS3 for the arrows; every other sequence, control strings
// and
//          UTF-8 are swallowed whole, so that no rest of them is taken for a key.
// Memory:  a few bytes, whatever comes.
#pragma once

#include <chrono>
#include <span>
#include <vector>

#include "src/player/player_status.h"

namespace lacquer::player {

class KeyParser {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::milliseconds kPatience{200};

    // What the bytes ask for, in order; seeks and changes of intensity that follow one another are added up. A sequence
    // may be split anywhere between two calls; what looks like the beginning of one and is not continued within
    // kPatience was the key Esc, which means nothing.
    std::vector<PlayerCommand> parse(std::span<const char> bytes, Clock::time_point now = Clock::now());
    // Whether `?` or `h`, that show and hide the line of keys, came an odd number of times since last asked.
    bool take_help() noexcept;

private:
    enum class State { ground, escape, csi, ss3, linux_function, string, string_escape };

    void take(unsigned char byte, std::vector<PlayerCommand>& commands);
    void take_key(unsigned char byte, std::vector<PlayerCommand>& commands);
    void take_after_escape(unsigned char byte);
    void take_csi(unsigned char byte, std::vector<PlayerCommand>& commands);

    State state_ = State::ground;
    bool has_parameters_ = false;  // of the CSI sequence: arrows with Shift, Alt and the like are not ours
    bool help_ = false;
    Clock::time_point last_byte_{};
};

}  // namespace lacquer::player
