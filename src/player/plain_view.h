// Playback told in lines, for logs, pipes and terminals that cannot draw: what plays and what changes on stdout, what
// goes wrong on stderr.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "src/player/player_status.h"
#include "src/player/write_all.h"

namespace lacquer::player {

class PlainView final : public PlayerListener {
public:
    explicit PlainView(int output = 1, int errors = 2, GoOn go_on = go_on_for_ever)
        : output_(output), errors_(errors), go_on_(std::move(go_on)) {}

    void track_started(const PlayerStatus& status) override;
    void track_skipped(const std::string& name, const std::string& reason) override;
    void switched(const PlayerStatus& status, const PlayerCommand& command) override;
    void refused(const PlayerCommand& command, const std::string& reason) override;
    void underrun(const PlayerStatus& status) override;
    void device_lost(const std::string& device, const std::string& reason) override;
    void device_opened(const PlayerStatus& status) override;
    void message(const std::string& text) override;
    void tick(const PlayerStatus&) override {}
    void ended(const PlayerStatus& status) override;

private:
    void tell(const std::string& line) const;
    void warn(const std::string& line) const;

    const int output_;
    const int errors_;
    const GoOn go_on_;
    std::size_t played_ = 0;
    std::size_t skipped_ = 0;
};

}  // namespace lacquer::player
