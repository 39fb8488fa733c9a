#include "dsp/history.h"

#include <cassert>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/history.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

float TakeIn(const float* HWY_RESTRICT from, std::size_t samples, float* HWY_RESTRICT to) {
    const hn::ScalableTag<float> d;
    const auto most = hn::Set(d, 1e18f);
    auto largest = hn::Zero(d);
    for (std::size_t i = 0; i < samples; i += hn::Lanes(d)) {
        const auto x = hn::Load(d, from + i);
        const auto magnitude = hn::Min(hn::Abs(x), most);
        largest = hn::Max(largest, magnitude);
        hn::Store(hn::CopySign(magnitude, x), d, to + i);
    }
    return hn::GetLane(hn::MaxOfLanes(d, largest));
}

}  // namespace
}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lacquer::dsp {
namespace {

HWY_EXPORT(TakeIn);

}  // namespace

float StereoHistory::take(const StereoBlock& block) LACQUER_REALTIME {
    assert(block.frame_count % kGroupFrames == 0 && block.frame_count <= kWorkFrames);
    return HWY_DYNAMIC_DISPATCH(TakeIn)(block.samples, 2 * block.frame_count, this->block());
}

}  // namespace lacquer::dsp
#endif
