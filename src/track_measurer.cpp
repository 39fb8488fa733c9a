#include "src/track_measurer.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <memory>
#include <vector>

#include "dsp/loudness.h"
#include "dsp/profile_meter.h"
#include "thread/mutex.h"

namespace lacquer {
namespace {

constexpr std::size_t kBlockFrames = 8192;
constexpr std::int64_t kSketchWindows = 12;
constexpr std::int64_t kSketchWindowHops = 30;  // of 100 ms
constexpr std::chrono::milliseconds kWantedCheck{100};

struct Segment {
    std::int64_t begin = 0;
    std::int64_t end = 0;
};

struct Source {
    media::OpenDecoder open;
    std::filesystem::path file;
    media::MediaInfo info;
};

// Decoders that are between two segments: a handle that was used before seeks faster than a new one.
class DecoderPool {
public:
    explicit DecoderPool(Source source) : source_(std::move(source)) {}
    std::unique_ptr<media::Decoder> take() {
        {
            const thread::MutexLock lock(mutex_);
            if (!idle_.empty()) {
                auto decoder = std::move(idle_.back());
                idle_.pop_back();
                return decoder;
            }
        }
        return source_.open(source_.file, source_.info);
    }
    void put(std::unique_ptr<media::Decoder> decoder) {
        const thread::MutexLock lock(mutex_);
        idle_.push_back(std::move(decoder));
    }

private:
    const Source source_;
    thread::Mutex mutex_;
    std::vector<std::unique_ptr<media::Decoder>> idle_ GUARDED_BY(mutex_);
};

// Returns the frames fed; fewer than asked at the end of what can be decoded, or when asked to stop.
std::int64_t feed(media::Decoder& decoder, std::int64_t frames, TaskContext& task,
                  const std::function<void(dsp::ConstAudioBlock)>& sink) {
    dsp::AudioBuffer buffer(decoder.info().channels, kBlockFrames);
    const std::stop_token stop = task.stop();
    std::int64_t fed = 0;
    while (fed < frames && !stop.stop_requested()) {
        const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(frames - fed, kBlockFrames));
        const std::size_t got = decoder.read(buffer.block().slice(0, wanted));
        if (got == 0) break;
        sink(buffer.block().slice(0, got));
        task.progressed();
        fed += static_cast<std::int64_t>(got);
    }
    return fed;
}

struct MeasuredSegment {
    dsp::ProfileSum sum;
    std::int64_t frames = 0;  // fewer than the segment has where the file is damaged
};

MeasuredSegment measure_segment(media::Decoder& decoder, Segment segment, TaskContext& task) {
    const media::MediaInfo& info = decoder.info();
    dsp::ProfileMeter meter(info.sample_rate_hz, info.channels);
    const std::int64_t warm_up = std::min(segment.begin, dsp::ProfileMeter::warm_up_frames(info.sample_rate_hz));
    decoder.seek(segment.begin - warm_up);
    task.progressed();
    feed(decoder, warm_up, task, [&](dsp::ConstAudioBlock block) { meter.warm_up(block); });
    const std::int64_t frames =
        feed(decoder, segment.end - segment.begin, task, [&](dsp::ConstAudioBlock block) { meter.measure(block); });
    return {meter.take(), frames};
}

// What stands for the frames of `segment` behind the first `measured` ones. The meter counts whole hops.
dsp::ProfileSum silence(const media::MediaInfo& info, Segment segment, std::int64_t measured) {
    const auto hop = static_cast<std::int64_t>(dsp::hop_frames(info.sample_rate_hz));
    const std::int64_t frames = segment.end - segment.begin - measured / hop * hop;
    dsp::ProfileMeter meter(info.sample_rate_hz, info.channels);
    const dsp::AudioBuffer buffer(info.channels, kBlockFrames);
    for (std::int64_t at = 0; at < frames; at += kBlockFrames) {
        const auto count = static_cast<std::size_t>(std::min<std::int64_t>(kBlockFrames, frames - at));
        meter.measure(buffer.block().slice(0, count));
    }
    return meter.take();
}

// One measurement under way. Shared: a worker may still hold it when the caller has given up waiting, and one that was
// written off for as long as it stays blocked.
class Measurement : public std::enable_shared_from_this<Measurement> {
public:
    Measurement(const Source& source, std::vector<Segment> segments)
        : info_(source.info),
          decoders_(source),
          segments_(std::move(segments)),
          measured_(segments_.size()),
          left_(segments_.size()) {}

    // Throws WorkRefused.
    void start(Scheduler& scheduler, Urgency urgency) {
        for (std::size_t i = 0; i < segments_.size(); ++i) {
            const auto self = shared_from_this();
            const auto ticket = scheduler.submit(
                urgency, {[self, i](TaskContext& task) { self->run(i, task); }, [self] { self->give_up(); }});
            if (!ticket) {
                withdraw(scheduler);
                throw WorkRefused();
            }
            tickets_.push_back(*ticket);
        }
    }

    // False when it was not wanted any more, or the scheduler was stopped.
    bool wait(Scheduler& scheduler, const std::function<bool()>& wanted) {
        while (!done_within(kWantedCheck)) {
            if (wanted()) continue;
            withdraw(scheduler);
            return false;
        }
        withdraw(scheduler);  // what was given up without having begun
        const thread::MutexLock lock(mutex_);
        return !stopped_;
    }

    // The stretches that could be decoded, in track order; where `keep_time`, with silence for what is missing before
    // the last of them. Throws what the first failed with when none could.
    std::vector<dsp::ProfileSum> take(bool keep_time) {
        const thread::MutexLock lock(mutex_);
        if (failure_ && std::none_of(measured_.begin(), measured_.end(), [](const auto& m) { return m.has_value(); })) {
            std::rethrow_exception(failure_);
        }
        std::size_t end = measured_.size();
        while (end > 0 && (!measured_[end - 1] || measured_[end - 1]->frames == 0)) --end;
        std::vector<dsp::ProfileSum> sums;
        for (std::size_t i = 0; i < end; ++i) {
            const std::int64_t frames = measured_[i] ? measured_[i]->frames : 0;
            const bool is_whole = frames == segments_[i].end - segments_[i].begin;
            if (measured_[i]) sums.push_back(std::move(measured_[i]->sum));
            if (keep_time && !is_whole && i + 1 < end) sums.push_back(silence(info_, segments_[i], frames));
        }
        return sums;
    }

    // False when a stretch could not be measured.
    bool complete() {
        const thread::MutexLock lock(mutex_);
        return !failure_;
    }

private:
    void run(std::size_t i, TaskContext& task) {
        std::optional<MeasuredSegment> measured;
        std::exception_ptr failure;
        if (is_over()) return;
        try {
            if (!task.stop().stop_requested()) {
                auto decoder = decoders_.take();
                measured = measure_segment(*decoder, segments_[i], task);
                // One that met damage may have lost its way: what it reads next would depend on what it read before.
                const bool is_whole = measured->frames == segments_[i].end - segments_[i].begin;
                if (is_whole) decoders_.put(std::move(decoder));
            }
        } catch (const std::exception&) {  // the worker's boundary: told to whoever waits
            failure = std::current_exception();
        }
        const bool stopped = task.stop().stop_requested();
        {
            const thread::MutexLock lock(mutex_);
            if (left_ == 0) return;  // given up: what was there then is what counts
            if (!stopped) measured_[i] = std::move(measured);
            if (failure && !failure_) failure_ = failure;
            stopped_ = stopped_ || stopped;
            --left_;
        }
        done_.notify_all();
    }

    // A segment got stuck, and the next one would on the same hung mount: what is measured so far is all there is.
    void give_up() {
        {
            const thread::MutexLock lock(mutex_);
            if (left_ == 0) return;
            if (!failure_) failure_ = std::make_exception_ptr(media::DecodeError("timeout"));
            left_ = 0;
        }
        done_.notify_all();
    }

    bool is_over() {
        const thread::MutexLock lock(mutex_);
        return left_ == 0;
    }

    bool done_within(std::chrono::milliseconds duration) {
        const thread::MutexLock lock(mutex_);
        if (left_ > 0) done_.wait_for(mutex_, duration);
        return left_ == 0;
    }

    void withdraw(Scheduler& scheduler) {
        for (const Scheduler::Ticket ticket : tickets_) scheduler.withdraw(ticket);
    }

    const media::MediaInfo info_;
    DecoderPool decoders_;
    const std::vector<Segment> segments_;
    std::vector<Scheduler::Ticket> tickets_;
    thread::Mutex mutex_;
    std::condition_variable_any done_;
    std::vector<std::optional<MeasuredSegment>> measured_ GUARDED_BY(mutex_);  // by segment
    std::size_t left_ GUARDED_BY(mutex_);  // segments not yet measured; 0 once it was given up
    std::exception_ptr failure_ GUARDED_BY(mutex_);
    bool stopped_ GUARDED_BY(mutex_) = false;  // a segment was not measured because the scheduler stops
};

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

std::optional<Measured> measure_segments(Scheduler& scheduler, const Source& source, std::vector<Segment> segments,
                                         TaskClass task_class, const std::function<bool()>& wanted, bool provisional) {
    const media::MediaInfo& info = source.info;
    const auto measurement = std::make_shared<Measurement>(source, std::move(segments));
    // The first byte waits for a listener's measurement: it is due now.
    const Deadline due = task_class == TaskClass::listener ? std::chrono::steady_clock::now() : Deadline::max();
    measurement->start(scheduler, {task_class, due});
    if (!measurement->wait(scheduler, wanted)) return std::nullopt;
    // A meter that measured nothing knows rate and channels, so that an empty track has a profile too.
    dsp::ProfileSum total = dsp::ProfileMeter(info.sample_rate_hz, info.channels).take();
    for (const dsp::ProfileSum& sum : measurement->take(!provisional)) total.append(sum);
    return Measured{dsp::finish_profile(total, info.frame_count, provisional), measurement->complete()};
}

}  // namespace

std::optional<Measured> TrackMeasurer::measure(const std::filesystem::path& file, const media::MediaInfo& info,
                                               TaskClass task_class, const std::function<bool()>& wanted) {
    return measure_segments(scheduler_, {open_, file, info}, whole_track(info), task_class, wanted, false);
}

std::optional<Measured> TrackMeasurer::sketch(const std::filesystem::path& file, const media::MediaInfo& info,
                                              TaskClass task_class, const std::function<bool()>& wanted) {
    return measure_segments(scheduler_, {open_, file, info}, spread_windows(info), task_class, wanted, true);
}

}  // namespace lacquer
