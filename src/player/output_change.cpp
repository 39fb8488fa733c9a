#include "src/player/output_change.h"

#include <exception>
#include <utility>

#include "src/player/run_detached.h"

namespace lacquer::player {

Output open_output(SoundSystem& system, const OutputWish& wish, std::uint32_t rate_hz) {
    Output output;
    StreamRequest request;
    request.output = find_device(system, wish.device, Direction::output);
    request.output_channels = wish.channels;
    request.latency_ms = wish.latency_ms;
    request.sample_rate_hz = rate_hz;
    output.outlet = std::make_unique<Outlet>(wish.channels);
    try {
        output.stream = system.open(request, *output.outlet);
    } catch (const SoundError& error) {
        const bool other_rate = request.output.default_rate_hz != rate_hz && request.output.default_rate_hz != 0;
        if (error.reason() != SoundError::Reason::unsupported || !other_rate) throw;
        request.sample_rate_hz = request.output.default_rate_hz;
        output.stream = system.open(request, *output.outlet);
    }
    output.opened = {request.output, rate_hz, request.sample_rate_hz};
    return output;
}

OutputChange::OutputChange(std::optional<Output> closing, Stop how, std::optional<Opening> opening)
    : wants_to_open_(opening.has_value()), work_(std::make_shared<Work>()) {
    if (closing) closing->outlet->connect(nullptr);
    work_->closing = std::move(closing);
    work_->how = how;
    if (opening) work_->opening.emplace(std::move(*opening));
    result_ = run_detached([work = work_] { return run(*work); });
}

std::optional<Output> OutputChange::run(Work& work) {
    if (work.closing) {
        work.closing->stream->stop(work.how);
        work.closing.reset();
    }
    Phase phase = Phase::closing;
    if (!work.phase.compare_exchange_strong(phase, Phase::opening) || !work.opening) return std::nullopt;
    const Opening& opening = *work.opening;
    try {
        if (opening.rescan) opening.system.rescan();
        std::optional<Output> output = open_output(opening.system, opening.wish, opening.rate_hz);
        phase = Phase::opening;
        return work.phase.compare_exchange_strong(phase, Phase::open) ? std::move(output) : std::nullopt;
    } catch (const SoundError&) {
        throw;
    } catch (const std::exception& error) {
        throw SoundError(SoundError::Reason::failed, error.what());
    }
}

bool OutputChange::is_finished() const {
    return wait_for(std::chrono::milliseconds(0));
}

bool OutputChange::wait_for(std::chrono::milliseconds patience) const {
    return result_.wait_for(patience) == std::future_status::ready;
}

std::optional<Output> OutputChange::take() {
    return result_.get();
}

bool OutputChange::give_up_opening() {
    Phase phase = Phase::closing;
    return work_->phase.compare_exchange_strong(phase, Phase::given_up);
}

bool OutputChange::give_up() {
    Phase phase = Phase::opening;
    return give_up_opening() || work_->phase.compare_exchange_strong(phase, Phase::given_up);
}

}  // namespace lacquer::player
