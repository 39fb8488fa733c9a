#include "dsp/resampler.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include <samplerate.h>

#include "dsp/audio_block.h"

namespace lacquer::dsp {
namespace {

constexpr std::size_t kSilentFrames = 256;
constexpr std::array<float, kMaxChannels * kSilentFrames> kSilence{};

int converter_of(Resampler::Quality quality) {
    switch (quality) {
        case Resampler::Quality::best:
            return SRC_SINC_BEST_QUALITY;
        case Resampler::Quality::medium:
            return SRC_SINC_MEDIUM_QUALITY;
        case Resampler::Quality::fastest:
            break;
    }
    return SRC_SINC_FASTEST;
}

// Zero crossings of the interpolating sinc to either side.
std::size_t reach_of(Resampler::Quality quality) {
    switch (quality) {
        case Resampler::Quality::best:
            return 144;
        case Resampler::Quality::medium:
            return 47;
        case Resampler::Quality::fastest:
            break;
    }
    return 21;
}

double ratio_of(Resampler::Rates rates) {
    return static_cast<double>(rates.out_hz) / static_cast<double>(rates.in_hz);
}

}  // namespace

void Resampler::Deleter::operator()(SRC_STATE_tag* state) const noexcept {
    src_delete(state);
}

Resampler::Resampler(Quality quality, Rates rates, std::size_t channel_count)
    : rates_(rates), channels_(channel_count) {
    const auto usable = [](std::uint32_t hz) { return hz >= 8'000 && hz <= 384'000; };
    if (!usable(rates.in_hz) || !usable(rates.out_hz)) throw std::invalid_argument("sample_rate_hz");
    if (channel_count < 1 || channel_count > kMaxChannels) throw std::invalid_argument("channel_count");
    int error = 0;
    state_.reset(src_new(converter_of(quality), static_cast<int>(channel_count), &error));
    if (!state_) throw std::bad_alloc();
}

Resampler::Progress Resampler::convert(std::span<const float> in, std::span<float> out) LACQUER_REALTIME {
    SRC_DATA data{};
    data.data_in = in.data();
    data.data_out = out.data();
    data.input_frames = static_cast<long>(in.size() / channels_);
    data.output_frames = static_cast<long>(out.size() / channels_);
    data.src_ratio = ratio_of(rates_);
    [[maybe_unused]] const int error = src_process(state_.get(), &data);
    assert(error == 0);
    return {static_cast<std::size_t>(data.input_frames_used), static_cast<std::size_t>(data.output_frames_gen)};
}

Resampler::Progress Resampler::process(std::span<const float> in, std::span<float> out) LACQUER_REALTIME {
    Progress total;
    for (;;) {
        const Progress step = convert(in.subspan(total.consumed * channels_), out.subspan(total.produced * channels_));
        total.consumed += step.consumed;
        total.produced += step.produced;
        if (step.consumed == 0 && step.produced == 0) break;
    }
    consumed_ += static_cast<std::int64_t>(total.consumed);
    produced_ += static_cast<std::int64_t>(total.produced);
    return total;
}

std::size_t Resampler::finish(std::span<float> out) LACQUER_REALTIME {
    const auto left = static_cast<std::size_t>(out_frames(consumed_, rates_) - produced_);
    const std::size_t wanted = std::min(left, out.size() / channels_);
    std::size_t written = 0;
    while (written < wanted) {
        written += convert(std::span(kSilence).first(kSilentFrames * channels_),
                           out.subspan(written * channels_, (wanted - written) * channels_))
                       .produced;
    }
    produced_ += static_cast<std::int64_t>(written);
    return written;
}

void Resampler::reset() LACQUER_REALTIME {
    src_reset(state_.get());
    consumed_ = 0;
    produced_ = 0;
}

std::int64_t Resampler::out_frames(std::int64_t in_frames, Rates rates) {
    const auto in = static_cast<std::int64_t>(block_in_frames(rates));
    const auto out = static_cast<std::int64_t>(block_out_frames(rates));
    return in_frames / in * out + (in_frames % in * out + in - 1) / in;
}

std::size_t Resampler::block_in_frames(Rates rates) {
    return rates.in_hz / std::gcd(rates.in_hz, rates.out_hz);
}

std::size_t Resampler::block_out_frames(Rates rates) {
    return rates.out_hz / std::gcd(rates.in_hz, rates.out_hz);
}

std::size_t Resampler::look_ahead_frames(Quality quality, Rates rates) {
    const double stretch = std::max(1.0, 1.0 / ratio_of(rates));
    return static_cast<std::size_t>(std::ceil(static_cast<double>(reach_of(quality)) * stretch)) + 2;
}

std::size_t Resampler::pre_roll_frames(Quality quality, Rates rates) {
    const std::size_t block = block_in_frames(rates);
    return (look_ahead_frames(quality, rates) + block - 1) / block * block;
}

Resampler::Start Resampler::start_at(std::int64_t out_frame, Quality quality, Rates rates) {
    const auto block_in = static_cast<std::int64_t>(block_in_frames(rates));
    const auto block_out = static_cast<std::int64_t>(block_out_frames(rates));
    const auto pre_roll = static_cast<std::int64_t>(pre_roll_frames(quality, rates)) / block_in;
    const std::int64_t block = std::max(std::int64_t{0}, out_frame / block_out - pre_roll);
    return {block * block_in, static_cast<std::size_t>(out_frame - block * block_out)};
}

}  // namespace lacquer::dsp
