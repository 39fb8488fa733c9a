// What commands make of what is heard: the track, the place in it and the choice that are to be heard next. No threads,
// no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "src/player/player_status.h"
#include "src/player/timeline.h"

namespace lacquer::player {

struct Target {
    std::size_t track = 0;
    std::optional<double> seconds{};        // nullopt: where we are
    int direction = 1;                      // where to look for another track when this one cannot be played
    std::vector<PlayerCommand> commands{};  // that led here
};

class Aim {
public:
    explicit Aim(ListeningChoice choice, std::optional<std::size_t> compared_track = {})
        : choice_(std::move(choice)), compared_track_(compared_track) {}

    // Commands that come before the target was reached start from the target. Returns why it cannot be done, for
    // people; nullopt: target() is set. `heard`: nullopt when nothing is yet.
    std::optional<std::string> apply(const PlayerCommand& command, const std::optional<Heard>& heard);
    void aim_at(Target target) { target_ = std::move(target); }
    std::optional<Target>& target() noexcept { return target_; }
    // As it is for this track: another one has not been compared.
    ListeningChoice choice_for(std::size_t track) const;
    // The target cannot be reached: what is heard goes on, and is what the next command starts from.
    void stay_with(const ListeningChoice& choice);

private:
    Target& from(const std::optional<Heard>& heard);
    bool is_enhanced_already(const std::optional<Heard>& heard) const;
    std::optional<std::string> follow(const SeekBy& seek, const std::optional<Heard>& heard);
    std::optional<std::string> follow(const ToggleOriginal&, const std::optional<Heard>& heard);
    std::optional<std::string> follow(const SelectPreset& select, const std::optional<Heard>& heard);
    std::optional<std::string> follow(const ChangeIntensity& change, const std::optional<Heard>& heard);
    std::optional<std::string> follow(const NextTrack&, const std::optional<Heard>& heard);
    std::optional<std::string> follow(const PreviousTrack&, const std::optional<Heard>& heard);

    ListeningChoice choice_;  // but for `compared`
    std::optional<std::size_t> compared_track_;
    std::optional<Target> target_;
};

}  // namespace lacquer::player
