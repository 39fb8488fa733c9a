#include "dsp/lanes.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/lanes.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

void ToLanes(const float* const* rows, const float* window, std::size_t frames, float* out) {
    for (std::size_t lane = 0; lane < kLanes; ++lane)
        for (std::size_t i = 0; i < frames; ++i)
            out[i * kLanes + lane] = window != nullptr ? rows[lane][i] * window[i] : rows[lane][i];
}

#else

constexpr std::size_t kQuad = 4;

// The same four frames of the lanes 0, 4, ...: as many as a vector has blocks.
template <typename D>
HWY_INLINE hn::Vec<D> LoadBlocks(D d, const float* const* rows, std::size_t at) {
    if constexpr (hn::MaxLanes(D()) == kQuad) {
        return hn::LoadU(d, rows[0] + at);
    } else {
        const hn::Half<D> half;
        return hn::Combine(d, LoadBlocks(half, rows + hn::MaxLanes(D()) / 2, at), LoadBlocks(half, rows, at));
    }
}

template <typename D>
HWY_INLINE void TransposeQuads(D d, const float* const* rows, std::size_t at, hn::Vec<D>* frames) {
    const hn::Repartition<double, D> pairs;
    const auto a = LoadBlocks(d, rows, at);
    const auto b = LoadBlocks(d, rows + 1, at);
    const auto c = LoadBlocks(d, rows + 2, at);
    const auto e = LoadBlocks(d, rows + 3, at);
    const auto ab_low = hn::BitCast(pairs, hn::InterleaveLower(d, a, b));
    const auto ce_low = hn::BitCast(pairs, hn::InterleaveLower(d, c, e));
    const auto ab_high = hn::BitCast(pairs, hn::InterleaveUpper(d, a, b));
    const auto ce_high = hn::BitCast(pairs, hn::InterleaveUpper(d, c, e));
    frames[0] = hn::BitCast(d, hn::InterleaveLower(pairs, ab_low, ce_low));
    frames[1] = hn::BitCast(d, hn::InterleaveUpper(pairs, ab_low, ce_low));
    frames[2] = hn::BitCast(d, hn::InterleaveLower(pairs, ab_high, ce_high));
    frames[3] = hn::BitCast(d, hn::InterleaveUpper(pairs, ab_high, ce_high));
}

void ToLanes(const float* const* rows, const float* window, std::size_t frames, float* out) {
    const hn::CappedTag<float, kLanes> d;
    for (std::size_t at = 0; at < frames; at += kQuad) {
        for (std::size_t lane = 0; lane < kLanes; lane += hn::Lanes(d)) {
            hn::Vec<decltype(d)> quad[kQuad];
            TransposeQuads(d, rows + lane, at, quad);
            for (std::size_t i = 0; i < kQuad; ++i) {
                if (window != nullptr) quad[i] = hn::Mul(quad[i], hn::Set(d, window[at + i]));
                hn::Store(quad[i], d, out + (at + i) * kLanes + lane);
            }
        }
    }
}

#endif

void CopyUndamaged(const float* from, std::size_t count, float* to) {
    const hn::ScalableTag<float> d;
    const auto loudest = hn::Set(d, kLoudestSample);
    std::size_t i = 0;
    for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
        const auto x = hn::LoadU(d, from + i);
        hn::StoreU(hn::IfThenElseZero(hn::Le(hn::Abs(x), loudest), x), d, to + i);
    }
    for (; i < count; ++i) to[i] = std::abs(from[i]) <= kLoudestSample ? from[i] : 0.0f;
}

}  // namespace
}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lacquer::dsp {
HWY_EXPORT(ToLanes);
HWY_EXPORT(CopyUndamaged);

void to_lanes(const LaneRows& rows, std::size_t frames, float* out) {
    const std::size_t whole = (frames + kLaneRounding - 1) / kLaneRounding * kLaneRounding;
    HWY_DYNAMIC_DISPATCH(ToLanes)(rows.data(), nullptr, whole, out);
}
void to_lanes(const LaneRows& rows, const float* window, std::size_t frames, float* out) {
    HWY_DYNAMIC_DISPATCH(ToLanes)(rows.data(), window, frames, out);
}
void copy_undamaged(const float* from, std::size_t count, float* to) {
    HWY_DYNAMIC_DISPATCH(CopyUndamaged)(from, count, to);
}

}  // namespace lacquer::dsp
#endif
