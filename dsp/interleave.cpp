#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/interleave.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which includes this file once per instruction set.
#include <hwy/highway.h>

#include "dsp/interleave.h"

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// A comparison with NaN is false.
template <class D>
HWY_INLINE hn::Vec<D> sound(D d, const float* from) {
    const auto x = hn::LoadU(d, from);
    return hn::IfThenElseZero(hn::Le(hn::Abs(x), hn::Set(d, kLoudestSample)), x);
}

template <class D>
HWY_INLINE std::size_t interleave_whole(D d, const float* left, const float* right, std::size_t at, std::size_t count,
                                        float* to) {
    for (; at + hn::Lanes(d) <= count; at += hn::Lanes(d)) {
        hn::StoreInterleaved2(sound(d, left + at), sound(d, right + at), d, to + 2 * at);
    }
    return at;
}

void Interleave(const float* left, const float* right, std::size_t count, float* to) {
    const std::size_t done = interleave_whole(hn::ScalableTag<float>(), left, right, 0, count, to);
    interleave_whole(hn::CappedTag<float, 1>(), left, right, done, count, to);
}

template <class D>
HWY_INLINE std::size_t deinterleave_whole(D d, const float* from, std::size_t at, std::size_t count, float* left,
                                          float* right) {
    for (; at + hn::Lanes(d) <= count; at += hn::Lanes(d)) {
        hn::Vec<D> first, second;
        hn::LoadInterleaved2(d, from + 2 * at, first, second);
        hn::StoreU(first, d, left + at);
        hn::StoreU(second, d, right + at);
    }
    return at;
}

void Deinterleave(const float* from, std::size_t count, float* left, float* right) {
    const std::size_t done = deinterleave_whole(hn::ScalableTag<float>(), from, 0, count, left, right);
    deinterleave_whole(hn::CappedTag<float, 1>(), from, done, count, left, right);
}

}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace lacquer::dsp {

HWY_EXPORT(Interleave);
HWY_EXPORT(Deinterleave);

void interleave(ConstAudioBlock from, float* to) LACQUER_REALTIME {
    HWY_DYNAMIC_DISPATCH(Interleave)
    (from.channels[0], from.channels[from.channel_count - 1], from.frame_count, to);
}

void deinterleave(const float* from, AudioBlock to) LACQUER_REALTIME {
    HWY_DYNAMIC_DISPATCH(Deinterleave)
    (from, to.frame_count, to.channels[0], to.channels[to.channel_count - 1]);
}

}  // namespace lacquer::dsp
#endif
