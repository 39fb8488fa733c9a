#include "dsp/preset.h"

#include <algorithm>

namespace lacquer::dsp {
namespace {

constexpr std::array<PresetBand, kDynamicsBands> kUsual{{{30.0, 200.0}, {20.0, 150.0}, {10.0, 100.0}}};
constexpr std::array<PresetBand, kDynamicsBands> kSlow{{{50.0, 240.0}, {40.0, 220.0}, {30.0, 180.0}}};
constexpr std::array<PresetBand, kDynamicsBands> kFastHighs{{{30.0, 200.0}, {15.0, 120.0}, {3.0, 60.0}}};
constexpr std::array<PresetBand, kDynamicsBands> kPunch{{{25.0, 150.0}, {25.0, 120.0}, {25.0, 100.0}}};
constexpr std::array<PresetBand, kDynamicsBands> kVoice{{{20.0, 200.0}, {10.0, 150.0}, {5.0, 80.0}}};
constexpr PresetLevelCurve kNoCurve{0.0, 0.0};

constexpr std::array kPresets{
    Preset{.id = PresetId::adaptive,
           .name = "adaptive",
           .purpose = "everything; follows what the track measures",
           .loudness_lufs = -14.0,
           .match = 0.7,
           .tone_db = {0.0, 0.0, 0.0, 0.0, 0.0},
           .high_pass_hz = 0.0,
           .compression = {2.0, 4.0, 6.0, kUsual},
           .saturation = 0.0,
           .width = 1.0,
           .mono_below_hz = 120.0,
           .level_curve = kNoCurve,
           .adapts = true},
    Preset{.id = PresetId::gentle,
           .name = "gentle",
           .purpose = "masters that are already good",
           .loudness_lufs = -16.0,
           .match = 0.4,
           .tone_db = {0.3, 0.0, 0.0, 0.2, 0.5},
           .high_pass_hz = 0.0,
           .compression = {1.5, 6.0, 6.0, kUsual},
           .saturation = 0.0,
           .width = 1.0,
           .mono_below_hz = 120.0,
           .level_curve = kNoCurve,
           .adapts = false},
    Preset{.id = PresetId::warm,
           .name = "warm",
           .purpose = "harsh or thin recordings",
           .loudness_lufs = -14.0,
           .match = 0.5,
           .tone_db = {1.5, 1.2, 0.3, -0.5, -0.8},
           .high_pass_hz = 0.0,
           .compression = {2.0, 4.0, 6.0, kSlow},
           .saturation = 0.16,
           .width = 1.0,
           .mono_below_hz = 120.0,
           .level_curve = kNoCurve,
           .adapts = false},
    Preset{.id = PresetId::bright,
           .name = "bright",
           .purpose = "dull recordings",
           .loudness_lufs = -14.0,
           .match = 0.5,
           .tone_db = {0.0, -0.5, 0.5, 1.5, 2.5},
           .high_pass_hz = 0.0,
           .compression = {2.0, 4.0, 6.0, kFastHighs},
           .saturation = 0.0,
           .width = 1.1,
           .mono_below_hz = 120.0,
           .level_curve = kNoCurve,
           .adapts = false},
    Preset{.id = PresetId::punchy,
           .name = "punchy",
           .purpose = "rhythm",
           .loudness_lufs = -12.5,
           .match = 0.5,
           .tone_db = {1.8, 0.3, 0.0, 1.2, 0.8},
           .high_pass_hz = 0.0,
           .compression = {2.5, 3.0, 6.0, kPunch},
           .saturation = 0.0,
           .width = 1.05,
           .mono_below_hz = 120.0,
           .level_curve = kNoCurve,
           .adapts = false},
    Preset{.id = PresetId::live,
           .name = "live",
           .purpose = "concert recordings",
           .loudness_lufs = -14.5,
           .match = 0.5,
           .tone_db = {0.6, -0.8, 0.4, 1.5, 1.2},
           .high_pass_hz = 0.0,
           .compression = {1.8, 4.0, 6.0, kUsual},
           .saturation = 0.0,
           .width = 1.2,
           .mono_below_hz = 120.0,
           .level_curve = kNoCurve,
           .adapts = false},
    Preset{.id = PresetId::speech,
           .name = "speech",
           .purpose = "podcasts and audiobooks",
           .loudness_lufs = -16.0,
           .match = 0.8,
           .tone_db = {0.0, 0.0, 0.5, 2.0, 0.5},
           .high_pass_hz = 80.0,
           .compression = {2.0, 0.0, 9.0, kVoice},
           .saturation = 0.0,
           .width = 1.0,
           .mono_below_hz = 300.0,
           .level_curve = {0.7, 6.0},
           .adapts = false},
    Preset{.id = PresetId::night,
           .name = "night",
           .purpose = "quiet listening",
           .loudness_lufs = -18.0,
           .match = 0.5,
           .tone_db = {-2.0, 0.0, 0.5, 0.5, 0.0},
           .high_pass_hz = 0.0,
           .compression = {2.0, 0.0, 9.0, kVoice},
           .saturation = 0.0,
           .width = 0.95,
           .mono_below_hz = 120.0,
           .level_curve = {0.6, 6.0},
           .adapts = false},
};

}  // namespace

std::span<const Preset> presets() {
    return kPresets;
}

std::optional<PresetId> find_preset(std::string_view name) {
    const auto found = std::find_if(kPresets.begin(), kPresets.end(), [&](const Preset& p) { return p.name == name; });
    if (found == kPresets.end()) return std::nullopt;
    return found->id;
}

const Preset& preset(PresetId id) {
    return kPresets[static_cast<std::size_t>(id)];
}

}  // namespace lacquer::dsp
