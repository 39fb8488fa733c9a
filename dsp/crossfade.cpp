#include "dsp/crossfade.h"

#include <cassert>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/crossfade.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE void FadeAt(D d, const float* outgoing, const float* incoming, hn::Vec<D> frames, double step, float* out) {
    const hn::Rebind<float, D> floats;
    const auto weight = hn::Mul(hn::Add(frames, hn::Set(d, 0.5)), hn::Set(d, step));
    const auto from = hn::PromoteTo(d, hn::LoadU(floats, outgoing));
    const auto to = hn::PromoteTo(d, hn::LoadU(floats, incoming));
    hn::StoreU(hn::DemoteTo(floats, hn::Add(from, hn::Mul(weight, hn::Sub(to, from)))), floats, out);
}

void Fade(const float* outgoing, const float* incoming, std::int64_t frame, std::size_t count, double step,
          float* out) {
    const hn::ScalableTag<double> d;
    auto frames = hn::Iota(d, static_cast<double>(frame));
    std::size_t i = 0;
    for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
        FadeAt(d, outgoing + i, incoming + i, frames, step, out + i);
        frames = hn::Add(frames, hn::Set(d, static_cast<double>(hn::Lanes(d))));
    }
    const hn::CappedTag<double, 1> one;
    for (; i < count; ++i) {
        const auto at = hn::Set(one, static_cast<double>(frame + static_cast<std::int64_t>(i)));
        FadeAt(one, outgoing + i, incoming + i, at, step, out + i);
    }
}

}  // namespace
}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lacquer::dsp {
namespace {

HWY_EXPORT(Fade);

}  // namespace

void crossfade(ConstAudioBlock outgoing, ConstAudioBlock incoming, std::int64_t first_frame, std::int64_t fade_frames,
               AudioBlock out) LACQUER_REALTIME {
    assert(outgoing.frame_count == out.frame_count && incoming.frame_count == out.frame_count);
    const double step = 1.0 / static_cast<double>(fade_frames);
    for (std::size_t c = 0; c < out.channel_count; ++c) {
        HWY_DYNAMIC_DISPATCH(Fade)
        (outgoing.channels[c], incoming.channels[c], first_frame, out.frame_count, step, out.channels[c]);
    }
}

}  // namespace lacquer::dsp
#endif
