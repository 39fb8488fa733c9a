#include "src/player/live_command.h"

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "dsp/preset.h"
#include "src/player/exit_codes.h"
#include "src/player/live_device.h"
#include "src/player/live_tuner.h"
#include "src/player/live_view.h"
#include "src/player/portaudio_system.h"
#include "src/shutdown_signals.h"

namespace lacquer::player {
namespace {

constexpr std::chrono::milliseconds kTick{100};
constexpr std::chrono::milliseconds kTune{50};
constexpr std::chrono::seconds kStatus{1};

// Chain, tuner and devices at one rate.
class LiveSession {
public:
    LiveSession(const LiveCommand& command, const LiveSurroundings& surroundings, const LiveShape& shape)
        : command_(command),
          shape_(shape),
          chain_(std::make_shared<LiveChain>(shape, command.request)),
          tuner_(*chain_, shape, command.request),
          device_(surroundings.system, {command.input, command.output, command.latency_ms}, shape, chain_) {}

    // False: it is not to go on. Throws SoundError.
    bool open(const LiveSurroundings& surroundings) {
        if (!device_.open([&] { return surroundings.go_on(std::chrono::milliseconds(0)); })) return false;
        tuning_ = std::jthread([this](const std::stop_token& stop) {
            for (; !stop.stop_requested(); std::this_thread::sleep_for(kTune)) tuner_.work();
        });
        return true;
    }

    LiveDevice& device() { return device_; }
    LiveStatus status() {
        const double ms_per_frame = 1000.0 / shape_.sample_rate_hz;
        LiveStatus status;
        status.input = device_.input();
        status.output = device_.output();
        status.sample_rate_hz = shape_.sample_rate_hz;
        status.preset = command_.request.reference ? "reference" : dsp::preset(command_.request.preset).name;
        status.intensity = command_.request.intensity;
        status.look_ahead_ms = static_cast<double>(chain_->latency_frames()) * ms_per_frame;
        status.input_buffer_ms = 1000.0 * device_.input_latency_seconds();
        status.output_buffer_ms = 1000.0 * device_.output_latency_seconds();
        status.open = device_.is_open();
        status.reading = tuner_.reading();
        status.reduction = chain_->take_reduction();
        status.xruns = device_.xruns();
        status.lost_frames = chain_->lost_frames();
        return status;
    }

private:
    const LiveCommand& command_;
    const LiveShape shape_;
    const std::shared_ptr<LiveChain> chain_;  // shared with a driver that hangs
    LiveTuner tuner_;
    LiveDevice device_;
    std::jthread tuning_;
};

// Open, unless it is not to go on.
std::unique_ptr<LiveSession> open_session(const LiveCommand& command, const LiveSurroundings& surroundings) {
    const SoundDevice input = find_device(*surroundings.system, command.input, Direction::input);
    const SoundDevice output = find_device(*surroundings.system, command.output, Direction::output);
    std::vector<std::uint32_t> rates{command.rate_hz != 0 ? command.rate_hz : output.default_rate_hz};
    if (command.rate_hz == 0 && input.default_rate_hz != rates[0]) rates.push_back(input.default_rate_hz);
    for (std::size_t i = 0;; ++i) {
        try {
            const LiveShape shape{rates[i], std::min(2u, input.input_channels), std::min(2u, output.output_channels)};
            auto session = std::make_unique<LiveSession>(command, surroundings, shape);
            session->open(surroundings);
            return session;
        } catch (const SoundError& error) {
            if (error.reason() != SoundError::Reason::unsupported || i + 1 == rates.size()) throw;
        }
    }
}

void look_after(LiveDevice& device, LiveSession& session, LiveView& view, LiveDevice::Clock::time_point now) {
    switch (device.tick(now)) {
        case LiveDevice::Change::lost:
            view.lost(session.status(), device.reason());
            break;
        case LiveDevice::Change::opened:
            view.opened(session.status());
            break;
        case LiveDevice::Change::none:
            break;
    }
}

// Within a second: a thread that has done its work may still be about to end.
bool is_ours_alone(const std::shared_ptr<SoundSystem>& system) {
    for (int tries = 0; tries < 100 && system.use_count() > 1; ++tries) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return system.use_count() <= 1;
}

}  // namespace

bool run_live(const LiveCommand& command, const LiveSurroundings& surroundings) {
    const auto session = open_session(command, surroundings);
    if (!session->device().is_open()) return session->device().close();
    LiveView view(surroundings.output, command.json,
                  [&surroundings] { return surroundings.go_on(std::chrono::milliseconds(0)); });
    view.opened(session->status());
    auto told_at = surroundings.now();
    while (!view.is_closed() && surroundings.go_on(kTick)) {
        const auto now = surroundings.now();
        look_after(session->device(), *session, view, now);
        if (now - told_at < kStatus) continue;
        told_at = now;
        view.status(session->status());
    }
    return session->device().close();
}

int run_live(const LiveCommand& command) {
    const Interruption interruption;
    std::shared_ptr<SoundSystem> system;
    int code = kDone;
    try {
        system = std::make_shared<PortAudioSystem>();
        const auto go_on = [&](std::chrono::milliseconds time) {
            std::this_thread::sleep_for(time);
            return !interruption.requested();
        };
        run_live(command, {system, 1, go_on});
    } catch (const SoundError& error) {
        fmt::print(stderr, "lacquer: {}\n", error.what());
        code = exit_code_of(error.reason());
    }
    if (is_ours_alone(system)) return code;
    fmt::print(stderr, "lacquer: the sound driver hangs; left behind\n");
    std::_Exit(code == kDone ? kDeviceFailed : code);  // destructors would wait for it, or take away what it uses
}

}  // namespace lacquer::player
