// A second-order section over the channels of one frame, the building block of the stages that filter.
//
// Method:  transposed direct form II in double, as dsp/biquad.h; the same arithmetic for each channel, side by side.
#pragma once

#include <array>
#include <cstddef>

#include "dsp/biquad.h"
#include "dsp/realtime.h"

namespace lacquer::dsp {

template <std::size_t Channels>
using Frame = std::array<double, Channels>;

class StereoBiquad {
public:
    StereoBiquad() = default;
    explicit StereoBiquad(const BiquadCoefficients& coefficients) noexcept : c_(coefficients) {}

    template <std::size_t Channels>
    Frame<Channels> process(const Frame<Channels>& x) LACQUER_REALTIME {
        static_assert(Channels <= 2);
        Frame<Channels> y;
        for (std::size_t c = 0; c < Channels; ++c) {
            y[c] = c_.b0 * x[c] + s1_[c];
            s1_[c] = c_.b1 * x[c] - c_.a1 * y[c] + s2_[c];
            s2_[c] = c_.b2 * x[c] - c_.a2 * y[c];
        }
        return y;
    }
    void reset() LACQUER_REALTIME {
        s1_.fill(0.0);
        s2_.fill(0.0);
    }

private:
    BiquadCoefficients c_;
    std::array<double, 2> s1_{};
    std::array<double, 2> s2_{};
};

// The frame at `index` of a block of Channels channels.
template <std::size_t Channels, typename Block>
Frame<Channels> load_frame(const Block& block, std::size_t index) LACQUER_REALTIME {
    Frame<Channels> frame;
    for (std::size_t c = 0; c < Channels; ++c) frame[c] = block.channels[c][index];
    return frame;
}
template <std::size_t Channels, typename Block>
void store_frame(const Block& block, std::size_t index, const Frame<Channels>& frame) LACQUER_REALTIME {
    for (std::size_t c = 0; c < Channels; ++c) block.channels[c][index] = frame[c];
}

}  // namespace lacquer::dsp
