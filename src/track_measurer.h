// Measures tracks: the segments of a track are tasks of the scheduler, so a waiting listener gets every core and
// background measuring gives way after each segment. The sums are merged in track order, whoever measured what.
//
// A source that hung is left alone: until the workers that hang in it come back, or for kFailureRest.
//
// Threads: measure() and sketch() may be called from any thread but a worker; they block. Memory: a decoder and a meter
// per worker.
#pragma once

#include <chrono>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "dsp/profile.h"
#include "src/media/decoder.h"
#include "src/scheduler.h"
#include "thread/mutex.h"

namespace lacquer {

class Measurement;
struct Segment;

// A track that nobody measured is measured before its first byte when it is no longer than this; else it starts from a
// sketch.
inline constexpr double kMeasureFirstSeconds = 600.0;

struct Measured {
    dsp::Profile profile;
    bool complete = true;  // false: parts could not be read; not worth keeping
    // What stood in the way of a part and may be gone the next time: then nothing that is derived from the profile is
    // worth keeping either. Null when nothing did, or what is missing is damaged for good.
    std::exception_ptr passing_failure{};
    int retries = 0;  // rounds in which what had failed was measured again; [0, kRetries]
};

class TrackMeasurer {
public:
    using Clock = std::chrono::steady_clock;

    // `open` is copied: a worker that got stuck in a decoder may outlive whoever passed it.
    explicit TrackMeasurer(Scheduler& scheduler, media::OpenDecoder open = media::real_decoders(),
                           std::function<Clock::time_point()> now = Clock::now)
        : scheduler_(scheduler), open_(std::move(open)), now_(std::move(now)) {}

    // The whole track. What failed but may pass (see retry_policy.h) is measured again with fresh decoders, up to
    // kRetries times; no worker waits for that. What is damaged counts as absent, in the middle of the track as
    // silence, so that what follows keeps its time. Throws media::DecodeError when nothing of it can be decoded. When a
    // segment gets stuck the rest is given up; when the source is known to hang, at once: with the reason "timeout" and
    // the code ETIMEDOUT. nullopt when `wanted` (asked about every 100 ms) said no before it was done, or the scheduler
    // stops. Throws WorkRefused when the scheduler takes nothing on, stopped or overloaded.
    std::optional<Measured> measure(const std::filesystem::path& file, const media::MediaInfo& info,
                                    TaskClass task_class, const std::function<bool()>& wanted);
    // A provisional profile from 12 windows of 3 s spread over the track; as measure() otherwise.
    std::optional<Measured> sketch(const std::filesystem::path& file, const media::MediaInfo& info,
                                   TaskClass task_class, const std::function<bool()>& wanted);

private:
    enum class Source { free, occupied, hangs };

    std::optional<Measured> measure_segments(const std::shared_ptr<Measurement>& measurement,
                                             const media::MediaInfo& info, TaskClass task_class,
                                             const std::function<bool()>& wanted, bool provisional);
    std::shared_ptr<Measurement> measurement(const std::filesystem::path& file, const media::MediaInfo& info,
                                             std::vector<Segment> segments) const;
    bool comes_free(const std::filesystem::path& file, const std::function<bool()>& wanted);
    Source look_at(const std::filesystem::path& file);

    Scheduler& scheduler_;
    const media::OpenDecoder open_;
    const std::function<Clock::time_point()> now_;
    thread::Mutex mutex_;
    // Those under way, and those that a worker is still in.
    std::vector<std::weak_ptr<Measurement>> measurements_ GUARDED_BY(mutex_);
};

}  // namespace lacquer
