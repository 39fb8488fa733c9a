#include "src/preset_api.h"

#include <algorithm>

#include <fmt/format.h>

#include "server/request.h"
#include "src/reference_json.h"
#include "src/retry_policy.h"
#include "src/track_api.h"
#include "src/user_presets.h"

namespace lacquer {
namespace {

using server::HttpError;
using server::Json;

constexpr std::size_t kLongestNameBytes = 64;
constexpr std::size_t kMostUserPresets = 100;

Json item(const dsp::Preset& preset) {
    return {{"name", preset.name},
            {"kind", "builtIn"},
            {"purpose", preset.purpose},
            {"loudnessLufs", preset.loudness_lufs},
            {"match", preset.match}};
}

Json item(const UserPreset& preset) {
    return {{"name", preset.name},
            {"kind", "reference"},
            {"purpose", "sounds like " + preset.title},
            {"loudnessLufs", preset.target.integrated_lufs},
            {"match", 1.0},
            {"trackId", preset.track_id},
            {"target", reference_to_json(preset.target)}};
}

bool is_built_in(const std::string& name) {
    const auto presets = dsp::presets();
    return std::any_of(presets.begin(), presets.end(),
                       [&](const dsp::Preset& preset) { return server::equals_ignoring_case(preset.name, name); });
}

[[noreturn]] void refuse_name(int status, const std::string& detail) {
    throw HttpError(status, detail, {{"field", "name"}});
}

void check_name(const std::string& name) {
    const auto is_bad = [](char c) { return c == '/' || c == '\x7F' || static_cast<unsigned char>(c) < 0x20; };
    if (name.empty() || name.size() > kLongestNameBytes) {
        refuse_name(400, fmt::format("name has {} bytes; allowed: 1 to {}", name.size(), kLongestNameBytes));
    }
    if (std::any_of(name.begin(), name.end(), is_bad) || name.front() == ' ' || name.back() == ' ') {
        refuse_name(400, "name may have no '/', no control characters and no space at its ends");
    }
    if (name == "." || name == "..") refuse_name(400, "'.' and '..' cannot be the last part of an address");
    if (is_built_in(name)) refuse_name(409, fmt::format("'{}' is the name of a built-in preset", name));
}

}  // namespace

Json PresetApi::presets() {
    Json items = Json::array();
    for (const dsp::Preset& preset : dsp::presets()) items.push_back(item(preset));
    for (const UserPreset& preset : user_presets(library_)) items.push_back(item(preset));
    const std::size_t count = items.size();
    return {{"items", std::move(items)}, {"hasMore", false}, {"nextStartIndex", count}};
}

Json PresetApi::create(const server::PresetOrder& order) {
    check_name(order.name);
    const auto is_taken = [&] { refuse_name(409, fmt::format("there is a preset '{}' already", order.name)); };
    if (library_.preset(order.name)) is_taken();
    if (library_.presets().size() >= kMostUserPresets) {
        refuse_name(409, fmt::format("there are {} presets already; remove one first", kMostUserPresets));
    }
    const library::Track track = playable_track(library_, order.track_id);
    const UserPreset preset{order.name, target_of(track, order), track.id, display_title(track)};
    if (!library_.store_preset(preset.name, to_text(preset))) is_taken();
    return item(preset);
}

dsp::ReferenceTarget PresetApi::target_of(const library::Track& track, const server::PresetOrder& order) {
    try {
        return dsp::reference_of(recipes_.full_profile(track, TaskClass::listener, order.listener_present));
    } catch (const media::DecodeError& error) {
        if (can_pass(error)) {
            throw HttpError(503, fmt::format("track {} cannot be read for now: {}", track.id, error.what()),
                            Json::object(), {{"Retry-After", "10"}});
        }
        throw HttpError(422, fmt::format("track {} cannot be decoded: {}", track.id, error.what()),
                        {{"field", "trackId"}});
    } catch (const std::invalid_argument& error) {
        throw HttpError(422, fmt::format("track {} cannot be a reference: {}", track.id, error.what()),
                        {{"field", "trackId"}});
    } catch (const NotWanted&) {
        throw HttpError(503, "given up: nobody waits for the track to be measured, or the daemon is stopping");
    }
}

void PresetApi::remove(const std::string& name) {
    if (is_built_in(name)) refuse_name(409, fmt::format("'{}' is built in and cannot be removed", name));
    if (!library_.remove_preset(name)) refuse_name(404, fmt::format("there is no preset '{}'", name));
}

}  // namespace lacquer
