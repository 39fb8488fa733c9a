// Any number of channels to one or two.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dsp/audio_block.h"

namespace lacquer::media {

enum class Speaker : std::uint8_t { left, right, centre, lfe, left_surround, right_surround, centre_surround, none };

using ChannelLayout = std::vector<Speaker>;

// The order of channels where the file does not say: Microsoft's (WAV, AIFF, FLAC) for 1 to 8 channels, beyond that
// left and right in turn.
ChannelLayout wave_layout(std::size_t channels);
// The Vorbis I specification's, section 4.3.9 (also Opus, RFC 7845 section 5.1.1.2).
ChannelLayout vorbis_layout(std::size_t channels);

// Interleaved frames of a layout to a planar block of one or two channels.
//
// Method:  one and two channels are copied. More are mixed to stereo after ITU-R BS.775-3, Annex 4: centre and
//          surrounds at -3 dB, a single surround at -6 dB on both sides, LFE dropped; then both sides are scaled alike
//          by the larger sum of coefficients, so that full-scale channels cannot clip.
// Memory:  fixed after construction.
class Downmix {
public:
    explicit Downmix(const ChannelLayout& layout);

    std::size_t output_channels() const noexcept { return input_channels_ == 1 ? 1 : 2; }
    bool is_copy() const noexcept { return input_channels_ <= 2; }
    // `out` has output_channels() channels; interleaved.size() is out.frame_count times the layout's size.
    void process(std::span<const float> interleaved, dsp::AudioBlock out) const noexcept;

private:
    void mix(const float* interleaved, dsp::AudioBlock out) const noexcept;

    struct Term {
        std::size_t channel;
        float gain;
    };
    std::size_t input_channels_;
    std::array<std::vector<Term>, 2> terms_;  // of the sum for each side; dropped channels (LFE) are in none
};

}  // namespace lacquer::media
