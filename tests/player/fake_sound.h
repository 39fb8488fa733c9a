// Sound cards that a test turns by hand: time passes when it says so, and they can be pulled out, taken, made to refuse
// rates, or to hang. What they play is recorded.
//
// Threads: any; the callback runs on the thread that calls advance(). Streams may outlive the system.
#pragma once

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "src/player/sound_system.h"
#include "thread/mutex.h"

namespace lacquer::test {

inline player::SoundDevice fake_device(std::string name, std::uint32_t default_rate_hz = 48'000) {
    player::SoundDevice device;
    device.name = std::move(name);
    device.host_api = "Fake";
    device.input_channels = device.output_channels = 2;
    device.default_rate_hz = default_rate_hz;
    device.low_latency_ms = 10.0;
    device.high_latency_ms = 40.0;
    return device;
}

class FakeSoundSystem : public player::SoundSystem {
    using SoundError = player::SoundError;
    using Stop = player::SoundStream::Stop;

public:
    // The first one is the default for both directions.
    explicit FakeSoundSystem(const std::vector<player::SoundDevice>& devices = {fake_device("Speakers")}) {
        for (const player::SoundDevice& device : devices) {
            const thread::MutexLock lock(state_->mutex);
            state_->cards.emplace_back().device = device;
        }
        rescan();
    }

    // How the cards behave from now on. Throws std::out_of_range when there is none of that name.
    void plug(const std::string& name) { set(name, &Card::plugged, true); }
    void unplug(const std::string& name) {  // its streams end
        set(name, &Card::plugged, false);
        const thread::MutexLock lock(state_->mutex);
        for (Stream* stream : state_->streams) stream->gone |= stream->request.output.name == name;
    }
    void take(const std::string& name, bool taken) { set(name, &Card::taken, taken); }       // by another program
    void freeze(const std::string& name, bool frozen) { set(name, &Card::frozen, frozen); }  // opens, but never calls
    void only_rates(const std::string& name, const std::set<std::uint32_t>& rates) { set(name, &Card::rates, rates); }
    void hang_on_stop(bool hang) { let_hang(&State::stop_hangs, hang); }  // false lets go those that hang
    void hang_on_open(bool hang) { let_hang(&State::open_hangs, hang); }

    // Lets `frames` of every open stream's time pass, in calls of at most `period_frames`.
    void advance(std::size_t frames, std::size_t period_frames = 512) {
        const thread::MutexLock lock(state_->mutex);
        for (; frames > 0; frames -= std::min(frames, period_frames)) {
            for (Stream* stream : state_->streams) state_->call(*stream, std::min(frames, period_frames));
        }
    }
    void add_xruns(std::uint64_t count) {
        const thread::MutexLock lock(state_->mutex);
        for (Stream* stream : state_->streams) stream->xrun_count += count;
    }
    // What inputs hear from now on, interleaved; silence when it has run out.
    void feed(std::vector<float> input) {
        const thread::MutexLock lock(state_->mutex);
        state_->input = std::move(input);
    }

    // What was played so far on all streams in turn, interleaved as they were.
    std::vector<float> recording() const {
        const thread::MutexLock lock(state_->mutex);
        return state_->recording;
    }
    void clear_recording() {
        const thread::MutexLock lock(state_->mutex);
        state_->recording.clear();
    }
    std::vector<player::StreamRequest> opened() const {  // in order, first to last
        const thread::MutexLock lock(state_->mutex);
        return state_->opened;
    }
    std::size_t open_streams() const {
        const thread::MutexLock lock(state_->mutex);
        return state_->streams.size();
    }
    std::size_t stops(Stop how) const {
        const thread::MutexLock lock(state_->mutex);
        return state_->stops[how == Stop::now ? 0 : 1];
    }
    std::size_t hanging() const {  // threads that do, at this moment
        const thread::MutexLock lock(state_->mutex);
        return state_->hanging;
    }
    // Frames of sound that waited in a device when it was stopped: made, and never heard.
    std::uint64_t cut_off() const {
        const thread::MutexLock lock(state_->mutex);
        return state_->cut_off;
    }
    std::size_t rescans() const {
        const thread::MutexLock lock(state_->mutex);
        return state_->rescans;
    }
    bool rescanned_with_open_streams() const {  // must never be
        const thread::MutexLock lock(state_->mutex);
        return state_->rescanned_while_open;
    }

    const std::vector<player::SoundDevice>& devices() const override { return devices_; }
    void rescan() override {
        const thread::MutexLock lock(state_->mutex);
        ++state_->rescans;
        state_->rescanned_while_open |= !state_->streams.empty();
        devices_.clear();
        for (const Card& card : state_->cards) {
            if (!card.plugged) continue;
            devices_.push_back(card.device);
            devices_.back().index = static_cast<int>(devices_.size()) - 1;
            devices_.back().default_input = devices_.back().default_output = devices_.size() == 1;
        }
    }
    bool supports(const player::StreamRequest& request) const override {
        const thread::MutexLock lock(state_->mutex);
        return state_->find(request.output.name).plays(request);
    }
    std::unique_ptr<player::SoundStream> open(const player::StreamRequest& request,
                                              player::AudioCallback& callback) override {
        const std::shared_ptr<State> state = state_;
        const thread::MutexLock lock(state->mutex);
        state->hang_while(state->open_hangs);
        const Card& card = state->find(request.output.name);
        const std::string& name = card.device.name;
        if (!card.plugged) throw SoundError(SoundError::Reason::failed, name + " is not there any more");
        if (card.taken) throw SoundError(SoundError::Reason::busy, name + " is in use by another program");
        if (!card.plays(request)) throw SoundError(SoundError::Reason::unsupported, name + " does not do that");
        state->opened.push_back(request);
        auto stream = std::make_unique<Stream>(state, request, callback);
        state->streams.push_back(stream.get());
        return stream;
    }

private:
    struct Card {
        player::SoundDevice device;
        bool plugged = true;
        bool taken = false;
        bool frozen = false;
        std::set<std::uint32_t> rates;  // empty: all

        bool plays(const player::StreamRequest& request) const {
            return request.output_channels <= device.output_channels &&
                   (rates.empty() || rates.count(request.sample_rate_hz) > 0);
        }
    };
    struct State;

    // Everything but stop() expects to be used while nobody else changes it, as the interface allows.
    struct Stream : player::SoundStream {
        Stream(std::shared_ptr<State> shared, player::StreamRequest wanted, player::AudioCallback& called)
            : state(std::move(shared)), request(std::move(wanted)), callback(called) {}
        ~Stream() override { stop(Stop::now); }
        void stop(Stop how) noexcept override {
            const thread::MutexLock lock(state->mutex);
            state->hang_while(state->stop_hangs);
            if (std::erase(state->streams, this) == 0) return;
            ++state->stops[how == Stop::now ? 0 : 1];
            if (request.output_channels == 0) return;
            state->cut_off += waiting() - std::min(waiting(), state->silent_at_the_end() / request.output_channels);
        }
        double output_latency_seconds() const override { return request.latency_ms / 1000.0; }
        double input_latency_seconds() const override { return request.latency_ms / 1000.0; }
        std::uint64_t made_frames() const noexcept override {
            const thread::MutexLock lock(state->mutex);
            return made;
        }
        std::uint64_t heard_frames() const noexcept override {
            const thread::MutexLock lock(state->mutex);
            return heard;
        }
        // A buffer that is full after each call.
        std::uint64_t waiting() const {
            return std::min(made, static_cast<std::uint64_t>(request.latency_ms * request.sample_rate_hz / 1000.0));
        }
        std::uint64_t calls() const noexcept override {
            const thread::MutexLock lock(state->mutex);
            return call_count;
        }
        std::uint64_t xruns() const noexcept override {
            const thread::MutexLock lock(state->mutex);
            return xrun_count;
        }
        bool ended() const noexcept override {
            const thread::MutexLock lock(state->mutex);
            return gone;
        }

        const std::shared_ptr<State> state;
        const player::StreamRequest request;
        player::AudioCallback& callback;
        std::uint64_t call_count = 0;
        std::uint64_t made = 0;
        std::uint64_t heard = 0;
        std::uint64_t xrun_count = 0;
        bool gone = false;
    };

    // Shared with the streams, which a driver that hangs may keep beyond the life of the system.
    struct State {
        Card& find(const std::string& name) REQUIRES_LOCK(mutex) {
            for (Card& card : cards) {
                if (card.device.name == name) return card;
            }
            throw std::out_of_range("no card is called " + name);
        }
        void call(Stream& stream, std::size_t frames) REQUIRES_LOCK(mutex) {
            if (stream.gone || find(stream.request.output.name).frozen) return;
            const std::size_t inputs = stream.request.input ? stream.request.input_channels : 0;
            heard.assign(frames * inputs, 0.0f);
            const std::size_t known = std::min(heard.size(), input.size());
            std::copy_n(input.begin(), known, heard.begin());
            input.erase(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(known));
            const std::size_t before = recording.size();
            recording.resize(before + frames * stream.request.output_channels, kNeverWritten);
            stream.heard = stream.made - stream.waiting();
            stream.callback.process(inputs > 0 ? heard.data() : nullptr, recording.data() + before, frames);
            stream.made += frames;
            ++stream.call_count;
        }

        std::uint64_t silent_at_the_end() const REQUIRES_LOCK(mutex) {  // samples of the recording
            const auto sound = std::find_if(recording.rbegin(), recording.rend(), [](float x) { return x != 0.0f; });
            return static_cast<std::uint64_t>(sound - recording.rbegin());
        }

        void hang_while(const bool& condition) REQUIRES_LOCK(mutex) {
            ++hanging;
            while (condition) changed.wait(mutex);
            --hanging;
        }

        mutable thread::Mutex mutex;
        std::condition_variable_any changed;
        std::vector<Card> cards GUARDED_BY(mutex);
        std::vector<Stream*> streams GUARDED_BY(mutex);
        std::vector<player::StreamRequest> opened GUARDED_BY(mutex);
        std::vector<float> recording GUARDED_BY(mutex);
        std::vector<float> input GUARDED_BY(mutex);
        std::vector<float> heard GUARDED_BY(mutex);
        std::array<std::size_t, 2> stops GUARDED_BY(mutex){};
        std::uint64_t cut_off GUARDED_BY(mutex) = 0;
        std::size_t rescans GUARDED_BY(mutex) = 0;  // the first look is one
        bool rescanned_while_open GUARDED_BY(mutex) = false;
        std::size_t hanging GUARDED_BY(mutex) = 0;
        bool stop_hangs GUARDED_BY(mutex) = false;
        bool open_hangs GUARDED_BY(mutex) = false;
    };

public:
    static constexpr float kNeverWritten = 1e9f;  // in the recording: the callback has left it out

private:
    template <class Value>
    void set(const std::string& name, Value Card::*what, const Value& value) {
        const thread::MutexLock lock(state_->mutex);
        state_->find(name).*what = value;
    }
    void let_hang(bool State::*what, bool hang) {
        {
            const thread::MutexLock lock(state_->mutex);
            state_.get()->*what = hang;
        }
        state_->changed.notify_all();
    }

    const std::shared_ptr<State> state_ = std::make_shared<State>();
    std::vector<player::SoundDevice> devices_;
};

}  // namespace lacquer::test
