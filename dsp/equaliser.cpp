#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/equaliser.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which includes this file once per instruction set.
#include "dsp/equaliser.h"
#include "dsp/sections-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_AVX3

// All pairs of `a` but the first, then the first of `b`.
HWY_INLINE Eight shifted(Eight a, __m512d b) {
    return Eight{_mm512_castsi512_pd(_mm512_alignr_epi64(_mm512_castpd_si512(b), _mm512_castpd_si512(a.raw), 2))};
}

// Sections 0-3 and 4-7 in a vector of eight lanes each, 8 and 9 in one of four.
void filter(Equaliser::Lanes& lanes, double* samples, std::size_t frames) {
    UnitSections<Eight> first(lanes, 12, LoadEight());
    UnitSections<Eight> second(lanes, 4, LoadEight());
    UnitSections<Quad> third(lanes, 0, LoadQuad());
    Eight y1 = load_eight(lanes.y.data() + 12);
    Eight y2 = load_eight(lanes.y.data() + 4);
    Quad y3 = load_quad(lanes.y.data());
    for (std::size_t i = 0; i < frames; ++i) {
        const Eight x1 = shifted(y1, _mm512_castpd128_pd512(load_pair(samples + 2 * i).raw));
        const Eight x2 = shifted(y2, y1.raw);
        const Quad x3 = high_low(y3, Quad{_mm512_castpd512_pd256(y2.raw)});
        y1 = first.step(x1);
        y2 = second.step(x2);
        y3 = third.step(x3);
        store_pair(low_of(y3), samples + 2 * i);
    }
    store_eight(y1, lanes.y.data() + 12);
    store_eight(y2, lanes.y.data() + 4);
    store_quad(y3, lanes.y.data());
    first.keep(lanes, 12);
    second.keep(lanes, 4);
    third.keep(lanes, 0);
}

#else

void filter(Equaliser::Lanes& lanes, double* samples, std::size_t frames) {
    constexpr std::size_t kQuads = kEqualiserSections / 2;
    UnitSections<Quad> quads[kQuads] = {{lanes, 0, LoadQuad()},
                                        {lanes, 4, LoadQuad()},
                                        {lanes, 8, LoadQuad()},
                                        {lanes, 12, LoadQuad()},
                                        {lanes, 16, LoadQuad()}};
    const double* const before = lanes.y.data();
    Quad y[kQuads] = {load_quad(before), load_quad(before + 4), load_quad(before + 8), load_quad(before + 12),
                      load_quad(before + 16)};
    for (std::size_t i = 0; i < frames; ++i) {
        const Pair in = load_pair(samples + 2 * i);
        // The last quad of the chain first: each takes what its neighbour made a step ago.
        for (std::size_t q = 0; q + 1 < kQuads; ++q) y[q] = quads[q].step(high_low(y[q], y[q + 1]));
        y[kQuads - 1] = quads[kQuads - 1].step(high_low(y[kQuads - 1], join(in, in)));
        store_pair(low_of(y[0]), samples + 2 * i);
    }
    for (std::size_t q = 0; q < kQuads; ++q) {
        store_quad(y[q], lanes.y.data() + 4 * q);
        quads[q].keep(lanes, 4 * q);
    }
}

#endif

// To doubles, with the gain; what is damaged, as silence. A comparison with NaN is false.
void take(const float* from, double gain, double* to, std::size_t count) {
    constexpr hn::ScalableTag<double> wide;
    constexpr hn::Rebind<float, decltype(wide)> narrow;
    for (std::size_t i = 0; i < count; i += hn::Lanes(wide)) {
        const auto x = hn::LoadU(narrow, from + i);
        const auto sound = hn::IfThenElseZero(hn::Le(hn::Abs(x), hn::Set(narrow, kLoudestSample)), x);
        hn::StoreU(hn::Mul(hn::Set(wide, gain), hn::PromoteTo(wide, sound)), wide, to + i);
    }
}

void Equalise(Equaliser::Lanes& lanes, StereoBlock in, WideBlock out) {
    take(in.samples, lanes.gain, out.samples, 2 * in.frame_count);
    filter(lanes, out.samples, in.frame_count);
}

}  // namespace
}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <stdexcept>

namespace lacquer::dsp {
namespace {

HWY_EXPORT(Equalise);

}  // namespace

Equaliser::Equaliser(const EqualiserSettings& settings, double gain) {
    lanes_.gain = gain;
    for (std::size_t s = 0; s < kEqualiserSections; ++s) {
        if (settings.sections[s].b0 == 0.0) throw std::invalid_argument("equaliser.sections.b0");
        lanes_.set_pair(kEqualiserSections - 1 - s, with_unit_b0(settings.sections[s], lanes_.gain));
    }
}

void Equaliser::reset() LACQUER_REALTIME {
    lanes_.reset();
    lanes_.y.fill(0.0);
}

void Equaliser::process(StereoBlock in, WideBlock out) LACQUER_REALTIME {
    HWY_DYNAMIC_DISPATCH(Equalise)(lanes_, in, out);
}

}  // namespace lacquer::dsp
#endif
