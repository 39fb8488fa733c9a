// The status block on a terminal, redrawn where it stands; what is to be read scrolls above it.
//
// Method:  each frame is one write(2): up to the block's first line, every line over the old one, the rest of each
// erased
//          behind it (so nothing flickers), in a synchronised update where the terminal knows them (mode 2026). A frame
//          like the last is not written. In the background nothing is.
// Threads: toggle_keys() from any; the rest is the player's.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "src/player/player_status.h"
#include "src/player/status_lines.h"
#include "src/player/terminal.h"

namespace lacquer::player {

class StatusView final : public PlayerListener {
public:
    using Clock = std::chrono::steady_clock;
    // `terminal` can be drawn on (can_draw_on()) and outlives the view.
    StatusView(Terminal& terminal, const Style& style, std::function<Clock::time_point()> now = Clock::now);
    ~StatusView() override;  // the block stays, the cursor is below it

    void toggle_keys() noexcept;  // the line that explains them; at the next tick

    void track_started(const PlayerStatus& status) override;
    void track_skipped(const std::string& name, const std::string& reason) override;
    void switched(const PlayerStatus& status, const PlayerCommand& command) override;
    void refused(const PlayerCommand& command, const std::string& reason) override;
    void underrun(const PlayerStatus& status) override;
    void device_lost(const std::string& device, const std::string& reason) override;
    void device_opened(const PlayerStatus& status) override;
    void message(const std::string& text) override;
    void tick(const PlayerStatus& status) override;
    void ended(const PlayerStatus& status) override;  // one line in place of the block

private:
    void draw();
    void say(const std::string& text);
    std::string to_first_row(int columns) const;
    void put(const std::vector<std::string>& lines, int columns);

    Terminal& terminal_;
    const Style style_;
    const std::function<Clock::time_point()> now_;
    std::atomic<bool> shows_keys_;
    PlayerStatus status_;
    PeakHold held_;
    std::vector<std::string> messages_;  // not yet shown
    std::vector<std::string> drawn_;     // the block on the screen; empty: none
    int drawn_columns_ = 0;              // the terminal's then
    std::size_t played_ = 0;
    std::size_t skipped_ = 0;
    bool device_is_lost_ = false;
    bool has_begun_ = false;
    bool has_ended_ = false;
};

}  // namespace lacquer::player
