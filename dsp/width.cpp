#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/width.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which includes this file once per instruction set.
#include "dsp/sections-inl.h"
#include "dsp/width.h"

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {
namespace {

void widen(const float* from, double* to, std::size_t count) {
    constexpr hn::ScalableTag<double> wide;
    constexpr hn::Rebind<float, decltype(wide)> narrow;
    for (std::size_t i = 0; i < count; i += hn::Lanes(wide)) {
        hn::StoreU(hn::PromoteTo(wide, hn::LoadU(narrow, from + i)), wide, to + i);
    }
}

// From the samples in lanes.side to the all-passed channels and, in their place, both low-passes of the side.
void filter(Width::Lanes& lanes, std::size_t frames) {
    UnitSections<Pair> turn(lanes, 0, LoadPair());
    UnitSections<Pair> low_pass(lanes, 2, LoadPair());
    alignas(16) double first[2] = {lanes.low, 0.0};
    Pair low = load_pair(first);
    for (std::size_t i = 0; i < frames; ++i) {
        const Pair in = load_pair(lanes.side.data() + 2 * i);
        const Pair side = sub(in, swapped(in));
        store_pair(turn.step(in), lanes.turned.data() + 2 * (i + 1));
        low = low_pass.step(firsts(side, low));
        store_pair(low, lanes.side.data() + 2 * i);
    }
    store_pair(low, first);
    lanes.low = first[0];
    turn.keep(lanes, 0);
    low_pass.keep(lanes, 2);
}

#if HWY_TARGET == HWY_SCALAR

void mix(const Width::Lanes& lanes, float* samples, std::size_t frames) {
    for (std::size_t i = 0; i < frames; ++i) {
        const double left = lanes.turned[2 * i];
        const double right = lanes.turned[2 * i + 1];
        const double low = lanes.side[2 * i + 1];
        samples[2 * i] = static_cast<float>((lanes.direct * left + lanes.cross * right) + lanes.bass * low);
        samples[2 * i + 1] = static_cast<float>((lanes.direct * right + lanes.cross * left) + -lanes.bass * low);
    }
}

#else

void mix(const Width::Lanes& lanes, float* samples, std::size_t frames) {
    constexpr hn::ScalableTag<double> wide;
    constexpr hn::Rebind<float, decltype(wide)> narrow;
    const auto direct = hn::Set(wide, lanes.direct);
    const auto cross = hn::Set(wide, lanes.cross);
    const auto bass = hn::OddEven(hn::Set(wide, -lanes.bass), hn::Set(wide, lanes.bass));
    for (std::size_t i = 0; i < 2 * frames; i += hn::Lanes(wide)) {
        const auto turned = hn::LoadU(wide, lanes.turned.data() + i);
        const auto side = hn::LoadU(wide, lanes.side.data() + i);
        const auto low = hn::OddEven(side, hn::Reverse2(wide, side));
        const auto sum = hn::Add(hn::Mul(direct, turned), hn::Mul(cross, hn::Reverse2(wide, turned)));
        hn::StoreU(hn::DemoteTo(narrow, hn::Add(sum, hn::Mul(bass, low))), narrow, samples + i);
    }
}

#endif

void Widen(Width::Lanes& lanes, const StereoBlock& block) {
    const std::size_t count = 2 * block.frame_count;
    widen(block.samples, lanes.side.data(), count);
    filter(lanes, block.frame_count);
    mix(lanes, block.samples, block.frame_count);
    lanes.turned[0] = lanes.turned[count];
    lanes.turned[1] = lanes.turned[count + 1];
}

}  // namespace
}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <stdexcept>

namespace lacquer::dsp {
namespace {

HWY_EXPORT(Widen);

}  // namespace

Width::Width(const WidthSettings& settings) {
    if (!(settings.width >= 0.0 && settings.width <= 2.0)) throw std::invalid_argument("width.width");
    if (!(settings.mono_bass >= 0.0 && settings.mono_bass <= 1.0)) throw std::invalid_argument("width.mono_bass");
    if (settings.border.low_pass.b0 == 0.0 || settings.border.all_pass.b0 == 0.0) {
        throw std::invalid_argument("width.border");
    }
    double all_pass = 0.5;  // of the sum of both channels, and of their difference
    double low_pass = 0.5;
    lanes_.set_pair(0, with_unit_b0(settings.border.all_pass, all_pass));
    lanes_.set(2, with_unit_b0(settings.border.low_pass, low_pass));
    lanes_.set(3, with_unit_b0(settings.border.low_pass, low_pass));
    lanes_.direct = all_pass * (1.0 + settings.width);
    lanes_.cross = all_pass * (1.0 - settings.width);
    lanes_.bass = -low_pass * settings.width * settings.mono_bass;
}

void Width::reset() LACQUER_REALTIME {
    lanes_.reset();
    lanes_.low = 0.0;
    lanes_.turned.fill(0.0);
}

void Width::process(StereoBlock block) LACQUER_REALTIME {
    HWY_DYNAMIC_DISPATCH(Widen)(lanes_, block);
}

}  // namespace lacquer::dsp
#endif
