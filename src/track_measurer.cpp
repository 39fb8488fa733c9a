#include "src/track_measurer.h"

#include <algorithm>
#include <thread>

#include "dsp/loudness.h"
#include "dsp/profile_meter.h"
#include "src/measurement.h"
#include "src/retry_policy.h"

namespace lacquer {
namespace {

constexpr std::int64_t kSketchWindows = 12;
constexpr std::int64_t kSketchWindowHops = 30;  // of 100 ms
constexpr std::chrono::milliseconds kLookAgain{20};

std::vector<Segment> whole_track(const media::MediaInfo& info) {
    std::vector<Segment> segments;
    const std::int64_t length = dsp::ProfileMeter::segment_frames(info.sample_rate_hz);
    for (std::int64_t at = 0; at < info.frame_count; at += length) {
        segments.push_back({at, std::min(at + length, info.frame_count)});
    }
    return segments;
}

std::vector<Segment> spread_windows(const media::MediaInfo& info) {
    std::vector<Segment> segments;
    const std::int64_t length = kSketchWindowHops * static_cast<std::int64_t>(dsp::hop_frames(info.sample_rate_hz));
    for (std::int64_t i = 0; i < kSketchWindows; ++i) {
        const std::int64_t centre = info.frame_count * (2 * i + 1) / (2 * kSketchWindows);
        const std::int64_t begin = std::clamp<std::int64_t>(centre - length / 2, 0, info.frame_count);
        segments.push_back({begin, std::min(begin + length, info.frame_count)});
    }
    return segments;
}

}  // namespace

std::optional<Measured> TrackMeasurer::measure(const std::filesystem::path& file, const media::MediaInfo& info,
                                               TaskClass task_class, const std::function<bool()>& wanted) {
    return measure_segments(measurement(file, info, whole_track(info)), info, task_class, wanted, false);
}

std::optional<Measured> TrackMeasurer::sketch(const std::filesystem::path& file, const media::MediaInfo& info,
                                              TaskClass task_class, const std::function<bool()>& wanted) {
    return measure_segments(measurement(file, info, spread_windows(info)), info, task_class, wanted, true);
}

std::shared_ptr<Measurement> TrackMeasurer::measurement(const std::filesystem::path& file, const media::MediaInfo& info,
                                                        std::vector<Segment> segments) const {
    return std::make_shared<Measurement>(MeasuringSource{open_, file, info}, std::move(segments), now_);
}

std::optional<Measured> TrackMeasurer::measure_segments(const std::shared_ptr<Measurement>& measurement,
                                                        const media::MediaInfo& info, TaskClass task_class,
                                                        const std::function<bool()>& wanted, bool provisional) {
    if (!comes_free(measurement->file(), wanted)) return std::nullopt;
    {
        const thread::MutexLock lock(mutex_);
        measurements_.push_back(measurement);
    }
    if (!measurement->measure(scheduler_, task_class, wanted)) return std::nullopt;
    // A meter that measured nothing knows rate and channels, so that an empty track has a profile too.
    dsp::ProfileSum total = dsp::ProfileMeter(info.sample_rate_hz, info.channels).take();
    for (const dsp::ProfileSum& sum : measurement->take(!provisional)) total.append(sum);
    return Measured{dsp::finish_profile(total, info.frame_count, provisional), !measurement->failed(),
                    measurement->passing_failure(), measurement->retries()};
}

// Whoever left while a worker was in the file may have left because it hangs there: nobody follows before that is
// known. False when it was not wanted any more. Throws media::DecodeError when the source hangs.
bool TrackMeasurer::comes_free(const std::filesystem::path& file, const std::function<bool()>& wanted) {
    while (true) {
        const Source source = look_at(file);
        if (source == Source::free) return true;
        if (source == Source::hangs) throw media::DecodeError(kTimeout, make_error_code(std::errc::timed_out));
        if (!wanted()) return false;
        std::this_thread::sleep_for(kLookAgain);
    }
}

TrackMeasurer::Source TrackMeasurer::look_at(const std::filesystem::path& file) {
    const thread::MutexLock lock(mutex_);
    std::erase_if(measurements_, [](const auto& measurement) { return measurement.expired(); });
    Source found = Source::free;
    for (const auto& weak : measurements_) {
        const auto measurement = weak.lock();
        if (!measurement || measurement->file() != file) continue;
        if (const auto since = measurement->hangs_since()) {
            if (now_() - *since < kFailureRest) return Source::hangs;
        } else if (measurement->is_left_behind()) {
            found = Source::occupied;
        }
    }
    return found;
}

}  // namespace lacquer
