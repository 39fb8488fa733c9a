#include "dsp/width.h"

#include <stdexcept>

namespace lacquer::dsp {

Width::Width(const WidthSettings& settings)
    : low_gain_(settings.width * (1.0 - settings.mono_bass)),
      high_gain_(settings.width),
      mid_(settings.border.all_pass),
      side_low_{Biquad(settings.border.low_pass), Biquad(settings.border.low_pass)},
      side_high_{Biquad(settings.border.high_pass), Biquad(settings.border.high_pass)} {
    if (!(settings.width >= 0.0 && settings.width <= 2.0)) throw std::invalid_argument("width.width");
    if (!(settings.mono_bass >= 0.0 && settings.mono_bass <= 1.0)) throw std::invalid_argument("width.mono_bass");
}

void Width::reset() LACQUER_REALTIME {
    mid_.reset();
    for (Biquad& section : side_low_) section.reset();
    for (Biquad& section : side_high_) section.reset();
}

void Width::process(WorkBlock block) LACQUER_REALTIME {
    assert(block.channel_count == 2);
    double* const left = block.channels[0];
    double* const right = block.channels[1];
    for (std::size_t i = 0; i < block.frame_count; ++i) {
        const double mid = mid_.process(0.5 * (left[i] + right[i]));
        const double in = 0.5 * (left[i] - right[i]);
        const double low = side_low_[1].process(side_low_[0].process(in));
        const double high = side_high_[1].process(side_high_[0].process(in));
        const double side = low_gain_ * low + high_gain_ * high;
        left[i] = mid + side;
        right[i] = mid - side;
    }
}

}  // namespace lacquer::dsp
