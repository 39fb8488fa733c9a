#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/crossover.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which includes this file once per instruction set.
#include "dsp/crossover.h"
#include "dsp/sections-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {
namespace {

// Fills the three lines, each behind what is left in it of the block before.
void filter(Crossover::Lanes& lanes, const double* samples, std::size_t frames) {
    Sections<Quad> first(lanes, 0, LoadQuad());
    Sections<Quad> second(lanes, 4, LoadQuad());
    Sections<Quad> third(lanes, 8, LoadQuad());
    Sections<Pair> fourth(lanes, 12, LoadPair());
    Quad y1 = load_quad(lanes.y.data());
    Quad y2 = load_quad(lanes.y.data() + 4);
    Quad y3 = load_quad(lanes.y.data() + 8);
    Pair fed = load_pair(lanes.fed.data());
    double* const sum = lanes.sum.data() + 4;
    double* const low = lanes.low.data() + 2;
    double* const middle = lanes.middle.data();
    for (std::size_t i = 0; i < frames; ++i) {
        const Pair in = load_pair(samples + 2 * i);
        const Pair below = high_of(y2);  // the lower border
        const Pair again = high_of(y3);
        const Quad next = y1;
        y1 = first.step(join(in, in));
        y2 = second.step(next);
        y3 = third.step(join(below, sub(fed, below)));
        fed = low_of(next);
        store_pair(low_of(y2), sum + 2 * i);
        store_pair(low_of(y3), low + 2 * i);
        store_pair(fourth.step(again), middle + 2 * i);
    }
    store_quad(y1, lanes.y.data());
    store_quad(y2, lanes.y.data() + 4);
    store_quad(y3, lanes.y.data() + 8);
    store_pair(fed, lanes.fed.data());
    first.keep(lanes, 0);
    second.keep(lanes, 4);
    third.keep(lanes, 8);
    fourth.keep(lanes, 12);
}

// The high band is what the others leave of the sum.
void part(const Crossover::Lanes& lanes, std::size_t count, float* low, float* middle, float* high) {
    constexpr hn::ScalableTag<double> wide;
    constexpr hn::Rebind<float, decltype(wide)> narrow;
    for (std::size_t i = 0; i < count; i += hn::Lanes(wide)) {
        const auto sum = hn::LoadU(wide, lanes.sum.data() + i);
        const auto lower = hn::LoadU(wide, lanes.low.data() + i);
        const auto upper = hn::LoadU(wide, lanes.middle.data() + i);
        hn::StoreU(hn::DemoteTo(narrow, lower), narrow, low + i);
        hn::StoreU(hn::DemoteTo(narrow, upper), narrow, middle + i);
        hn::StoreU(hn::DemoteTo(narrow, hn::Sub(hn::Sub(sum, lower), upper)), narrow, high + i);
    }
}

void Split(Crossover::Lanes& lanes, const WideBlock& block, float* low, float* middle, float* high) {
    const std::size_t count = 2 * block.frame_count;
    filter(lanes, block.samples, block.frame_count);
    part(lanes, count, low, middle, high);
    for (std::size_t i = 0; i < 4; ++i) lanes.sum[i] = lanes.sum[count + i];
    for (std::size_t i = 0; i < 2; ++i) lanes.low[i] = lanes.low[count + i];
}

}  // namespace
}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace lacquer::dsp {
namespace {

HWY_EXPORT(Split);

}  // namespace

Crossover::Crossover(const std::array<CrossoverSettings, kDynamicsBands - 1>& borders) {
    std::size_t pair = 0;
    for (const BiquadCoefficients& section :
         {borders[0].all_pass, borders[0].low_pass, borders[1].all_pass, borders[0].low_pass, borders[1].all_pass,
          borders[1].low_pass, borders[1].low_pass}) {
        lanes_.set_pair(pair++, section);
    }
}

void Crossover::reset() LACQUER_REALTIME {
    lanes_.reset();
    lanes_.y.fill(0.0);
    lanes_.fed.fill(0.0);
    lanes_.sum.fill(0.0);
    lanes_.low.fill(0.0);
}

void Crossover::split(WideBlock block, const BandBlocks& bands) LACQUER_REALTIME {
    HWY_DYNAMIC_DISPATCH(Split)(lanes_, block, bands[0].samples, bands[1].samples, bands[2].samples);
}

}  // namespace lacquer::dsp
#endif
