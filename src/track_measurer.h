// Measures tracks: the segments of a track are tasks of the scheduler, so a waiting listener gets every core and
// background measuring gives way after each segment. The sums are merged in track order, whoever measured what.
//
// Threads: measure() and sketch() may be called from any thread but a worker; they block. Memory: a decoder and a meter
// per worker.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "dsp/profile.h"
#include "src/media/decoder.h"
#include "src/scheduler.h"

namespace lacquer {

struct Measured {
    dsp::Profile profile;
    bool complete = true;  // false: parts could not be read, perhaps only for now; not worth keeping
};

class TrackMeasurer {
public:
    // `open` is copied: a worker that got stuck in a decoder may outlive whoever passed it.
    explicit TrackMeasurer(Scheduler& scheduler, media::OpenDecoder open = media::real_decoders())
        : scheduler_(scheduler), open_(std::move(open)) {}

    // The whole track. Throws media::DecodeError when nothing of it can be decoded; what is damaged counts
    // as absent, in the middle of the track as silence, so that what follows keeps its time. nullopt when `wanted`
    // (asked about every 100 ms) said no before it was done, or the scheduler stops. When a segment gets stuck the rest
    // is given up with the reason "timeout". Throws WorkRefused when the scheduler takes nothing on, stopped or
    // overloaded.
    std::optional<Measured> measure(const std::filesystem::path& file, const media::MediaInfo& info,
                                    TaskClass task_class, const std::function<bool()>& wanted);
    // A provisional profile from 12 windows of 3 s spread over the track; as measure() otherwise.
    std::optional<Measured> sketch(const std::filesystem::path& file, const media::MediaInfo& info,
                                   TaskClass task_class, const std::function<bool()>& wanted);

private:
    Scheduler& scheduler_;
    const media::OpenDecoder open_;
};

}  // namespace lacquer
