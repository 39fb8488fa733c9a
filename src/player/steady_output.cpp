#include "src/player/steady_output.h"

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

namespace lacquer::player {
namespace {

using namespace std::chrono_literals;

constexpr std::array<SteadyOutput::Duration, 4> kPauses{500ms, 1s, 2s, 4s};

bool is_number(const std::string& text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

SteadyOutput::SteadyOutput(SoundSystem& system, OutputWish wish, AudioCallback& callback, OutputListener& listener)
    : system_(system), wish_(std::move(wish)), callback_(callback), listener_(listener) {}

bool SteadyOutput::open_at(std::uint32_t rate_hz, const std::function<bool()>& go_on, Duration patience) {
    const auto give_up_at = std::chrono::steady_clock::now() + patience;
    rate_hz_ = rate_hz;
    change(Stop::now, true);
    while (!change_->wait_for(20ms)) {
        if (go_on && !go_on()) return false;
        if (std::chrono::steady_clock::now() < give_up_at) continue;
        leave_change_behind();
        throw SoundError(SoundError::Reason::failed, "the sound driver does not answer");
    }
    OutputChange opening = std::move(*change_);
    change_.reset();
    adopt(std::move(*opening.take()));
    return true;
}

void SteadyOutput::leave_change_behind() {
    change_->give_up();
    hung_.push_back(std::move(*change_));
    change_.reset();
}

void SteadyOutput::adopt(Output output) {
    output_ = std::move(output);
    opened_ = output_->opened;
    if (std::exchange(device_, opened_->device.name) != opened_->device.name) refused_hz_.clear();
    if (is_number(wish_.device)) wish_.device = device_;
    const std::uint32_t wanted_hz = opened_->wanted_rate_hz;
    if (opened_->sample_rate_hz != wanted_hz && !refuses(wanted_hz)) refused_hz_.push_back(wanted_hz);
    calls_ = output_->stream->calls();
    called_at_ = clock_;
    retries_ = 0;
    lost_ = false;
    told_.clear();
    listener_.output_opened(*opened_);
    output_->outlet->connect(&callback_);
}

bool SteadyOutput::refuses(std::uint32_t rate_hz) const {
    return std::find(refused_hz_.begin(), refused_hz_.end(), rate_hz) != refused_hz_.end();
}

bool SteadyOutput::reopen(std::uint32_t rate_hz, Stop how) {
    rate_hz_ = rate_hz;
    if (!output_) return true;
    const bool at_its_own_rate = opened_->sample_rate_hz == opened_->device.default_rate_hz;
    if (opened_->sample_rate_hz == rate_hz || (refuses(rate_hz) && at_its_own_rate)) return false;
    change(how, true);
    return true;
}

void SteadyOutput::change(Stop how, bool open) {
    if (output_) {
        past_xruns_ += output_->stream->xruns();
        past_latency_seconds_ = output_->stream->output_latency_seconds();
    }
    std::optional<OutputChange::Opening> opening;
    // PortAudio knows of new devices only after a fresh start, for which everything must be closed.
    const bool rescan = lost_ && !output_ && hung_.empty();
    if (open) opening.emplace(OutputChange::Opening{system_, wish_, rate_hz_, rescan});
    opened_.reset();
    change_.emplace(std::exchange(output_, std::nullopt), how, std::move(opening));
    changing_since_ = clock_;
}

void SteadyOutput::tick(Time now) {
    pass_time(now);
    std::erase_if(hung_, [](const OutputChange& change) { return change.is_finished(); });
    if (stopped_) return;
    if (change_) return follow_change();
    if (output_) return watch();
    if (rate_hz_ != 0 && clock_ >= retry_at_) change(Stop::now, true);
}

void SteadyOutput::pass_time(Time now) {
    if (last_tick_) clock_ += std::clamp(now - *last_tick_, Duration::zero(), kLongestTick);
    last_tick_ = now;
}

void SteadyOutput::watch() {
    const std::uint64_t calls = output_->stream->calls();
    if (std::exchange(calls_, calls) != calls) called_at_ = clock_;
    if (output_->stream->ended()) return lose("its driver has given it up");
    if (clock_ - called_at_ >= kStill) lose("it asks for no sound any more");
}

void SteadyOutput::lose(const std::string& reason) {
    refused_hz_.clear();
    change(Stop::now, false);
    retry_at_ = clock_ + kPauses.front();
    tell(reason);
}

void SteadyOutput::follow_change() {
    if (change_->is_finished()) return settle_change();
    if (clock_ - changing_since_ >= kPatience) abandon_if_it_hangs();
}

void SteadyOutput::settle_change() {
    const bool wanted_to_open = change_->wants_to_open();
    std::optional<Output> output;
    std::string failure;
    try {
        output = change_->take();
    } catch (const SoundError& error) {
        failure = error.what();
    }
    change_.reset();
    if (!wanted_to_open) return;
    if (!output) return retry_later(failure);
    if (output->opened.wanted_rate_hz == rate_hz_) return adopt(std::move(*output));
    output_ = std::move(output);  // reopen() came while it was being opened
    change(Stop::now, true);
}

void SteadyOutput::retry_later(const std::string& reason) {
    retries_ = std::min(retries_ + 1, kPauses.size() - 1);
    retry_at_ = clock_ + kPauses[retries_];
    tell(reason);
}

void SteadyOutput::abandon_if_it_hangs() {
    if (!change_->give_up_opening()) return tell("the sound driver does not answer; still waiting for it");
    hung_.push_back(std::move(*change_));
    change_.reset();
    tell("the sound driver does not let go of the device; trying without");
}

void SteadyOutput::tell(const std::string& text) {
    if (!std::exchange(lost_, true)) return listener_.output_lost(device_, text);
    if (std::exchange(told_, text) != text) listener_.output_message(text);
}

void SteadyOutput::stop(Stop how) {
    const auto patience = std::chrono::duration_cast<std::chrono::milliseconds>(kPatience);
    stopped_ = true;
    opened_.reset();
    if (change_ && !change_->give_up()) output_ = std::exchange(change_, std::nullopt)->take();
    if (output_) change(how, false);
    if (change_ && !change_->wait_for(patience)) leave_change_behind();
    change_.reset();
}

double SteadyOutput::latency_seconds() const {
    return output_ ? output_->stream->output_latency_seconds() : past_latency_seconds_;
}

bool SteadyOutput::ring_out() const {
    if (!output_) return false;
    const SoundStream& stream = *output_->stream;
    const std::uint64_t made = stream.made_frames();
    std::uint64_t calls = stream.calls();
    const auto begun = std::chrono::steady_clock::now();
    auto called_at = begun;
    while (stream.heard_frames() < made) {
        std::this_thread::sleep_for(2ms);
        const auto now = std::chrono::steady_clock::now();
        if (std::exchange(calls, stream.calls()) != calls) called_at = now;
        if (stream.ended() || now - called_at >= kSilent || now - begun >= kLongestRing) return false;
    }
    return true;
}

std::uint64_t SteadyOutput::xruns() const {
    return past_xruns_ + (output_ ? output_->stream->xruns() : 0);
}

}  // namespace lacquer::player
