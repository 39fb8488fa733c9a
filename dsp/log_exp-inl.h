// log2 and exp2 of float vectors by +, -, x and / alone, for gains. To be included once per target.
//
// Method:  log2 splits off the exponent at sqrt(1/2) and sums the series of 2 atanh(s), s = (m-1)/(m+1); exp2 rounds
//          to the nearest integer and sums the Taylor series of the rest. Error: 2e-6 absolute, 3e-7 relative.
#if defined(LACQUER_DSP_LOG_EXP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LACQUER_DSP_LOG_EXP_INL_H_
#undef LACQUER_DSP_LOG_EXP_INL_H_
#else
#define LACQUER_DSP_LOG_EXP_INL_H_
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Of positive, normal, finite numbers.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V log2_of(D d, V x) {
    constexpr hn::RebindToSigned<D> di;
    const auto bits = hn::BitCast(di, x);
    const auto one = hn::Set(di, 0x3F80'0000);
    const auto shifted = hn::Add(bits, hn::Set(di, 0x3F80'0000 - 0x3F35'04F3));
    const V exponent = hn::ConvertTo(d, hn::Sub(hn::ShiftRight<23>(shifted), hn::Set(di, 127)));
    const auto split = hn::And(shifted, hn::Set(di, 0x7F80'0000));
    const V m = hn::BitCast(d, hn::Add(hn::Sub(bits, split), one));  // [sqrt(1/2), sqrt(2))
    const V s = hn::Div(hn::Sub(m, hn::Set(d, 1.0f)), hn::Add(m, hn::Set(d, 1.0f)));
    const V s2 = hn::Mul(s, s);
    V sum = hn::Set(d, 1.0f / 9.0f);
    for (const float term : {1.0f / 7.0f, 1.0f / 5.0f, 1.0f / 3.0f, 1.0f}) {
        sum = hn::Add(hn::Mul(sum, s2), hn::Set(d, term));
    }
    return hn::Add(exponent, hn::Mul(hn::Mul(hn::Set(d, 2.8853900817779268f), s), sum));
}

// Of numbers in [-120, 120].
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp2_of(D d, V x) {
    constexpr hn::RebindToSigned<D> di;
    const V round = hn::Set(d, 12582912.0f);  // 1.5 x 2^23: adding it rounds to an integer
    const V biased = hn::Add(x, round);
    const V t = hn::Mul(hn::Sub(x, hn::Sub(biased, round)), hn::Set(d, 0.69314718055994531f));
    V sum = hn::Set(d, 1.0f / 720.0f);
    for (const float term : {1.0f / 120.0f, 1.0f / 24.0f, 1.0f / 6.0f, 0.5f, 1.0f, 1.0f}) {
        sum = hn::Add(hn::Mul(sum, t), hn::Set(d, term));
    }
    const auto scale = hn::ShiftLeft<23>(hn::Add(hn::BitCast(di, biased), hn::Set(di, 127)));
    return hn::Mul(sum, hn::BitCast(d, scale));
}

}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
