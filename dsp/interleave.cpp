#include "dsp/interleave.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/interleave.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;

void Interleave(const float* HWY_RESTRICT left, const float* HWY_RESTRICT right, std::size_t frames,
                float* HWY_RESTRICT out) {
    const Floats d;
    std::size_t i = 0;
    for (; i + hn::Lanes(d) <= frames; i += hn::Lanes(d)) {
        hn::StoreInterleaved2(hn::LoadU(d, left + i), hn::LoadU(d, right + i), d, out + 2 * i);
    }
    for (; i < frames; ++i) {
        out[2 * i] = left[i];
        out[2 * i + 1] = right[i];
    }
}

void Deinterleave(const float* HWY_RESTRICT in, std::size_t frames, float* HWY_RESTRICT left,
                  float* HWY_RESTRICT right) {
    const Floats d;
    std::size_t i = 0;
    for (; i + hn::Lanes(d) <= frames; i += hn::Lanes(d)) {
        hn::Vec<Floats> l;
        hn::Vec<Floats> r;
        hn::LoadInterleaved2(d, in + 2 * i, l, r);
        hn::StoreU(l, d, left + i);
        hn::StoreU(r, d, right + i);
    }
    for (; i < frames; ++i) {
        left[i] = in[2 * i];
        right[i] = in[2 * i + 1];
    }
}

}  // namespace
}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lacquer::dsp {
namespace {

HWY_EXPORT(Interleave);
HWY_EXPORT(Deinterleave);

}  // namespace

void interleave(const float* left, const float* right, std::size_t frames, float* interleaved) LACQUER_REALTIME {
    HWY_DYNAMIC_DISPATCH(Interleave)(left, right, frames, interleaved);
}

void deinterleave(const float* interleaved, std::size_t frames, float* left, float* right) LACQUER_REALTIME {
    HWY_DYNAMIC_DISPATCH(Deinterleave)(interleaved, frames, left, right);
}

}  // namespace lacquer::dsp
#endif
