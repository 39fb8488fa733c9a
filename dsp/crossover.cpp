#include "dsp/crossover.h"

namespace lacquer::dsp {

Crossover::Crossover(const std::array<CrossoverSettings, kDynamicsBands - 1>& borders)
    : low_{StereoBiquad(borders[0].low_pass), StereoBiquad(borders[0].low_pass), StereoBiquad(borders[1].all_pass)},
      rest_{StereoBiquad(borders[0].high_pass), StereoBiquad(borders[0].high_pass)},
      middle_{StereoBiquad(borders[1].low_pass), StereoBiquad(borders[1].low_pass)},
      high_{StereoBiquad(borders[1].high_pass), StereoBiquad(borders[1].high_pass)} {}

void Crossover::reset() LACQUER_REALTIME {
    for (StereoBiquad& section : low_) section.reset();
    for (StereoBiquad& section : rest_) section.reset();
    for (StereoBiquad& section : middle_) section.reset();
    for (StereoBiquad& section : high_) section.reset();
}

void Crossover::split(BasicAudioBlock<const double> block, const BandBlocks& bands) LACQUER_REALTIME {
    if (block.channel_count == 1) {
        run<1>(block, bands);
    } else {
        run<2>(block, bands);
    }
}

template <std::size_t Channels>
void Crossover::run(BasicAudioBlock<const double> block, const BandBlocks& bands) LACQUER_REALTIME {
    for (std::size_t i = 0; i < block.frame_count; ++i) {
        const Frame<Channels> x = load_frame<Channels>(block, i);
        const Frame<Channels> rest = rest_[1].process(rest_[0].process(x));
        store_frame<Channels>(bands[0], i, low_[2].process(low_[1].process(low_[0].process(x))));
        store_frame<Channels>(bands[1], i, middle_[1].process(middle_[0].process(rest)));
        store_frame<Channels>(bands[2], i, high_[1].process(high_[0].process(rest)));
    }
}

}  // namespace lacquer::dsp
