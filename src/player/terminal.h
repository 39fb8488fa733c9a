// The terminal that playback is steered from and shown on: keys arrive one by one and unseen, and whatever ends or
// stops the process leaves the terminal as it was.
//
// Method:  termios without ICANON and ECHO, with ISIG: Ctrl-C and Ctrl-Z stay signals. Handlers of fatal signals put
//          the terminal back and pass the signal on; SIGTSTP's puts it back, stops, and sets it again when continued.
//          In the background (`&`, `bg`) the terminal is left alone.
// Threads: read_keys() from one at a time, everything else from any. At most one Terminal at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "src/player/write_all.h"

namespace lacquer::player {

struct TerminalSize {
    int columns = 80;
    int rows = 24;
};

enum class Cursor { shown, hidden };

class Terminal {
public:
    // Takes what is a terminal of the two; neither need be. `cursor` is about the output.
    explicit Terminal(Cursor cursor, int input = 0, int output = 1, GoOn go_on = go_on_for_ever);
    ~Terminal();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    // Whether keys can come: the input is a terminal, and still there.
    bool has_keys() const noexcept { return has_keys_; }
    // What was typed; empty after `patience` without a key, at once when !has_keys().
    std::string read_keys(std::chrono::milliseconds patience);

    TerminalSize size() const noexcept;  // asked afresh; 80 x 24 where it cannot be told
    bool in_foreground() const noexcept;
    // Whether the process was stopped since last asked: others may have written to the screen meanwhile.
    bool take_resumed() noexcept;
    bool write(std::string_view bytes);  // as write_all(): a terminal can be stopped (Ctrl-S)

private:
    const int input_;
    const int output_;
    const GoOn go_on_;
    std::atomic<bool> has_keys_;
};

// Whether `output` is a terminal that can move its cursor: a terminal, and $TERM neither empty nor "dumb".
bool can_draw_on(int output = 1) noexcept;

}  // namespace lacquer::player
