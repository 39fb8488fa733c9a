// Steps of second-order sections over vectors (dsp/section_lanes.h). To be included once per target.
#if defined(LACQUER_DSP_SECTIONS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LACQUER_DSP_SECTIONS_INL_H_
#undef LACQUER_DSP_SECTIONS_INL_H_
#else
#define LACQUER_DSP_SECTIONS_INL_H_
#endif

#include "dsp/quad-inl.h"
#include "dsp/section_lanes.h"

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {

struct LoadPair {
    HWY_INLINE Pair operator()(const double* from) const { return load_pair(from); }
};
HWY_INLINE void store(Pair lanes, double* to) {
    store_pair(lanes, to);
}
struct LoadQuad {
    HWY_INLINE Quad operator()(const double* from) const { return load_quad(from); }
};
HWY_INLINE void store(Quad lanes, double* to) {
    store_quad(lanes, to);
}
#if HWY_TARGET == HWY_AVX3
struct LoadEight {
    HWY_INLINE Eight operator()(const double* from) const { return load_eight(from); }
};
HWY_INLINE void store(Eight lanes, double* to) {
    store_eight(lanes, to);
}
#endif

// Sections of b0 = 1, from lane `first` on, as many as one vector holds.
template <typename Vector>
struct UnitSections {
    Vector c1, c2, a1, a2, s1, s2;

    template <typename Lanes, typename Load>
    HWY_INLINE UnitSections(const Lanes& from, std::size_t first, Load load)
        : c1(load(from.c1.data() + first)),
          c2(load(from.c2.data() + first)),
          a1(load(from.a1.data() + first)),
          a2(load(from.a2.data() + first)),
          s1(load(from.s1.data() + first)),
          s2(load(from.s2.data() + first)) {}

    HWY_INLINE Vector step(Vector x) {
        const Vector y = add(x, s1);
        advance(x);
        return y;
    }
    template <typename Lanes>
    HWY_INLINE void keep(Lanes& to, std::size_t first) const {
        store(s1, to.s1.data() + first);
        store(s2, to.s2.data() + first);
    }
    HWY_INLINE void advance(Vector x) {
        const Vector next = sub(add(mul(c1, x), s2), mul(a1, s1));
        s2 = sub(mul(c2, x), mul(a2, s1));
        s1 = next;
    }
};

template <typename Vector>
struct Sections : UnitSections<Vector> {
    Vector b0;

    template <typename Lanes, typename Load>
    HWY_INLINE Sections(const Lanes& from, std::size_t first, Load load)
        : UnitSections<Vector>(from, first, load), b0(load(from.b0.data() + first)) {}

    HWY_INLINE Vector step(Vector x) {
        const Vector y = add(mul(b0, x), this->s1);
        this->advance(x);
        return y;
    }
};

}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
