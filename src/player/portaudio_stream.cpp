#include "src/player/portaudio_stream.h"

#include <algorithm>
#include <cmath>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <pa_jack.h>
#include <pa_linux_alsa.h>
#include <pthread.h>
#include <sched.h>

#include "src/player/driver_remarks.h"
#include "src/player/lost_jack_server.h"
#include "src/player/portaudio_system.h"

namespace lacquer::player {
namespace {

using Reason = SoundError::Reason;

bool is_jack(const SoundDevice& device) {
    return device.host_api.rfind("JACK", 0) == 0;
}

PaStreamParameters parameters_of(const SoundDevice& device, std::uint32_t channels, double latency_ms) {
    return {device.index, static_cast<int>(channels), paFloat32, latency_ms / 1000.0, nullptr};
}

std::string title(const SoundDevice& device) {
    return fmt::format("'{}' ({})", device.name, device.host_api);
}

std::string title(const StreamRequest& request) {
    if (!request.input || request.input->index == request.output.index) return title(request.output);
    return title(request.output) + " with " + title(*request.input) + " as input";
}

std::string wish(const StreamRequest& request) {
    const char* const more = request.output_channels == 1 ? "" : "s";
    std::string text = fmt::format("{} Hz, {} channel{}", request.sample_rate_hz, request.output_channels, more);
    return request.input ? text + fmt::format(" out, {} in", request.input_channels) : text;
}

std::string unsupported(const StreamRequest& request) {
    std::string text =
        fmt::format("{} does not do {}; by itself it runs at {} Hz, up to {} channels out", title(request),
                    wish(request), request.output.default_rate_hz, request.output.output_channels);
    if (!request.input) return text;
    const SoundDevice& input = *request.input;
    return text + fmt::format(", the input at {} Hz, up to {} channels", input.default_rate_hz, input.input_channels);
}

Reason reason_of(PaError error, const SoundDevice& device) {
    switch (error) {
        case paInvalidSampleRate:
        case paInvalidChannelCount:
        case paSampleFormatNotSupported:
            return Reason::unsupported;
        case paInvalidDevice:
            return Reason::no_device;
        // JACK shares its cards; there it means that the server has gone.
        case paDeviceUnavailable:
            return is_jack(device) ? Reason::failed : Reason::busy;
        default:
            return Reason::failed;
    }
}

std::string said_by_driver(PaError error) {
    std::string text = Pa_GetErrorText(error);
    if (error == paUnanticipatedHostError) text = Pa_GetLastHostErrorInfo()->errorText;
    const std::string remark = take_driver_remark();
    return remark.empty() ? text : text + " (" + remark + ")";
}

[[noreturn]] void fail(PaError error, const StreamRequest& request) {
    const Reason reason = reason_of(error, request.output);
    switch (reason) {
        case Reason::unsupported:
            throw SoundError(reason, unsupported(request));
        case Reason::no_device:
            throw SoundError(reason, title(request) + " is not there any more");
        case Reason::busy:
            throw SoundError(reason, title(request) +
                                         " is in use by another program; end that one, or choose another device of"
                                         " those that `lacquer devices` lists");
        case Reason::failed:
            break;
    }
    throw SoundError(
        reason, fmt::format("{} could not be opened at {}: {}", title(request), wish(request), said_by_driver(error)));
}

// While it lives this thread is a real-time one, where the system lets it be, and so are the threads that drivers start
// meanwhile: PulseAudio's client hands on what the callback has made, on a thread of its own.
class RealtimeOpening {
public:
    RealtimeOpening() {
        pthread_getschedparam(pthread_self(), &policy_, &before_);
        const sched_param wanted{sched_get_priority_min(SCHED_FIFO)};  // as PortAudio asks for
        allowed_ = pthread_setschedparam(pthread_self(), SCHED_FIFO, &wanted) == 0;
    }
    ~RealtimeOpening() {
        if (allowed_) pthread_setschedparam(pthread_self(), policy_, &before_);
    }
    RealtimeOpening(const RealtimeOpening&) = delete;  // it is about the thread that made it
    RealtimeOpening& operator=(const RealtimeOpening&) = delete;
    bool allowed() const noexcept { return allowed_; }

private:
    int policy_ = SCHED_OTHER;
    sched_param before_{};
    bool allowed_ = false;
};

std::unique_lock<std::mutex> take_turn(PortAudioLibrary& library, const StreamRequest& request) {
    using namespace std::chrono_literals;
    std::unique_lock turn(library.opening_or_closing, std::try_to_lock);
    for (auto waited = 0ms; !turn && waited < PortAudioLibrary::kTurnPatience; waited += 10ms) {
        std::this_thread::sleep_for(10ms);
        turn.try_lock();
    }
    if (turn) return turn;
    throw SoundError(Reason::failed, title(request) + " cannot be opened: the sound driver hangs in another device");
}

// PortAudio's ALSA cuts the latency into this many periods, and calls once for each. Each call is three wake-ups where
// a sound server stands behind ALSA, which is most of what playing costs; two periods are what a late call may last.
void cut_into_periods(double latency_ms) {
    constexpr double kPeriodMs = 17.0;
    PaAlsa_SetNumPeriods(std::clamp(static_cast<int>(std::ceil(latency_ms / kPeriodMs)), 3, 16));
}

}  // namespace

PortAudioLibrary::PortAudioLibrary() {
    collect_driver_remarks();
    const DriverCall inside;
    PaJack_SetClientName("lacquer");
    const PaError error = Pa_Initialize();
    if (error != paNoError) {
        throw SoundError(Reason::failed, fmt::format("PortAudio cannot be started: {}", said_by_driver(error)));
    }
}

PortAudioLibrary::~PortAudioLibrary() {
    const DriverCall inside;
    Pa_Terminate();
}

PortAudioRequest::PortAudioRequest(const StreamRequest& request)
    : has_input(request.input.has_value()),
      output(parameters_of(request.output, request.output_channels, request.latency_ms)) {
    if (has_input) input = parameters_of(*request.input, request.input_channels, request.latency_ms);
}

PortAudioStream::PortAudioStream(std::shared_ptr<PortAudioLibrary> library, const StreamRequest& request,
                                 AudioCallback& callback)
    : library_(std::move(library)),
      callback_(callback),
      input_channels_(request.input ? request.input_channels : 0),
      output_channels_(request.output_channels),
      longest_call_frames_(static_cast<std::size_t>(request.sample_rate_hz * PortAudioSystem::kLongestCallMs / 1000.0)),
      sample_rate_hz_(request.sample_rate_hz),
      jack_(is_jack(request.output)) {
    take_driver_remark();
    const DriverCall inside;
    const PortAudioRequest asked(request);
    const bool alsa = request.output.host_api == "ALSA";
    if (alsa) cut_into_periods(request.latency_ms);
    const RealtimeOpening realtime;
    PaError error = paNoError;
    {
        const LostJackServer lost;
        const auto turn = take_turn(*library_, request);
        error = Pa_OpenStream(&stream_, asked.input_or_null(), asked.output_or_null(), request.sample_rate_hz,
                              paFramesPerBufferUnspecified, paNoFlag, on_call, this);
    }
    if (error != paNoError) {
        stream_ = nullptr;
        fail(error, request);
    }
    told_seconds_.store(Pa_GetStreamInfo(stream_)->outputLatency);
    // When the system refuses, PortAudio may take that for an error of the stream.
    if (alsa && realtime.allowed()) PaAlsa_EnableRealtimeScheduling(stream_, 1);
    {
        const LostJackServer lost;
        error = Pa_StartStream(stream_);
    }
    if (error != paNoError) {
        stop(Stop::now);
        fail(error, request);
    }
    wait_for_first_call();
}

void PortAudioStream::stop(Stop how) noexcept {
    PaStream* const stream = std::exchange(stream_, nullptr);
    if (stream == nullptr) return;
    const DriverCall inside;
    {
        const LostJackServer lost;
        how == Stop::drained ? Pa_StopStream(stream) : Pa_AbortStream(stream);
    }
    const std::lock_guard turn(library_->opening_or_closing);
    Pa_CloseStream(stream);
}

double PortAudioStream::output_latency_seconds() const {
    return std::max(latency_seconds(told_seconds_.load()), seen_seconds_.load(std::memory_order_relaxed));
}

double PortAudioStream::input_latency_seconds() const {
    const PaStreamInfo* const info = stream_ == nullptr ? nullptr : Pa_GetStreamInfo(stream_);
    return info == nullptr ? 0.0 : latency_seconds(info->inputLatency);
}

// PortAudio takes a period away from what JACK says, without a sign: between two programs, where JACK says 0, 27 hours
// are left. A stream that is not called yet does not know its period.
double PortAudioStream::latency_seconds(double told_seconds) const LACQUER_REALTIME {
    if (!jack_) return told_seconds;
    const auto told = static_cast<std::uint32_t>(std::llround(told_seconds * sample_rate_hz_));
    const auto period = static_cast<std::uint32_t>(period_frames_.load(std::memory_order_relaxed));
    return static_cast<std::uint32_t>(told + period) / static_cast<double>(sample_rate_hz_);
}

void PortAudioStream::wait_for_first_call() const {
    for (int tries = 0; jack_ && calls() == 0 && tries < 100; ++tries) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

bool PortAudioStream::ended() const noexcept {
    return stream_ == nullptr || Pa_IsStreamActive(stream_) != 1;
}

// ALSA says how much waits before what is made now: in its buffer, which is all that was told at the opening, and in a
// sound server behind it. What is told is the least: a driver may know nothing, and say 0. JACK's is as it was told.
void PortAudioStream::look_at_clock(const PaStreamCallbackTimeInfo& time) LACQUER_REALTIME {
    constexpr double kMostSeconds = 10.0;
    constexpr double kShare = 1.0 / 16.0;
    const double told = latency_seconds(told_seconds_.load(std::memory_order_relaxed));
    double waits = time.outputBufferDacTime - time.currentTime;
    if (jack_ || !(waits >= 0.0 && waits <= kMostSeconds)) waits = told;
    const double before = seen_seconds_.load(std::memory_order_relaxed);
    const double seen = before == 0.0 ? waits : before + kShare * (waits - before);
    seen_seconds_.store(seen, std::memory_order_relaxed);
    const std::uint64_t made = made_frames_.load(std::memory_order_relaxed);
    const auto waiting = static_cast<std::uint64_t>(std::llround(std::max(waits, told) * sample_rate_hz_));
    heard_frames_.store(made - std::min(made, waiting), std::memory_order_release);
}

int PortAudioStream::on_call(const void* input, void* output, unsigned long frames,
                             const PaStreamCallbackTimeInfo* time, PaStreamCallbackFlags flags,
                             void* self) LACQUER_REALTIME {
    this_thread_is_the_drivers();
    auto& stream = *static_cast<PortAudioStream*>(self);
    stream.look_at_clock(*time);
    stream.period_frames_.store(frames, std::memory_order_relaxed);
    if ((flags & (paOutputUnderflow | paInputOverflow)) != 0) stream.xruns_.fetch_add(1, std::memory_order_relaxed);
    stream.process(static_cast<const float*>(input), static_cast<float*>(output), frames);
    stream.made_frames_.fetch_add(frames, std::memory_order_release);
    stream.calls_.fetch_add(1, std::memory_order_relaxed);
    return paContinue;
}

void PortAudioStream::process(const float* input, float* output, std::size_t frames) LACQUER_REALTIME {
    std::size_t calls = (frames + longest_call_frames_ - 1) / longest_call_frames_;
    for (; calls > 0; --calls) {
        const std::size_t now = frames / calls;
        callback_.process(input, output, now);
        if (input != nullptr) input += now * input_channels_;
        output += now * output_channels_;
        frames -= now;
    }
}

}  // namespace lacquer::player
