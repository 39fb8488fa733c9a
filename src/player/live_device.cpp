#include "src/player/live_device.h"

#include <condition_variable>
#include <optional>
#include <thread>
#include <utility>

#include "thread/mutex.h"

namespace lacquer::player {

bool share_a_clock(const SoundDevice& input, const SoundDevice& output) {
    if (input.host_api != output.host_api) return false;
    if (output.host_api.rfind("JACK", 0) == 0) return true;
    const bool is_card = output.name.find("(hw:") != std::string::npos;  // as PortAudio names those of ALSA
    return is_card && input.name == output.name;
}

// One stream for both directions, or two. What they hold is destroyed with the last owner, the streams first.
struct LiveDevice::Streams {
    Streams(std::shared_ptr<SoundSystem> system_, std::shared_ptr<AudioCallback> callback_)
        : system(std::move(system_)), callback(std::move(callback_)) {}

    // Throws SoundError.
    void open(const LiveWish& wish, const LiveShape& shape) {
        StreamRequest request;
        request.output = find_device(*system, wish.output, Direction::output);
        const SoundDevice from = find_device(*system, wish.input, Direction::input);
        request.sample_rate_hz = shape.sample_rate_hz;
        request.input_channels = shape.input_channels;
        request.output_channels = shape.output_channels;
        request.latency_ms = wish.latency_ms;
        input_name = from.name;
        output_name = request.output.name;
        if (share_a_clock(from, request.output)) {
            request.input = from;
            open_output(request, *callback);
            return;
        }
        bridge = std::make_unique<LiveBridge>(*callback, shape.input_channels, shape.output_channels,
                                              shape.sample_rate_hz, wish.latency_ms / 1000.0);
        open_output(request, bridge->speaker());
        request.input = from;
        request.output = from;
        request.output_channels = 0;
        input_gate = std::make_unique<CallbackGate>(bridge->listener(), 0);
        input = system->open(request, *input_gate);
    }
    void open_output(const StreamRequest& request, AudioCallback& called) {
        output_gate = std::make_unique<CallbackGate>(called, request.output_channels);
        output = system->open(request, *output_gate);
    }
    // The callback is left alone when false returns.
    void let_sound_through(bool open) const noexcept {
        for (CallbackGate* gate : {input_gate.get(), output_gate.get()}) {
            if (gate != nullptr) open ? gate->open() : gate->close();
        }
    }
    void stop() noexcept {
        if (input) input->stop(SoundStream::Stop::now);
        if (output) output->stop(SoundStream::Stop::now);
    }
    std::uint64_t xruns() const noexcept { return output->xruns() + (input ? input->xruns() + bridge->slips() : 0); }

    const std::shared_ptr<SoundSystem> system;
    const std::shared_ptr<AudioCallback> callback;
    std::unique_ptr<LiveBridge> bridge;  // null: one stream
    std::unique_ptr<CallbackGate> input_gate;
    std::unique_ptr<CallbackGate> output_gate;
    std::unique_ptr<SoundStream> output;
    std::unique_ptr<SoundStream> input;  // null: one stream
    std::string input_name;
    std::string output_name;
};

// Something done on a thread of its own.
struct LiveDevice::Attempt {
    void end(const std::optional<SoundError>& failure) {
        const thread::MutexLock lock(mutex);
        error = failure;
        done = true;
        changed.notify_all();
    }
    bool wait(Clock::duration patience) {
        const auto give_up = Clock::now() + patience;
        const thread::MutexLock lock(mutex);
        while (!done && Clock::now() < give_up) changed.wait_until(mutex, give_up);
        return done;
    }
    std::optional<SoundError> failure() {
        const thread::MutexLock lock(mutex);
        return error;
    }

    std::shared_ptr<Streams> streams;  // its thread's until it is done
    thread::Mutex mutex;
    std::condition_variable_any changed;
    bool done GUARDED_BY(mutex) = false;
    std::optional<SoundError> error GUARDED_BY(mutex);
};

LiveDevice::LiveDevice(std::shared_ptr<SoundSystem> system, LiveWish wish, const LiveShape& shape,
                       std::shared_ptr<AudioCallback> callback)
    : system_(std::move(system)), wish_(std::move(wish)), shape_(shape), callback_(std::move(callback)) {}

void LiveDevice::begin_attempt(bool look_again) {
    attempt_ = std::make_shared<Attempt>();
    attempt_->streams = std::make_shared<Streams>(system_, callback_);
    std::thread([attempt = attempt_, wish = wish_, shape = shape_, look_again] {
        try {
            if (look_again) attempt->streams->system->rescan();
            attempt->streams->open(wish, shape);
            attempt->end(std::nullopt);
        } catch (const SoundError& error) {
            attempt->streams->stop();
            attempt->end(error);
        }
    }).detach();
}

// Throws what it failed with.
void LiveDevice::take_attempt() {
    const auto attempt = std::exchange(attempt_, nullptr);
    if (const auto failure = attempt->failure()) throw *failure;
    streams_ = std::move(attempt->streams);
    input_ = streams_->input_name;
    output_ = streams_->output_name;
    streams_->let_sound_through(true);
}

void LiveDevice::open() {
    begin_attempt(false);
    if (!attempt_->wait(kHangsAfter)) {
        throw SoundError(SoundError::Reason::failed, "the sound devices do not answer");
    }
    take_attempt();
    output_calls_ = input_calls_ = {0, Clock::time_point::max()};
}

double LiveDevice::input_latency_seconds() const {
    if (!streams_) return 0.0;
    const SoundStream& input = streams_->input ? *streams_->input : *streams_->output;
    return input.input_latency_seconds() + (streams_->bridge ? streams_->bridge->margin_seconds() : 0.0);
}

double LiveDevice::output_latency_seconds() const {
    return streams_ ? streams_->output->output_latency_seconds() : 0.0;
}

std::uint64_t LiveDevice::xruns() const noexcept {
    return earlier_xruns_ + (streams_ ? streams_->xruns() : 0);
}

bool LiveDevice::is_dead(Clock::time_point now) {
    const auto check = [&](const SoundStream& stream, Watched& watched) {
        const std::uint64_t calls = stream.calls();
        if (calls != std::exchange(watched.calls, calls) || watched.at > now) watched.at = now;
        if (stream.ended()) {
            reason_ = "the driver has ended the stream";
        } else if (now - watched.at > kDeadAfter) {
            reason_ = "the device does not answer any more";
        } else {
            return false;
        }
        return true;
    };
    return check(*streams_->output, output_calls_) || (streams_->input && check(*streams_->input, input_calls_));
}

LiveDevice::Change LiveDevice::tick(Clock::time_point now) {
    if (streams_) {
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
    output_calls_ = input_calls_ = {0, now};
    return Change::opened;
}

bool LiveDevice::close() noexcept {
    if (!streams_) return true;
    earlier_xruns_ += streams_->xruns();
    streams_->let_sound_through(false);
    const auto closing = std::make_shared<Attempt>();
    std::thread([closing, streams = std::exchange(streams_, nullptr)]() mutable {
        streams->stop();
        streams.reset();
        closing->end(std::nullopt);
    }).detach();
    return closing->wait(kStopsWithin);
}

}  // namespace lacquer::player
