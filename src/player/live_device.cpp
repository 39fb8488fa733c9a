#include "src/player/live_device.h"

#include <condition_variable>
#include <optional>
#include <thread>
#include <utility>

#include "thread/mutex.h"

namespace lacquer::player {

// One opening on a thread of its own. What it holds is destroyed with its last owner, the stream first.
struct LiveDevice::Attempt {
    Attempt(std::shared_ptr<SoundSystem> system_, std::shared_ptr<AudioCallback> callback_)
        : system(std::move(system_)), callback(std::move(callback_)) {}

    void run(const LiveWish& wish, const LiveShape& shape, bool look_again) {
        try {
            if (look_again) system->rescan();
            StreamRequest request;
            request.input = find_device(*system, wish.input, Direction::input);
            request.output = find_device(*system, wish.output, Direction::output);
            request.sample_rate_hz = shape.sample_rate_hz;
            request.input_channels = shape.input_channels;
            request.output_channels = shape.output_channels;
            request.latency_ms = wish.latency_ms;
            end(system->open(request, *callback), std::nullopt, request);
        } catch (const SoundError& problem) {
            end(nullptr, problem, {});
        }
    }
    void end(std::unique_ptr<SoundStream> opened, const std::optional<SoundError>& failure,
             const StreamRequest& request) {
        const thread::MutexLock lock(mutex);
        stream = std::move(opened);
        error = failure;
        if (request.input) input = request.input->name;
        output = request.output.name;
        done = true;
        changed.notify_all();
    }
    bool wait(Clock::duration patience) {
        const auto give_up = Clock::now() + patience;
        const thread::MutexLock lock(mutex);
        while (!done && Clock::now() < give_up) changed.wait_until(mutex, give_up);
        return done;
    }

    const std::shared_ptr<SoundSystem> system;
    const std::shared_ptr<AudioCallback> callback;
    thread::Mutex mutex;
    std::condition_variable_any changed;
    bool done GUARDED_BY(mutex) = false;
    std::optional<SoundError> error GUARDED_BY(mutex);
    std::string input GUARDED_BY(mutex);
    std::string output GUARDED_BY(mutex);
    std::unique_ptr<SoundStream> stream GUARDED_BY(mutex);
};

LiveDevice::LiveDevice(std::shared_ptr<SoundSystem> system, LiveWish wish, const LiveShape& shape,
                       std::shared_ptr<AudioCallback> callback)
    : system_(std::move(system)), wish_(std::move(wish)), shape_(shape), callback_(std::move(callback)) {}

void LiveDevice::begin_attempt(bool look_again) {
    attempt_ = std::make_shared<Attempt>(system_, callback_);
    std::thread([attempt = attempt_, wish = wish_, shape = shape_, look_again] {
        attempt->run(wish, shape, look_again);
    }).detach();
}

// True when it has led to a stream; throws what it failed with.
bool LiveDevice::take_attempt() {
    const auto attempt = std::exchange(attempt_, nullptr);
    const thread::MutexLock lock(attempt->mutex);
    if (attempt->error) throw *attempt->error;
    stream_ = std::move(attempt->stream);
    input_ = attempt->input;
    output_ = attempt->output;
    calls_ = 0;
    return true;
}

void LiveDevice::open() {
    begin_attempt(false);
    if (!attempt_->wait(kHangsAfter)) {
        throw SoundError(SoundError::Reason::failed, "the sound devices do not answer");
    }
    take_attempt();
    called_at_ = Clock::now();
}

bool LiveDevice::is_dead(Clock::time_point now) {
    const std::uint64_t calls = stream_->calls();
    if (calls != std::exchange(calls_, calls)) called_at_ = now;
    if (stream_->ended()) {
        reason_ = "the driver has ended the stream";
    } else if (now - called_at_ > kDeadAfter) {
        reason_ = "the device does not ask for sound any more";
    } else {
        return false;
    }
    return true;
}

LiveDevice::Change LiveDevice::tick(Clock::time_point now) {
    if (stream_) {
        if (!is_dead(now)) return Change::none;
        close();
        tried_at_ = now;
        return Change::lost;
    }
    if (!attempt_) {
        if (now - tried_at_ < kTryAgainAfter) return Change::none;
        tried_at_ = now;
        begin_attempt(true);
    }
    if (!attempt_->wait(Clock::duration::zero())) return Change::none;
    try {
        take_attempt();
    } catch (const SoundError& error) {
        reason_ = error.what();
        return Change::none;
    }
    called_at_ = now;
    return Change::opened;
}

bool LiveDevice::close() noexcept {
    if (!stream_) return true;
    earlier_xruns_ += stream_->xruns();
    const auto closing = std::make_shared<Attempt>(system_, callback_);
    std::thread([closing, stream = std::move(stream_)]() mutable {
        stream.reset();
        closing->end(nullptr, std::nullopt, {});
    }).detach();
    return closing->wait(kStopsWithin);
}

}  // namespace lacquer::player
