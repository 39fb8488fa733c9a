// What `lacquer live` says, as lines for people or as lines of JSON.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "dsp/enhancer.h"
#include "src/player/live_tuner.h"
#include "src/player/write_all.h"

namespace lacquer::player {

struct LiveStatus {
    std::string input;
    std::string output;
    std::uint32_t sample_rate_hz = 0;
    std::string preset;
    double intensity = 1.0;
    double look_ahead_ms = 0.0;
    double input_buffer_ms = 0.0;
    double output_buffer_ms = 0.0;
    bool open = false;
    LiveReading reading;
    dsp::GainReduction reduction;  // the most since the last status
    std::uint64_t xruns = 0;
    std::uint64_t lost_frames = 0;  // of the measurement, not of what is heard

    double latency_ms() const noexcept { return look_ahead_ms + input_buffer_ms + output_buffer_ms; }
};

class LiveView {
public:
    // `output`: a descriptor.
    LiveView(int output, bool json, GoOn go_on = go_on_for_ever)
        : output_(output), json_(json), go_on_(std::move(go_on)) {}

    void opened(const LiveStatus& status);
    void lost(const LiveStatus& status, const std::string& reason);
    void status(const LiveStatus& status);                  // says nothing for people while there is no device
    bool is_closed() const noexcept { return is_closed_; }  // nobody reads any more

private:
    void write(const std::string& line);

    const int output_;
    const bool json_;
    const GoOn go_on_;
    bool is_closed_ = false;
};

}  // namespace lacquer::player
