#include "src/player/json_view.h"

#include <utility>

#include "src/player/event_text.h"

namespace lacquer::player {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::seconds kStatusPeriod{1};

const char* state_name(PlayerStatus::State state) {
    switch (state) {
        case PlayerStatus::State::loading:
            return "loading";
        case PlayerStatus::State::playing:
            return "playing";
        case PlayerStatus::State::paused:
            return "paused";
        case PlayerStatus::State::waiting_for_device:
            return "waitingForDevice";
        case PlayerStatus::State::ended:
            return "ended";
    }
    return "";
}

Json track_json(const PlayedTrack& track) {
    return {{"name", track.name},
            {"title", track.title},
            {"number", track.number},
            {"of", track.of},
            {"lengthSeconds", track.length_seconds},
            {"sampleRateHz", track.sample_rate_hz},
            {"channels", track.channels},
            {"sourceLufs", track.source_lufs},
            {"predictedLufs", track.predicted_lufs},
            {"bound", track.bound}};
}

Json reduction_json(const std::optional<GainReduction>& reduction) {
    if (!reduction) return nullptr;
    return {{"compressorDb", reduction->compressor_db}, {"limiterDb", reduction->limiter_db}};
}

}  // namespace

Json status_json(const PlayerStatus& status) {
    return {{"state", state_name(status.state)},
            {"track", track_json(status.track)},
            {"positionSeconds", status.position_seconds},
            {"preset", status.preset},
            {"intensity", status.intensity},
            {"original", status.original},
            {"matchGainDb", status.match_gain_db},
            {"meters",
             {{"peakDbfs", status.meters.peak_dbfs},
              {"momentaryLufs", status.meters.momentary_lufs},
              {"integratedLufs", status.meters.integrated_lufs}}},
            {"reduction", reduction_json(status.reduction)},
            {"device", status.device},
            {"deviceRateHz", status.device_rate_hz},
            {"resampled", status.resampled},
            {"latencyMs", status.latency_ms},
            {"bufferedSeconds", status.buffered_seconds},
            {"underruns", status.underruns},
            {"xruns", status.xruns}};
}

Json command_json(const PlayerCommand& command) {
    Json json{{"name", command_name(command)}};
    if (const auto* seek = std::get_if<SeekBy>(&command)) json["seconds"] = seek->seconds;
    if (const auto* select = std::get_if<SelectPreset>(&command)) json["preset"] = select->name;
    if (const auto* change = std::get_if<ChangeIntensity>(&command)) json["by"] = change->by;
    return json;
}

JsonView::JsonView(int output, GoOn go_on, std::function<Clock::time_point()> now)
    : output_(output), go_on_(std::move(go_on)), now_(std::move(now)) {}

void JsonView::write(const char* event, const Json& fields) {
    if (is_closed_) return;
    Json line{{"event", event}};
    line.update(fields);
    is_closed_ = !write_all(output_, line.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n", go_on_);
}

void JsonView::track_started(const PlayerStatus& status) {
    write("started", status_json(status));
}

void JsonView::track_skipped(const std::string& name, const std::string& reason) {
    write("skipped", {{"name", name}, {"reason", reason}});
}

void JsonView::switched(const PlayerStatus& status, const PlayerCommand& command) {
    Json fields{{"command", command_json(command)}};
    fields.update(status_json(status));
    write("switched", fields);
}

void JsonView::refused(const PlayerCommand& command, const std::string& reason) {
    write("refused", {{"command", command_json(command)}, {"reason", reason}});
}

void JsonView::underrun(const PlayerStatus& status) {
    write("underrun", status_json(status));
}

void JsonView::device_lost(const std::string& device, const std::string& reason) {
    write("deviceLost", {{"device", device}, {"reason", reason}});
}

void JsonView::device_opened(const PlayerStatus& status) {
    write("deviceOpened", status_json(status));
}

void JsonView::message(const std::string& text) {
    write("message", {{"text", text}});
}

void JsonView::tick(const PlayerStatus& status) {
    const Clock::time_point now = now_();
    if (told_at_ && now - *told_at_ < kStatusPeriod) return;
    told_at_ = now;
    write("status", status_json(status));
}

void JsonView::ended(const PlayerStatus& status) {
    write("ended", status_json(status));
}

}  // namespace lacquer::player
