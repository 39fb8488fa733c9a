#include "dsp/equaliser.h"

namespace lacquer::dsp {

Equaliser::Equaliser(const EqualiserSettings& settings) {
    for (const BiquadCoefficients& section : settings.sections) {
        if (section != BiquadCoefficients{}) sections_[used_++] = StereoBiquad(section);
    }
}

void Equaliser::reset() LACQUER_REALTIME {
    for (StereoBiquad& section : sections_) section.reset();
}

void Equaliser::process(WorkBlock block) LACQUER_REALTIME {
    if (block.channel_count == 1) {
        run<1>(block);
    } else {
        run<2>(block);
    }
}

template <std::size_t Channels>
void Equaliser::run(WorkBlock block) LACQUER_REALTIME {
    for (std::size_t i = 0; i < block.frame_count; ++i) {
        Frame<Channels> frame = load_frame<Channels>(block, i);
        for (std::size_t s = 0; s < used_; ++s) frame = sections_[s].process(frame);
        store_frame<Channels>(block, i, frame);
    }
}

}  // namespace lacquer::dsp
