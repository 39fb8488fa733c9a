// Everything that is made for one format of the device: what feeds it, what mixes, what measures. Another rate, another
// session.
//
// Threads: those of its parts; built and destroyed by the player's, while no stream calls the mixer.
#pragma once

#include "src/player/feeder.h"
#include "src/player/level_meter.h"
#include "src/player/mixer.h"

namespace lacquer::player {

struct Session {
    // What of the surroundings it needs is as in Feeder::Parts.
    Session(ChunkService& chunks, TrackLoader& tracks, const dsp::GridSettings& grid, const RunFormat& format_,
            std::function<bool(std::uint32_t)> plays, double device_seconds, const FeedStart& start)
        : format(format_),
          mixer(format_.channels, format_.sample_rate_hz, kLaneSeconds),
          meter(format_.sample_rate_hz, format_.channels),
          feeder({chunks, tracks, mixer, meter, grid, format_, std::move(plays), device_seconds}, start) {}

    static constexpr double kLaneSeconds = 3.5;  // what the feeder keeps ahead, and a block

    const RunFormat format;
    Mixer mixer;
    LevelMeter meter;
    Feeder feeder;
};

}  // namespace lacquer::player
