#include "src/player/live_device.h"

#include <exception>
#include <utility>

#include "src/player/callback_gate.h"
#include "src/player/live_bridge.h"
#include "src/player/run_detached.h"

namespace lacquer::player {
namespace {

constexpr std::chrono::milliseconds kStep{20};

}  // namespace

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

LiveDevice::~LiveDevice() {
    close();
}

LiveDevice::LiveDevice(std::shared_ptr<SoundSystem> system, LiveWish wish, const LiveShape& shape,
                       std::shared_ptr<AudioCallback> callback)
    : system_(std::move(system)), wish_(std::move(wish)), shape_(shape), callback_(std::move(callback)) {}

void LiveDevice::begin_opening(bool look_again) {
    opening_ = run_detached([system = system_, callback = callback_, wish = wish_, shape = shape_, look_again] {
        auto streams = std::make_unique<Streams>(system, callback);
        try {
            if (look_again) system->rescan();
            streams->open(wish, shape);
        } catch (const SoundError&) {
            throw;
        } catch (const std::exception& error) {
            throw SoundError(SoundError::Reason::failed, error.what());
        }
        return streams;
    });
}

void LiveDevice::take_opened() {
    streams_ = std::exchange(opening_, {}).get();
    input_ = streams_->input_name;
    output_ = streams_->output_name;
    streams_->let_sound_through(true);
}

bool LiveDevice::open(const std::function<bool()>& go_on) {
    const auto give_up_at = Clock::now() + kHangsAfter;
    begin_opening(false);
    while (opening_.wait_for(kStep) != std::future_status::ready) {
        if (go_on && !go_on()) return false;
        if (Clock::now() < give_up_at) continue;
        opening_ = {};
        throw SoundError(SoundError::Reason::failed, "the sound devices do not answer");
    }
    take_opened();
    output_calls_ = input_calls_ = {0, Clock::time_point::max()};
    return true;
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
    if (!opening_.valid()) {
        if (now - tried_at_ < kTryAgainAfter) return Change::none;
        tried_at_ = now;
        begin_opening(true);
    }
    if (opening_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return Change::none;
    try {
        take_opened();
    } catch (const SoundError& error) {
        reason_ = error.what();
        return Change::none;
    }
    output_calls_ = input_calls_ = {0, now};
    return Change::opened;
}

bool LiveDevice::close() noexcept {
    const auto give_up_at = Clock::now() + kStopsWithin;
    if (auto opening = std::exchange(opening_, {}); opening.valid()) {
        if (opening.wait_until(give_up_at) != std::future_status::ready)
            return false;  // its thread closes what it opens
        try {
            streams_ = opening.get();
        } catch (const SoundError&) {  // nothing to be closed then
        }
    }
    if (!streams_) return true;
    earlier_xruns_ += streams_->xruns();
    streams_->let_sound_through(false);
    const auto closed = run_detached([streams = std::move(streams_)]() mutable { streams.reset(); });
    return closed.wait_until(give_up_at) == std::future_status::ready;
}

}  // namespace lacquer::player
