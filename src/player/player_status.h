// What there is to say about playback at one moment, and what can be asked of it. Plain values; made by the player,
// shown by the views.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace lacquer::player {

struct PlayedTrack {
    std::string name;   // as given: path or URL
    std::string title;  // "Artist - Title", or the file's name
    std::uint32_t sample_rate_hz = 0;
    std::uint32_t channels = 0;
    double length_seconds = 0.0;
    double source_lufs = 0.0;     // integrated, as measured
    double predicted_lufs = 0.0;  // of what is played
    std::string bound;            // the rule that kept the preset's target from being met; empty: none
    std::size_t number = 0;       // [1, of]
    std::size_t of = 0;
};

struct GainReduction {
    double compressor_db = 0.0;  // >= 0, the most of the three bands
    double limiter_db = 0.0;     // >= 0
};

// Of what is being heard.
struct MeterReading {
    std::array<double, 2> peak_dbfs{-200.0, -200.0};  // sample peaks of the last 100 ms; mono: the same twice
    double momentary_lufs = -70.0;                    // last 400 ms
    double integrated_lufs = -70.0;                   // gated, since the track began to be heard
};

struct PlayerStatus {
    enum class State { loading, playing, paused, waiting_for_device, ended };
    State state = State::loading;
    PlayedTrack track;
    double position_seconds = 0.0;  // of what is being heard
    std::string preset;
    double intensity = 1.0;
    bool original = false;       // A/B: the source is heard, as loud as the enhanced one
    double match_gain_db = 0.0;  // applied to what is heard so that A and B are equally loud; 0 until compared
    MeterReading meters;
    std::optional<GainReduction> reduction;  // nullopt: not known (yet), or nothing is enhanced
    std::string device;
    std::uint32_t device_rate_hz = 0;
    bool resampled = false;
    double latency_ms = 0.0;
    double buffered_seconds = 0.0;
    std::uint64_t underruns = 0;  // the player had nothing ready
    std::uint64_t xruns = 0;      // the driver was late
};

// Commands. Each is heard, and shows in the status, as soon as the device gets to it.
struct TogglePause {
    bool operator==(const TogglePause&) const = default;
};
struct SeekBy {
    double seconds = 0.0;  // from what is heard, bounded by the track
    bool operator==(const SeekBy&) const = default;
};
struct ToggleOriginal {
    bool operator==(const ToggleOriginal&) const = default;
};
struct SelectPreset {
    std::string name;
    bool operator==(const SelectPreset&) const = default;
};
struct ChangeIntensity {
    double by = 0.0;  // the result is kept in [0, 1]
    bool operator==(const ChangeIntensity&) const = default;
};
struct NextTrack {
    bool operator==(const NextTrack&) const = default;
};
struct PreviousTrack {  // from beyond 3 s: the beginning of this one
    bool operator==(const PreviousTrack&) const = default;
};
struct Quit {
    bool operator==(const Quit&) const = default;
};
using PlayerCommand =
    std::variant<TogglePause, SeekBy, ToggleOriginal, SelectPreset, ChangeIntensity, NextTrack, PreviousTrack, Quit>;

// What happens while playing. Called on the thread that runs the player.
class PlayerListener {
public:
    virtual ~PlayerListener() = default;
    virtual void track_started(const PlayerStatus& status) = 0;
    virtual void track_skipped(const std::string& name, const std::string& reason) = 0;
    // Another preset, intensity, A/B, position or pause is heard.
    virtual void switched(const PlayerStatus& status, const PlayerCommand& command) = 0;
    virtual void refused(const PlayerCommand& command, const std::string& reason) = 0;
    virtual void underrun(const PlayerStatus& status) = 0;
    virtual void device_lost(const std::string& device, const std::string& reason) = 0;
    virtual void device_opened(const PlayerStatus& status) = 0;  // first, again, or at another rate
    virtual void message(const std::string& text) = 0;           // a retry, a fallback: things to be told of
    virtual void tick(const PlayerStatus& status) = 0;           // about 10 times a second
    virtual void ended(const PlayerStatus& status) = 0;
};

}  // namespace lacquer::player
