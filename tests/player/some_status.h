#pragma once

#include "src/player/player_status.h"

namespace lacquer::test {

inline player::PlayerStatus some_status() {
    player::PlayerStatus status;
    status.state = player::PlayerStatus::State::playing;
    status.track = {"feeling.flac", "Nina Simone - Feeling Good", 44100, 2, 174.0, -19.3, -14.0, "", 3, 12};
    status.position_seconds = 62.0;
    status.preset = "warm";
    status.intensity = 0.8;
    status.meters = {{-8.4, -7.9}, -13.8, -14.2};
    status.reduction = player::GainReduction{2.1, 0.4};
    status.device = "HDA Intel PCH";
    status.device_rate_hz = 48000;
    status.resampled = true;
    status.latency_ms = 52.0;
    status.buffered_seconds = 2.4;
    return status;
}

}  // namespace lacquer::test
