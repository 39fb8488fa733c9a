#include "src/player/aim.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace lacquer::player {
namespace {

constexpr double kBackToStartSeconds = 3.0;
constexpr const char* kEnhancedAlready = "this is enhanced already: it is played as it comes";

double seconds_of(const Heard& heard) {
    const TimelineEntry& entry = heard.entry;
    return entry.track_frames == 0
               ? 0.0
               : entry.track_seconds * static_cast<double>(heard.track_frame) / static_cast<double>(entry.track_frames);
}

}  // namespace

std::optional<std::string> Aim::apply(const PlayerCommand& command, const std::optional<Heard>& heard) {
    auto refusal = std::visit(
        [&](const auto& what) -> std::optional<std::string> {
            using What = std::decay_t<decltype(what)>;
            if constexpr (std::is_same_v<What, TogglePause> || std::is_same_v<What, Quit>)
                return "not for the feeder";
            else
                return follow(what, heard);
        },
        command);
    if (!refusal) target_->commands.push_back(command);
    return refusal;
}

ListeningChoice Aim::choice_for(std::size_t track) const {
    ListeningChoice choice = choice_;
    choice.compared = compared_track_ == track;
    return choice;
}

void Aim::stay_with(const ListeningChoice& choice) {
    choice_ = choice;
    target_.reset();
}

// Of a track that is to come this is not known.
bool Aim::is_enhanced_already(const std::optional<Heard>& heard) const {
    if (!heard || !heard->entry.track->already_enhanced) return false;
    return !target_ || target_->track == heard->entry.track->index;
}

Target& Aim::from(const std::optional<Heard>& heard) {
    if (!target_) target_ = Target{heard ? heard->entry.track->index : 0};
    if (!target_->seconds && heard) target_->track = heard->entry.track->index;  // it has gone on meanwhile
    return *target_;
}

std::optional<std::string> Aim::follow(const SeekBy& seek, const std::optional<Heard>& heard) {
    if (!heard && !(target_ && target_->seconds)) return "nothing is playing yet";
    const double begin = target_ && target_->seconds ? *target_->seconds : seconds_of(*heard);
    Target& target = from(heard);
    const bool same_track = heard && target.track == heard->entry.track->index;
    const double end = same_track ? heard->entry.track_seconds : begin + seek.seconds;
    target.seconds = std::clamp(begin + seek.seconds, 0.0, std::max(0.0, end));
    return std::nullopt;
}

std::optional<std::string> Aim::follow(const ToggleOriginal&, const std::optional<Heard>& heard) {
    if (is_enhanced_already(heard)) return kEnhancedAlready;
    if (choice_.request.intensity == 0.0) return "at intensity 0 the original is heard";
    choice_.original = !choice_.original;
    compared_track_ = from(heard).track;
    return std::nullopt;
}

std::optional<std::string> Aim::follow(const SelectPreset& select, const std::optional<Heard>& heard) {
    if (is_enhanced_already(heard)) return kEnhancedAlready;
    const auto preset = dsp::find_preset(select.name);
    if (!preset) return "there is no preset '" + select.name + "'";
    choice_.preset = select.name;
    choice_.request.preset = *preset;
    choice_.request.reference.reset();
    choice_.original = false;
    from(heard);
    return std::nullopt;
}

std::optional<std::string> Aim::follow(const ChangeIntensity& change, const std::optional<Heard>& heard) {
    if (is_enhanced_already(heard)) return kEnhancedAlready;
    const double wanted = std::round((choice_.request.intensity + change.by) * 1000.0) / 1000.0;
    choice_.request.intensity = std::clamp(wanted, 0.0, 1.0);
    choice_.original = false;
    from(heard);
    return std::nullopt;
}

std::optional<std::string> Aim::follow(const NextTrack&, const std::optional<Heard>& heard) {
    Target& target = from(heard);
    ++target.track;
    target.seconds = 0.0;
    target.direction = 1;
    return std::nullopt;
}

std::optional<std::string> Aim::follow(const PreviousTrack&, const std::optional<Heard>& heard) {
    const double begin = target_ && target_->seconds ? *target_->seconds : heard ? seconds_of(*heard) : 0.0;
    Target& target = from(heard);
    const bool goes_back = begin <= kBackToStartSeconds && target.track > 0;
    if (goes_back) --target.track;
    target.direction = goes_back ? -1 : 1;
    target.seconds = 0.0;
    return std::nullopt;
}

}  // namespace lacquer::player
