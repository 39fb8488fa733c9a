#include "src/player/reduction_meter.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>

#include <sys/resource.h>

#include "dsp/enhancer.h"
#include "src/source_watch.h"
#include "thread/mutex.h"

namespace lacquer::player {
namespace {

constexpr int kNiceness = 10;
constexpr double kRetrySeconds = 5.0;
constexpr double kCatchUpSeconds = 1.0;  // further ahead a new run is quicker
constexpr std::chrono::milliseconds kPatience{200};

struct Wanted {
    PlanPtr plan;
    std::int64_t frame = 0;
};

// Frames [begin, end) of the track.
struct Known {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    GainReduction reduction;
};

std::int64_t frames_of(const RenderPlan& plan, double seconds) {
    return static_cast<std::int64_t>(seconds * plan.media.sample_rate_hz);
}

bool same(const PlanPtr& a, const PlanPtr& b) {
    return a == b || (a && b && a->fingerprint == b->fingerprint);
}

// The chain over a stretch of the source, 100 ms at a time.
class Run {
public:
    // Both throw media::DecodeError.
    Run(PlanPtr plan, std::int64_t frame, const media::OpenDecoder& open)
        : plan_(std::move(plan)),
          watch_(plan_->source),
          decoder_(open(plan_->source.path, plan_->media)),
          enhancer_(plan_->recipe, frame),
          hop_(plan_->channels(), static_cast<std::size_t>(frames_of(*plan_, 0.1))),
          position_(frame - static_cast<std::int64_t>(enhancer_.latency_frames())) {
        watch_.check_path();
        if (frame > 0) decoder_->seek(frame);
    }
    Known next() {
        const dsp::AudioBlock block = hop_.block();
        std::size_t filled = 0;
        while (const std::size_t got = decoder_->read(block.slice(filled, block.frame_count - filled))) filled += got;
        watch_.check_content();
        for (std::size_t c = 0; c < block.channel_count; ++c) {
            std::fill(block.channels[c] + filled, block.channels[c] + block.frame_count, 0.0f);
        }
        enhancer_.process(block);
        const dsp::GainReduction reduction = enhancer_.take_reduction();
        const std::int64_t begin = position_;
        position_ += static_cast<std::int64_t>(block.frame_count);
        return {begin, position_, {reduction.compressor_db, reduction.limiter_db}};
    }
    std::int64_t position() const { return position_; }

private:
    PlanPtr plan_;
    SourceWatch watch_;
    std::unique_ptr<media::Decoder> decoder_;
    dsp::Enhancer enhancer_;
    dsp::AudioBuffer hop_;
    std::int64_t position_;  // frame that the next one out of the chain stands for
};

// Such that its next() is the first worth keeping.
std::unique_ptr<Run> run_up_to(const Wanted& wanted, const media::OpenDecoder& open) {
    const auto seconds = [&](double count) { return frames_of(*wanted.plan, count); };
    const std::int64_t begin = std::max(std::int64_t{0}, wanted.frame - seconds(ReductionMeter::kWarmUpSeconds));
    auto run = std::make_unique<Run>(wanted.plan, begin, open);
    while (run->position() + seconds(0.1) <= wanted.frame) run->next();
    return run;
}

struct Job {
    Wanted wanted;
    bool go_on = false;  // with the run there is
};

}  // namespace

struct ReductionMeter::State {
    explicit State(media::OpenDecoder open_) : open(std::move(open_)) {}

    // The run under way leads, or has led, to what is wanted.
    bool covers(const Wanted& what) const REQUIRES_LOCK(mutex) {
        return same(plan, what.plan) && !known.empty() && known.front().begin <= what.frame &&
               what.frame <= known.back().end + frames_of(*what.plan, kCatchUpSeconds);
    }
    bool has_work() const REQUIRES_LOCK(mutex) {
        if (!wanted.plan) return false;
        if (same(failed.plan, wanted.plan) &&
            std::abs(failed.frame - wanted.frame) < frames_of(*wanted.plan, kRetrySeconds)) {
            return false;
        }
        return !covers(wanted) || known.back().end < wanted.frame + frames_of(*wanted.plan, kAheadSeconds);
    }
    // Waits for something to do; nullopt: nothing any more.
    std::optional<Job> next(bool running) EXCLUDES_LOCK(mutex) {
        const thread::MutexLock lock(mutex);
        while (!stop && !has_work() && (wanted.plan || !running)) changed.wait(mutex);
        if (stop) return std::nullopt;
        const bool go_on = running && covers(wanted);
        if (!go_on) forget(wanted.plan);
        return Job{wanted, go_on};
    }
    void keep(const Known& hop) EXCLUDES_LOCK(mutex) {
        const thread::MutexLock lock(mutex);
        known.push_back(hop);
        while (known.size() > 1 && known.front().end < wanted.frame - frames_of(*plan, kAheadSeconds)) {
            known.pop_front();
        }
    }
    void give_up(const Wanted& what) EXCLUDES_LOCK(mutex) {
        const thread::MutexLock lock(mutex);
        forget(nullptr);
        failed = what;
    }
    void end() EXCLUDES_LOCK(mutex) {
        const thread::MutexLock lock(mutex);
        ended = true;
        changed.notify_all();
    }
    void forget(const PlanPtr& next) REQUIRES_LOCK(mutex) {
        known.clear();
        plan = next;
    }

    const media::OpenDecoder open;
    thread::Mutex mutex;
    std::condition_variable_any changed;
    Wanted wanted GUARDED_BY(mutex);
    Wanted failed GUARDED_BY(mutex);
    PlanPtr plan GUARDED_BY(mutex);             // what `known` is of
    std::deque<Known> known GUARDED_BY(mutex);  // one run, without gaps
    bool stop GUARDED_BY(mutex) = false;
    bool ended GUARDED_BY(mutex) = false;
};

ReductionMeter::ReductionMeter(media::OpenDecoder open)
    : state_(std::make_shared<State>(std::move(open))), thread_([state = state_] { work(*state); }) {}

ReductionMeter::~ReductionMeter() {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    bool ended = false;
    {
        const thread::MutexLock lock(state_->mutex);
        state_->stop = true;
        state_->changed.notify_all();
        while (!state_->ended && std::chrono::steady_clock::now() < give_up) {
            state_->changed.wait_until(state_->mutex, give_up);
        }
        ended = state_->ended;
    }
    if (ended) {
        thread_.join();
    } else {
        thread_.detach();
    }
}

std::optional<GainReduction> ReductionMeter::at(const PlanPtr& plan, std::int64_t frame) {
    const PlanPtr audible = plan && !plan->recipe.bypass ? plan : nullptr;
    const thread::MutexLock lock(state_->mutex);
    state_->wanted = {audible, frame};
    if (!audible) state_->failed = {};
    state_->changed.notify_all();
    if (!same(state_->plan, audible)) return std::nullopt;
    for (const Known& hop : state_->known) {
        if (hop.begin <= frame && frame < hop.end) return hop.reduction;
    }
    return std::nullopt;
}

void ReductionMeter::work(State& state) {
    ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + kNiceness);
    std::unique_ptr<Run> run;
    while (const auto job = state.next(run != nullptr)) {
        if (!job->go_on) run.reset();
        if (!job->wanted.plan) continue;
        try {
            if (!run) run = run_up_to(job->wanted, state.open);
            state.keep(run->next());
        } catch (const media::DecodeError&) {
            run.reset();
            state.give_up(job->wanted);
        }
    }
    run.reset();
    state.end();
}

}  // namespace lacquer::player
