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
HWY_INLINE void FadeAt(D d, const float* outgoing, const float* incoming, std::int32_t frame, float step, float* out) {
    const hn::Rebind<std::int32_t, D> integers;
    const auto position = hn::Add(hn::ConvertTo(d, hn::Iota(integers, frame)), hn::Set(d, 0.5f));
    const auto from = hn::LoadU(d, outgoing);
    const auto to = hn::LoadU(d, incoming);
    const auto weight = hn::Mul(position, hn::Set(d, step));
    hn::StoreU(hn::Add(from, hn::Mul(weight, hn::Sub(to, from))), d, out);
}

void Fade(const float* outgoing, const float* incoming, std::int32_t frame, std::size_t count, float step, float* out) {
    const hn::ScalableTag<float> d;
    std::size_t i = 0;
    for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
        FadeAt(d, outgoing + i, incoming + i, frame + static_cast<std::int32_t>(i), step, out + i);
    }
    for (; i < count; ++i) {
        FadeAt(hn::CappedTag<float, 1>(), outgoing + i, incoming + i, frame + static_cast<std::int32_t>(i), step,
               out + i);
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
