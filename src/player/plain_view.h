// Playback told in lines, for logs, pipes and terminals that cannot draw: what plays and what changes on stdout, what
// goes wrong on stderr.
#pragma once

#include <cstddef>
#include <string>

#include "src/player/player_status.h"

namespace lacquer::player {

class PlainView final : public PlayerListener {
public:
    explicit PlainView(int output = 1, int errors = 2) : output_(output), errors_(errors) {}

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
    std::size_t played_ = 0;
    std::size_t skipped_ = 0;
};

}  // namespace lacquer::player
