#include "src/media/downmix.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace lacquer::media {
namespace {

constexpr double kMinus3Db = 0.70710678118654752440;
constexpr double kMinus6Db = 0.5;

using enum Speaker;

std::pair<double, double> stereo_gains(Speaker speaker) {
    switch (speaker) {
        case left:
            return {1.0, 0.0};
        case right:
            return {0.0, 1.0};
        case centre:
            return {kMinus3Db, kMinus3Db};
        case left_surround:
            return {kMinus3Db, 0.0};
        case right_surround:
            return {0.0, kMinus3Db};
        case centre_surround:
            return {kMinus6Db, kMinus6Db};
        case lfe:
        case none:
            return {0.0, 0.0};
    }
    return {0.0, 0.0};
}

ChannelLayout alternating_layout(std::size_t channels) {
    ChannelLayout layout(channels);
    for (std::size_t c = 0; c < channels; ++c) layout[c] = c % 2 == 0 ? left : right;
    return layout;
}

// The compiler makes vector code of it, because the three do not overlap.
void separate(const float* __restrict from, float* __restrict left_to, float* __restrict right_to,
              std::size_t frames) noexcept {
    for (std::size_t i = 0; i < frames; ++i) {
        left_to[i] = from[2 * i];
        right_to[i] = from[2 * i + 1];
    }
}

}  // namespace

ChannelLayout wave_layout(std::size_t channels) {
    switch (channels) {
        case 1:
            return {centre};
        case 2:
            return {left, right};
        case 3:
            return {left, right, centre};
        case 4:
            return {left, right, left_surround, right_surround};
        case 5:
            return {left, right, centre, left_surround, right_surround};
        case 6:
            return {left, right, centre, lfe, left_surround, right_surround};
        case 7:
            return {left, right, centre, lfe, centre_surround, left_surround, right_surround};
        case 8:
            return {left, right, centre, lfe, left_surround, right_surround, left_surround, right_surround};
        default:
            return alternating_layout(channels);
    }
}

ChannelLayout vorbis_layout(std::size_t channels) {
    switch (channels) {
        case 3:
            return {left, centre, right};
        case 5:
            return {left, centre, right, left_surround, right_surround};
        case 6:
            return {left, centre, right, left_surround, right_surround, lfe};
        case 7:
            return {left, centre, right, left_surround, right_surround, centre_surround, lfe};
        case 8:
            return {left, centre, right, left_surround, right_surround, left_surround, right_surround, lfe};
        default:
            return wave_layout(channels);
    }
}

Downmix::Downmix(const ChannelLayout& layout) : input_channels_(layout.size()) {
    assert(input_channels_ > 0);
    std::array<double, 2> sums{};
    for (const Speaker speaker : layout) {
        const auto [to_left, to_right] = stereo_gains(speaker);
        sums[0] += to_left;
        sums[1] += to_right;
    }
    const double largest = std::max(sums[0], sums[1]);
    const double scale = largest > 0.0 ? 1.0 / largest : 0.0;
    for (std::size_t c = 0; c < input_channels_; ++c) {
        const auto [to_left, to_right] = stereo_gains(layout[c]);
        if (to_left > 0.0) terms_[0].push_back({c, static_cast<float>(to_left * scale)});
        if (to_right > 0.0) terms_[1].push_back({c, static_cast<float>(to_right * scale)});
    }
}

void Downmix::process(std::span<const float> interleaved, dsp::AudioBlock out) const noexcept {
    assert(interleaved.size() == out.frame_count * input_channels_ && out.channel_count == output_channels());
    const float* const from = interleaved.data();
    if (input_channels_ == 1) std::copy_n(from, out.frame_count, out.channels[0]);
    if (input_channels_ == 2) separate(from, out.channels[0], out.channels[1], out.frame_count);
    if (!is_copy()) mix(from, out);
}

void Downmix::mix(const float* interleaved, dsp::AudioBlock out) const noexcept {
    for (std::size_t side = 0; side < out.channel_count; ++side) {
        float* const to = out.channels[side];
        const float* from = interleaved;
        for (std::size_t i = 0; i < out.frame_count; ++i, from += input_channels_) {
            float sum = 0.0f;
            for (const Term& term : terms_[side]) sum += term.gain * from[term.channel];
            to[i] = sum;
        }
    }
}

}  // namespace lacquer::media
