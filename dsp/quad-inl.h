// Four doubles, two stereo pairs, from memory in double or float, as every instruction set has them: one register, two,
// or four numbers. For filters whose lanes are sections and channels, where the pattern and not the width of the
// registers decides. To be included once per target, as Highway's own -inl headers.
#if defined(LACQUER_DSP_QUAD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LACQUER_DSP_QUAD_INL_H_
#undef LACQUER_DSP_QUAD_INL_H_
#else
#define LACQUER_DSP_QUAD_INL_H_
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// One stereo pair.
#if HWY_TARGET == HWY_SCALAR
struct Pair {
    double left;
    double right;
};
HWY_INLINE Pair load_pair(const double* from) {
    return {from[0], from[1]};
}
HWY_INLINE void store_pair(Pair a, double* to) {
    to[0] = a.left;
    to[1] = a.right;
}
HWY_INLINE Pair load_pair(const float* from) {
    return {static_cast<double>(from[0]), static_cast<double>(from[1])};
}
HWY_INLINE void store_pair(Pair a, float* to) {
    to[0] = static_cast<float>(a.left);
    to[1] = static_cast<float>(a.right);
}
HWY_INLINE Pair add(Pair a, Pair b) {
    return {a.left + b.left, a.right + b.right};
}
HWY_INLINE Pair sub(Pair a, Pair b) {
    return {a.left - b.left, a.right - b.right};
}
HWY_INLINE Pair mul(Pair a, Pair b) {
    return {a.left * b.left, a.right * b.right};
}
HWY_INLINE Pair larger(Pair a, Pair b) {
    return {a.left > b.left ? a.left : b.left, a.right > b.right ? a.right : b.right};
}
HWY_INLINE Pair swapped(Pair a) {
    return {a.right, a.left};
}
HWY_INLINE Pair firsts(Pair a, Pair b) {
    return {a.left, b.left};
}
#else
using PairTag = hn::FixedTag<double, 2>;
using Pair = hn::Vec<PairTag>;
HWY_INLINE Pair load_pair(const double* from) {
    return hn::LoadU(PairTag(), from);
}
HWY_INLINE void store_pair(Pair a, double* to) {
    hn::StoreU(a, PairTag(), to);
}
HWY_INLINE Pair load_pair(const float* from) {
    return hn::PromoteTo(PairTag(), hn::LoadU(hn::FixedTag<float, 2>(), from));
}
HWY_INLINE void store_pair(Pair a, float* to) {
    constexpr hn::FixedTag<float, 2> narrow;
    hn::StoreU(hn::DemoteTo(narrow, a), narrow, to);
}
HWY_INLINE Pair add(Pair a, Pair b) {
    return hn::Add(a, b);
}
HWY_INLINE Pair sub(Pair a, Pair b) {
    return hn::Sub(a, b);
}
HWY_INLINE Pair mul(Pair a, Pair b) {
    return hn::Mul(a, b);
}
HWY_INLINE Pair larger(Pair a, Pair b) {
    return hn::Max(a, b);
}
HWY_INLINE Pair swapped(Pair a) {
    return hn::Shuffle01(a);
}
HWY_INLINE Pair firsts(Pair a, Pair b) {
    return hn::InterleaveLower(PairTag(), a, b);
}
#endif

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
using QuadTag = hn::FixedTag<double, 4>;
using Quad = hn::Vec<QuadTag>;
HWY_INLINE Quad load_quad(const double* from) {
    return hn::LoadU(QuadTag(), from);
}
HWY_INLINE void store_quad(Quad a, double* to) {
    hn::StoreU(a, QuadTag(), to);
}
HWY_INLINE Quad load_quad(const float* from) {
    return hn::PromoteTo(QuadTag(), hn::LoadU(hn::FixedTag<float, 4>(), from));
}
HWY_INLINE void store_quad(Quad a, float* to) {
    constexpr hn::FixedTag<float, 4> narrow;
    hn::StoreU(hn::DemoteTo(narrow, a), narrow, to);
}
HWY_INLINE Quad add(Quad a, Quad b) {
    return hn::Add(a, b);
}
HWY_INLINE Quad sub(Quad a, Quad b) {
    return hn::Sub(a, b);
}
HWY_INLINE Quad mul(Quad a, Quad b) {
    return hn::Mul(a, b);
}
HWY_INLINE Quad larger(Quad a, Quad b) {
    return hn::Max(a, b);
}
HWY_INLINE Pair low_of(Quad a) {
    return hn::LowerHalf(a);
}
HWY_INLINE Pair high_of(Quad a) {
    return hn::UpperHalf(PairTag(), a);
}
HWY_INLINE Quad join(Pair low, Pair high) {
    return hn::Combine(QuadTag(), high, low);
}
// {high of a, low of b}
HWY_INLINE Quad high_low(Quad a, Quad b) {
    return Quad{_mm256_permute2f128_pd(a.raw, b.raw, 0x21)};
}
#else
struct Quad {
    Pair low;
    Pair high;
};
HWY_INLINE Quad load_quad(const double* from) {
    return {load_pair(from), load_pair(from + 2)};
}
HWY_INLINE void store_quad(Quad a, double* to) {
    store_pair(a.low, to);
    store_pair(a.high, to + 2);
}
HWY_INLINE Quad load_quad(const float* from) {
    return {load_pair(from), load_pair(from + 2)};
}
HWY_INLINE void store_quad(Quad a, float* to) {
    store_pair(a.low, to);
    store_pair(a.high, to + 2);
}
HWY_INLINE Quad add(Quad a, Quad b) {
    return {add(a.low, b.low), add(a.high, b.high)};
}
HWY_INLINE Quad sub(Quad a, Quad b) {
    return {sub(a.low, b.low), sub(a.high, b.high)};
}
HWY_INLINE Quad mul(Quad a, Quad b) {
    return {mul(a.low, b.low), mul(a.high, b.high)};
}
HWY_INLINE Quad larger(Quad a, Quad b) {
    return {larger(a.low, b.low), larger(a.high, b.high)};
}
HWY_INLINE Pair low_of(Quad a) {
    return a.low;
}
HWY_INLINE Pair high_of(Quad a) {
    return a.high;
}
HWY_INLINE Quad join(Pair low, Pair high) {
    return {low, high};
}
HWY_INLINE Quad high_low(Quad a, Quad b) {
    return {a.high, b.low};
}
#endif

#if HWY_TARGET == HWY_AVX3
using EightTag = hn::FixedTag<double, 8>;
using Eight = hn::Vec<EightTag>;
HWY_INLINE Eight load_eight(const double* from) {
    return hn::LoadU(EightTag(), from);
}
HWY_INLINE void store_eight(Eight a, double* to) {
    hn::StoreU(a, EightTag(), to);
}
HWY_INLINE Eight add(Eight a, Eight b) {
    return hn::Add(a, b);
}
HWY_INLINE Eight sub(Eight a, Eight b) {
    return hn::Sub(a, b);
}
HWY_INLINE Eight mul(Eight a, Eight b) {
    return hn::Mul(a, b);
}
#endif

}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
