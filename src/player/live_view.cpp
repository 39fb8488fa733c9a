#include "src/player/live_view.h"

#include <nlohmann/json.hpp>

#include <fmt/format.h>

namespace lacquer::player {
namespace {

using Json = nlohmann::ordered_json;

Json meters_json(const MeterReading& reading) {
    return {{"peakDbfs", reading.peak_dbfs},
            {"momentaryLufs", reading.momentary_lufs},
            {"integratedLufs", reading.integrated_lufs}};
}

Json status_json(const LiveStatus& status) {
    return {
        {"state", status.open ? "running" : "waitingForDevice"},
        {"input", status.input},
        {"output", status.output},
        {"sampleRateHz", status.sample_rate_hz},
        {"preset", status.preset},
        {"intensity", status.intensity},
        {"latencyMs",
         {{"lookAhead", status.look_ahead_ms},
          {"inputBuffer", status.input_buffer_ms},
          {"outputBuffer", status.output_buffer_ms},
          {"total", status.latency_ms()}}},
        {"in", meters_json(status.reading.input)},
        {"out", meters_json(status.reading.output)},
        {"gainDb", status.reading.gain_db},
        {"bound", status.reading.bound},
        {"measuredSeconds", status.reading.measured_seconds},
        {"recipes", status.reading.recipes},
        {"reduction", {{"compressorDb", status.reduction.compressor_db}, {"limiterDb", status.reduction.limiter_db}}},
        {"xruns", status.xruns},
        {"lostFrames", status.lost_frames}};
}

std::string json_line(const char* event, const Json& fields) {
    Json line{{"event", event}};
    line.update(fields);
    return line.dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string peaks(const MeterReading& reading) {
    const auto level = [](double dbfs) {
        return dbfs <= -100.0 ? std::string("  -inf") : fmt::format("{:6.1f}", dbfs);
    };
    return level(reading.peak_dbfs[0]) + level(reading.peak_dbfs[1]);
}

std::string opened_text(const LiveStatus& status) {
    return fmt::format(
        "live: {} -> {}, {:g} kHz, {} {:.0f} %; latency {:.1f} ms: look-ahead {:.1f}, input buffer {:.1f}, output "
        "buffer {:.1f}",
        status.input, status.output, status.sample_rate_hz / 1000.0, status.preset, 100.0 * status.intensity,
        status.latency_ms(), status.look_ahead_ms, status.input_buffer_ms, status.output_buffer_ms);
}

std::string status_text(const LiveStatus& status) {
    return fmt::format("in{} dBFS  out{} dBFS {:6.1f} LUFS  gain {:+.1f} dB{}  reduction {:.1f} + {:.1f} dB  xruns {}",
                       peaks(status.reading.input), peaks(status.reading.output), status.reading.output.momentary_lufs,
                       status.reading.gain_db, status.reading.bound.empty() ? "" : " (" + status.reading.bound + ")",
                       status.reduction.compressor_db, status.reduction.limiter_db, status.xruns);
}

}  // namespace

void LiveView::opened(const LiveStatus& status) {
    write(json_ ? json_line("opened", status_json(status)) : opened_text(status));
}

void LiveView::lost(const LiveStatus& status, const std::string& reason) {
    write(json_ ? json_line("lost", {{"input", status.input}, {"output", status.output}, {"reason", reason}})
                : fmt::format("lost {} -> {}: {}; waiting for it", status.input, status.output, reason));
}

void LiveView::status(const LiveStatus& status) {
    if (json_) {
        write(json_line("status", status_json(status)));
    } else if (status.open) {
        write(status_text(status));
    }
}

void LiveView::write(const std::string& line) {
    if (!is_closed_) is_closed_ = !write_all(output_, line + "\n", go_on_);
}

}  // namespace lacquer::player
