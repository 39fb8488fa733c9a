// Between float and double, over lines whose length is a multiple of 16. To be included once per target.
#if defined(LACQUER_DSP_WIDEN_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LACQUER_DSP_WIDEN_INL_H_
#undef LACQUER_DSP_WIDEN_INL_H_
#else
#define LACQUER_DSP_WIDEN_INL_H_
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// to[i] = gain * from[i]
HWY_INLINE void widen(const float* from, double gain, double* to, std::size_t count) {
    constexpr hn::ScalableTag<double> wide;
    constexpr hn::Rebind<float, decltype(wide)> narrow;
    const auto factor = hn::Set(wide, gain);
    for (std::size_t i = 0; i < count; i += hn::Lanes(wide)) {
        hn::StoreU(hn::Mul(factor, hn::PromoteTo(wide, hn::LoadU(narrow, from + i))), wide, to + i);
    }
}

// to[i] = from[i], rounded to the nearest float
HWY_INLINE void narrow(const double* from, float* to, std::size_t count) {
    constexpr hn::ScalableTag<double> wide;
    constexpr hn::Rebind<float, decltype(wide)> narrow;
    for (std::size_t i = 0; i < count; i += hn::Lanes(wide)) {
        hn::StoreU(hn::DemoteTo(narrow, hn::LoadU(wide, from + i)), narrow, to + i);
    }
}

}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
