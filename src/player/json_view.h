// Playback for scripts: one JSON object per line, each written at once. docs/play.md lists events and fields.
//
// Threads: is_closed() from any; the rest is the player's.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "src/player/player_status.h"
#include "src/player/write_all.h"

namespace lacquer::player {

class JsonView final : public PlayerListener {
public:
    using Clock = std::chrono::steady_clock;
    explicit JsonView(int output = 1, GoOn go_on = go_on_for_ever, std::function<Clock::time_point()> now = Clock::now);

    // Nobody reads any more, or not for as long as it is worth waiting: nothing is written from then on, and there is
    // nobody to play for.
    bool is_closed() const noexcept { return is_closed_; }

    void track_started(const PlayerStatus& status) override;
    void track_skipped(const std::string& name, const std::string& reason) override;
    void switched(const PlayerStatus& status, const PlayerCommand& command) override;
    void refused(const PlayerCommand& command, const std::string& reason) override;
    void underrun(const PlayerStatus& status) override;
    void device_lost(const std::string& device, const std::string& reason) override;
    void device_opened(const PlayerStatus& status) override;
    void message(const std::string& text) override;
    void tick(const PlayerStatus& status) override;  // "status", once a second
    void ended(const PlayerStatus& status) override;

private:
    using Json = nlohmann::ordered_json;
    void write(const char* event, const Json& fields);

    const int output_;
    const GoOn go_on_;
    const std::function<Clock::time_point()> now_;
    std::optional<Clock::time_point> told_at_;
    std::atomic<bool> is_closed_{false};
};

nlohmann::ordered_json status_json(const PlayerStatus& status);
nlohmann::ordered_json command_json(const PlayerCommand& command);  // {"name": "seekBy", "seconds": 5.0}

}  // namespace lacquer::player
