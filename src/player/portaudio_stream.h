// One stream of PortAudio's; made by PortAudioSystem.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>

#include <portaudio.h>

#include "src/player/sound_system.h"

namespace lacquer::player {

// PortAudio, started. Opening and closing must not overlap, which a stream that is closed late could make them do. A
// driver that hangs in one of them keeps the turn: opening another stream then fails after kTurnPatience, closing one
// waits for as long as it takes.
struct PortAudioLibrary {
    PortAudioLibrary();  // throws SoundError (failed)
    ~PortAudioLibrary();
    PortAudioLibrary(const PortAudioLibrary&) = delete;
    PortAudioLibrary& operator=(const PortAudioLibrary&) = delete;

    static constexpr std::chrono::seconds kTurnPatience{1};
    // No std::timed_mutex: ThreadSanitizer does not know how it waits.
    std::mutex opening_or_closing;
};

// The C side: how PortAudio wants to be asked.
struct PortAudioRequest {
    explicit PortAudioRequest(const StreamRequest& request);
    const PaStreamParameters* input_or_null() const { return has_input ? &input : nullptr; }
    const PaStreamParameters* output_or_null() const { return output.channelCount > 0 ? &output : nullptr; }

    bool has_input;
    PaStreamParameters input{};
    PaStreamParameters output{};
};

class PortAudioStream : public SoundStream {
public:
    // Opens and starts. Throws SoundError. `library` is shared because a stream that hangs while it is closed may
    // outlive the system that has opened it, and the library must not be ended before.
    PortAudioStream(std::shared_ptr<PortAudioLibrary> library, const StreamRequest& request, AudioCallback& callback);
    ~PortAudioStream() override { stop(Stop::now); }

    void stop(Stop how) noexcept override;
    double output_latency_seconds() const override;
    double input_latency_seconds() const override;
    std::uint64_t made_frames() const noexcept override { return made_frames_.load(std::memory_order_acquire); }
    std::uint64_t heard_frames() const noexcept override { return heard_frames_.load(std::memory_order_acquire); }
    std::uint64_t calls() const noexcept override { return calls_.load(std::memory_order_relaxed); }
    std::uint64_t xruns() const noexcept override { return xruns_.load(std::memory_order_relaxed); }
    bool ended() const noexcept override;

private:
    static int on_call(const void* input, void* output, unsigned long frames, const PaStreamCallbackTimeInfo* time,
                       PaStreamCallbackFlags flags, void* self) LACQUER_REALTIME;
    void wait_for_first_call() const;
    double latency_seconds(double told_seconds) const LACQUER_REALTIME;
    void look_at_clock(const PaStreamCallbackTimeInfo& time) LACQUER_REALTIME;
    void process(const float* input, float* output, std::size_t frames) LACQUER_REALTIME;

    const std::shared_ptr<PortAudioLibrary> library_;
    AudioCallback& callback_;
    const std::size_t input_channels_;
    const std::size_t output_channels_;
    const std::size_t longest_call_frames_;
    const std::uint32_t sample_rate_hz_;
    const bool jack_;
    PaStream* stream_ = nullptr;                   // null: closed
    std::atomic<unsigned long> period_frames_{0};  // of the last call
    std::atomic<double> told_seconds_{0.0};        // PortAudio's output latency, from the opening on
    std::atomic<double> seen_seconds_{0.0};        // the same as the driver has seen it lately
    std::atomic<std::uint64_t> made_frames_{0};
    std::atomic<std::uint64_t> heard_frames_{0};
    std::atomic<std::uint64_t> calls_{0};
    std::atomic<std::uint64_t> xruns_{0};
};

}  // namespace lacquer::player
