// One measurement under way: the segments of a track as tasks of the scheduler.
//
//     the first alone --reads--> all others --some failed, which may pass--> pause --> those again, on fewer workers
//                    `--hangs, there or later--> given up: what is measured so far is all there is
//
// A source that hangs from its start so costs one worker, not all.
//
// Threads: measure() is called once, by a thread that is no worker; the other members by any. Shared, because a worker
// may still be in it when the caller has given up waiting, and one that was written off for as long as it stays
// blocked. Memory: a decoder and a meter per worker, and the sums.
#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "dsp/profile_meter.h"
#include "src/media/decoder.h"
#include "src/scheduler.h"
#include "thread/mutex.h"

namespace lacquer {

// Frames [begin, end) of a track.
struct Segment {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::int64_t frames() const noexcept { return end - begin; }
};

struct MeasuringSource {
    media::OpenDecoder open;
    std::filesystem::path file;
    media::MediaInfo info;
};

// Decoders that are between two segments: a handle that was used before seeks faster than a new one. Any thread.
class DecoderPool {
public:
    explicit DecoderPool(MeasuringSource source) : source_(std::move(source)) {}
    const MeasuringSource& source() const noexcept { return source_; }
    // Throws media::DecodeError.
    std::unique_ptr<media::Decoder> take();
    void put(std::unique_ptr<media::Decoder> decoder);
    // What opens from here on is opened afresh.
    void close_idle();

private:
    const MeasuringSource source_;
    thread::Mutex mutex_;
    std::vector<std::unique_ptr<media::Decoder>> idle_ GUARDED_BY(mutex_);
};

class Measurement : public std::enable_shared_from_this<Measurement> {
public:
    using Clock = std::chrono::steady_clock;
    using Wanted = std::function<bool()>;  // asked about every 100 ms

    Measurement(MeasuringSource source, std::vector<Segment> segments, std::function<Clock::time_point()> now);

    // False when it was not wanted any more, or the scheduler was stopped. No task waits when it returns. Throws
    // WorkRefused.
    bool measure(Scheduler& scheduler, TaskClass task_class, const Wanted& wanted);

    // After measure(), once. The stretches that could be decoded, in track order; where `keep_time`, with silence for
    // what is missing before the last of them. Throws what failed when none could: what may pass, if anything.
    std::vector<dsp::ProfileSum> take(bool keep_time);
    // A stretch could not be measured.
    bool failed() const;
    // What stood in the way of a stretch and may be gone the next time; null when nothing did.
    std::exception_ptr passing_failure() const;
    int retries() const;

    const std::filesystem::path& file() const noexcept { return decoders_.source().file; }
    // Nobody waits for it any more, but a worker is still in it.
    bool is_left_behind() const;
    // When it hung; nullopt when it did not, or every worker came back.
    std::optional<Clock::time_point> hangs_since() const;

private:
    enum class Place { idle, waiting, inside };
    struct Part {
        Place place = Place::idle;
        std::optional<dsp::ProfileSum> sum{};
        std::int64_t frames = 0;  // fewer than the segment has where the file is damaged
        std::exception_ptr failure{};
    };
    struct Round {
        std::vector<std::size_t> segments;
        std::size_t at_once = 0;
    };

    bool measure_all(Scheduler& scheduler, TaskClass task_class, const Wanted& wanted);
    bool measure_round(Scheduler& scheduler, Urgency urgency, const Round& round, const Wanted& wanted);
    void submit(Scheduler& scheduler, Urgency urgency, std::size_t i);
    bool pause(std::chrono::milliseconds delay, const Wanted& wanted);
    void leave(Scheduler& scheduler);

    void run(std::size_t i, TaskContext& task);
    Part measure_part(std::size_t i, TaskContext& task);
    bool enter(std::size_t i);
    void source_reads();
    void settle(std::size_t i, Part part, bool stopped);
    void give_up(std::size_t i);

    std::vector<std::size_t> worth_a_retry() const;
    bool any_inside() const REQUIRES_LOCK(mutex_);
    std::exception_ptr first_passing() const REQUIRES_LOCK(mutex_);

    DecoderPool decoders_;
    const std::vector<Segment> segments_;
    const std::function<Clock::time_point()> now_;
    std::vector<Scheduler::Ticket> tickets_;  // of the caller alone
    mutable thread::Mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<Part> parts_ GUARDED_BY(mutex_);  // by segment
    std::size_t under_way_ GUARDED_BY(mutex_) = 0;
    std::uint64_t changes_ GUARDED_BY(mutex_) = 0;
    int retries_ GUARDED_BY(mutex_) = 0;
    bool reads_ GUARDED_BY(mutex_) = false;    // the source does not hang from its start
    bool over_ GUARDED_BY(mutex_) = false;     // what was measured until then is what counts
    bool stopped_ GUARDED_BY(mutex_) = false;  // a segment was not measured because the scheduler stops
    std::optional<Clock::time_point> hung_at_ GUARDED_BY(mutex_);
};

}  // namespace lacquer
