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
HWY_INLINE void FadeAt(D d, const float* outgoing, const float* incoming, hn::Vec<hn::Rebind<std::int32_t, D>> frames,
                       float step, float* out) {
    const auto position = hn::Add(hn::ConvertTo(d, frames), hn::Set(d, 0.5f));
    const auto from = hn::LoadU(d, outgoing);
    const auto to = hn::LoadU(d, incoming);
    const auto weight = hn::Mul(position, hn::Set(d, step));
    hn::StoreU(hn::Add(from, hn::Mul(weight, hn::Sub(to, from))), d, out);
}

void Fade(const float* outgoing, const float* incoming, std::int32_t frame, std::size_t count, float step, float* out) {
    const hn::ScalableTag<float> d;
    const hn::Rebind<std::int32_t, decltype(d)> integers;
    const auto lanes = static_cast<std::int32_t>(hn::Lanes(d));
    auto frames = hn::Iota(integers, frame);
    std::size_t i = 0;
    for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
        FadeAt(d, outgoing + i, incoming + i, frames, step, out + i);
        frames = hn::Add(frames, hn::Set(integers, lanes));
    }
    const hn::CappedTag<float, 1> one;
    for (; i < count; ++i) {
        const auto at = hn::Set(hn::Rebind<std::int32_t, decltype(one)>(), frame + static_cast<std::int32_t>(i));
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
    assert(first_frame >= 0 && fade_frames < kMaxFadeFrames);
    const float step = 1.0f / static_cast<float>(fade_frames);
    for (std::size_t c = 0; c < out.channel_count; ++c) {
        HWY_DYNAMIC_DISPATCH(Fade)
        (outgoing.channels[c], incoming.channels[c], static_cast<std::int32_t>(first_frame), out.frame_count, step,
         out.channels[c]);
    }
}

}  // namespace lacquer::dsp
#endif
