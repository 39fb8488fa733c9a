#include "src/measurement.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "dsp/loudness.h"
#include "src/retry_policy.h"

namespace lacquer {
namespace {

constexpr std::size_t kBlockFrames = 8192;
constexpr std::chrono::milliseconds kWantedCheck{100};

using Sink = std::function<void(dsp::ConstAudioBlock)>;

// Returns the frames fed; fewer than asked at the end of what can be decoded, or when asked to stop.
std::int64_t feed(media::Decoder& decoder, std::int64_t frames, TaskContext& task, const Sink& sink) {
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

// What stands for the frames of `segment` behind the first `measured` ones. The meter counts whole hops.
dsp::ProfileSum silence(const media::MediaInfo& info, Segment segment, std::int64_t measured) {
    const auto hop = static_cast<std::int64_t>(dsp::hop_frames(info.sample_rate_hz));
    const std::int64_t frames = segment.frames() - measured / hop * hop;
    dsp::ProfileMeter meter(info.sample_rate_hz, info.channels);
    const dsp::AudioBuffer buffer(info.channels, kBlockFrames);
    for (std::int64_t at = 0; at < frames; at += kBlockFrames) {
        const auto count = static_cast<std::size_t>(std::min<std::int64_t>(kBlockFrames, frames - at));
        meter.measure(buffer.block().slice(0, count));
    }
    return meter.take();
}

bool may_pass(const std::exception_ptr& failure) {
    if (!failure) return false;
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& error) {
        return can_pass(error);
    }
}

std::chrono::milliseconds delay_before(int retry, TaskClass task_class) {
    std::random_device random;
    return retry_delay({.retry = retry,
                        .listener_waits = task_class == TaskClass::listener,
                        .jitter = std::uniform_real_distribution(0.0, 1.0)(random)});
}

}  // namespace

std::unique_ptr<media::Decoder> DecoderPool::take() {
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

void DecoderPool::put(std::unique_ptr<media::Decoder> decoder) {
    const thread::MutexLock lock(mutex_);
    idle_.push_back(std::move(decoder));
}

void DecoderPool::close_idle() {
    std::vector<std::unique_ptr<media::Decoder>> closed;  // outside the lock
    const thread::MutexLock lock(mutex_);
    closed.swap(idle_);
}

Measurement::Measurement(MeasuringSource source, std::vector<Segment> segments, std::function<Clock::time_point()> now)
    : decoders_(std::move(source)), segments_(std::move(segments)), now_(std::move(now)), parts_(segments_.size()) {}

bool Measurement::measure(Scheduler& scheduler, TaskClass task_class, const Wanted& wanted) {
    try {
        const bool done = measure_all(scheduler, task_class, wanted);
        leave(scheduler);
        return done;
    } catch (const WorkRefused&) {
        leave(scheduler);
        throw;
    }
}

bool Measurement::measure_all(Scheduler& scheduler, TaskClass task_class, const Wanted& wanted) {
    // The first byte waits for a listener's measurement: it is due now.
    const Urgency urgency{task_class, task_class == TaskClass::listener ? Clock::now() : Deadline::max()};
    Round round{std::vector<std::size_t>(segments_.size()), segments_.size()};
    std::iota(round.segments.begin(), round.segments.end(), std::size_t{0});
    for (int retry = 1; measure_round(scheduler, urgency, round, wanted); ++retry) {
        // What refused so many readers may get along with fewer.
        round = {worth_a_retry(), std::max<std::size_t>(1, static_cast<std::size_t>(scheduler.workers()) >> retry)};
        if (round.segments.empty() || retry > kRetries) return true;
        if (!pause(delay_before(retry, task_class), wanted)) return false;
        decoders_.close_idle();  // a handle that went stale stays so
        const thread::MutexLock lock(mutex_);
        retries_ = retry;
    }
    return false;
}

// False when it was not wanted any more, or the scheduler was stopped.
bool Measurement::measure_round(Scheduler& scheduler, Urgency urgency, const Round& round, const Wanted& wanted) {
    auto next = round.segments.begin();
    while (true) {
        std::size_t room = 0;
        std::uint64_t seen = 0;
        {
            const thread::MutexLock lock(mutex_);
            if (over_) return true;
            if (stopped_) return false;
            if (under_way_ == 0 && next == round.segments.end()) return true;
            const std::size_t most = reads_ ? round.at_once : 1;
            room = most - std::min(most, under_way_);
            seen = changes_;
        }
        for (; room > 0 && next != round.segments.end(); --room) submit(scheduler, urgency, *next++);
        {
            const thread::MutexLock lock(mutex_);
            if (changes_ == seen) changed_.wait_for(mutex_, kWantedCheck);
        }
        if (!wanted()) return false;
    }
}

void Measurement::submit(Scheduler& scheduler, Urgency urgency, std::size_t i) {
    {
        const thread::MutexLock lock(mutex_);
        parts_[i].place = Place::waiting;
        ++under_way_;
    }
    const auto self = shared_from_this();
    const auto ticket = scheduler.submit(
        urgency, {[self, i](TaskContext& task) { self->run(i, task); }, [self, i] { self->give_up(i); }});
    if (!ticket) throw WorkRefused();
    tickets_.push_back(*ticket);
}

bool Measurement::pause(std::chrono::milliseconds delay, const Wanted& wanted) {
    const auto end = Clock::now() + delay;
    while (true) {
        if (!wanted()) return false;
        const auto now = Clock::now();
        if (now >= end) return true;
        const thread::MutexLock lock(mutex_);
        changed_.wait_for(mutex_, std::min<Clock::duration>(end - now, kWantedCheck));
    }
}

void Measurement::leave(Scheduler& scheduler) {
    {
        const thread::MutexLock lock(mutex_);
        over_ = true;
    }
    for (const Scheduler::Ticket ticket : tickets_) scheduler.withdraw(ticket);
    decoders_.close_idle();
}

void Measurement::run(std::size_t i, TaskContext& task) {
    if (!enter(i)) return;
    Part part;
    try {
        if (!task.stop().stop_requested()) part = measure_part(i, task);
    } catch (const std::exception&) {  // the worker's boundary: told to whoever waits
        part.failure = std::current_exception();
    }
    settle(i, std::move(part), task.stop().stop_requested());
}

Measurement::Part Measurement::measure_part(std::size_t i, TaskContext& task) {
    const Segment segment = segments_[i];
    auto decoder = decoders_.take();
    const media::MediaInfo& info = decoder->info();
    dsp::ProfileMeter meter(info.sample_rate_hz, info.channels);
    const std::int64_t warm_up = std::min(segment.begin, dsp::ProfileMeter::warm_up_frames(info.sample_rate_hz));
    decoder->seek(segment.begin - warm_up);
    task.progressed();
    bool has_read = false;
    const auto reads = [&] {
        if (!std::exchange(has_read, true)) source_reads();
    };
    feed(*decoder, warm_up, task, [&](dsp::ConstAudioBlock block) { reads(), meter.warm_up(block); });
    const std::int64_t frames =
        feed(*decoder, segment.frames(), task, [&](dsp::ConstAudioBlock block) { reads(), meter.measure(block); });
    // One that met damage may have lost its way: what it reads next would depend on what it read before.
    if (frames == segment.frames()) decoders_.put(std::move(decoder));
    return {.sum = meter.take(), .frames = frames};
}

// False when it was given up before.
bool Measurement::enter(std::size_t i) {
    const thread::MutexLock lock(mutex_);
    if (!over_) parts_[i].place = Place::inside;
    return !over_;
}

void Measurement::source_reads() {
    {
        const thread::MutexLock lock(mutex_);
        if (std::exchange(reads_, true)) return;
        ++changes_;
    }
    changed_.notify_all();
}

void Measurement::settle(std::size_t i, Part part, bool stopped) {
    {
        const thread::MutexLock lock(mutex_);
        if (over_) {
            parts_[i].place = Place::idle;
        } else {
            stopped_ = stopped_ || stopped;
            reads_ = true;  // or fails, but does not hang
            parts_[i] = std::move(part);
            --under_way_;
        }
        ++changes_;
    }
    changed_.notify_all();
}

// A segment got stuck, and the next one would on the same hung mount. Or no worker is left that could begin it.
void Measurement::give_up(std::size_t i) {
    {
        const thread::MutexLock lock(mutex_);
        Part& part = parts_[i];
        if (part.place == Place::idle) return;
        if (part.place == Place::inside) hung_at_ = now_();
        if (!over_)
            part.failure = std::make_exception_ptr(media::DecodeError(kTimeout, make_error_code(std::errc::timed_out)));
        over_ = true;
        ++changes_;
    }
    changed_.notify_all();
}

std::vector<std::size_t> Measurement::worth_a_retry() const {
    const thread::MutexLock lock(mutex_);
    std::vector<std::size_t> segments;
    for (std::size_t i = 0; i < parts_.size() && !over_; ++i) {
        if (may_pass(parts_[i].failure)) segments.push_back(i);
    }
    return segments;
}

std::vector<dsp::ProfileSum> Measurement::take(bool keep_time) {
    const thread::MutexLock lock(mutex_);
    const auto failure = std::find_if(parts_.begin(), parts_.end(), [](const Part& part) { return part.failure; });
    if (failure != parts_.end() &&
        std::none_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.sum.has_value(); })) {
        const auto passing = first_passing();
        std::rethrow_exception(passing ? passing : failure->failure);
    }
    std::size_t end = parts_.size();
    while (end > 0 && parts_[end - 1].frames == 0) --end;
    std::vector<dsp::ProfileSum> sums;
    for (std::size_t i = 0; i < end; ++i) {
        Part& part = parts_[i];
        const bool is_whole = part.frames == segments_[i].frames();
        if (part.sum) sums.push_back(std::move(*part.sum));
        if (keep_time && !is_whole && i + 1 < end)
            sums.push_back(silence(decoders_.source().info, segments_[i], part.frames));
    }
    return sums;
}

bool Measurement::failed() const {
    const thread::MutexLock lock(mutex_);
    return std::any_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.failure != nullptr; });
}

std::exception_ptr Measurement::passing_failure() const {
    const thread::MutexLock lock(mutex_);
    return first_passing();
}

std::exception_ptr Measurement::first_passing() const {
    const auto part =
        std::find_if(parts_.begin(), parts_.end(), [](const Part& candidate) { return may_pass(candidate.failure); });
    return part == parts_.end() ? nullptr : part->failure;
}

int Measurement::retries() const {
    const thread::MutexLock lock(mutex_);
    return retries_;
}

bool Measurement::any_inside() const {
    return std::any_of(parts_.begin(), parts_.end(), [](const Part& part) { return part.place == Place::inside; });
}

bool Measurement::is_left_behind() const {
    const thread::MutexLock lock(mutex_);
    return over_ && any_inside();
}

std::optional<Measurement::Clock::time_point> Measurement::hangs_since() const {
    const thread::MutexLock lock(mutex_);
    return any_inside() ? hung_at_ : std::nullopt;
}

}  // namespace lacquer
