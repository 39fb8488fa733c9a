#include "dsp/hop_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/hop_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

template <typename V>
struct Poles {
    V c1, c2;
};
template <typename D>
HWY_INLINE Poles<hn::Vec<D>> PolesOf(D d, const DeltaPoles& poles) {
    return {hn::Set(d, poles.c1), hn::Set(d, poles.c2)};
}

template <typename V>
struct Pair {
    V first, second;
};
template <typename D>
HWY_INLINE Pair<hn::Vec<D>> LoadState(D d, const SectionState& state, std::size_t lane) {
    return {hn::Load(d, state.first + lane), hn::Load(d, state.second + lane)};
}
template <typename D>
HWY_INLINE void StoreState(D d, const Pair<hn::Vec<D>>& pair, SectionState& state, std::size_t lane) {
    hn::Store(pair.first, d, state.first + lane);
    hn::Store(pair.second, d, state.second + lane);
}

template <typename V>
HWY_INLINE V HighPass(const Poles<V>& p, Pair<V>& s, V x) {
    const V y = hn::Add(x, s.first);
    const V sum = hn::Add(s.first, s.second);
    s.second = hn::Sub(s.second, hn::Mul(p.c2, y));
    s.first = hn::Sub(sum, hn::Mul(p.c1, y));
    return y;
}

template <typename V>
HWY_INLINE V LowPass(const Poles<V>& p, Pair<V>& s, V four, V x) {
    const V y = hn::Add(x, s.first);
    const V second = hn::Add(s.second, hn::Mul(four, x));
    const V sum = hn::Add(s.first, second);
    s.second = hn::Sub(second, hn::Mul(p.c2, y));
    s.first = hn::Sub(sum, hn::Mul(p.c1, y));
    return y;
}

template <typename V>
HWY_INLINE V Shelf(const Poles<V>& p, const Poles<V>& zeros, Pair<V>& s, V x) {
    const V y = hn::Add(x, s.first);
    const V sum = hn::Add(hn::Add(s.first, s.second), hn::Mul(zeros.c1, x));
    s.second = hn::Sub(hn::Add(s.second, hn::Mul(zeros.c2, x)), hn::Mul(p.c2, y));
    s.first = hn::Sub(sum, hn::Mul(p.c1, y));
    return y;
}

// The high-pass; `low` gets the low-pass of the same poles. Its state is in front of the zeros, where both can share
// it.
template <typename V>
HWY_INLINE V BothPasses(const Poles<V>& p, Pair<V>& s, V four, V x, V& low) {
    const V high = hn::Sub(hn::Sub(x, hn::Mul(p.c2, s.second)), hn::Mul(p.c1, s.first));
    const V second = hn::Add(s.second, s.first);
    low = hn::Add(high, hn::Mul(four, second));
    s.second = second;
    s.first = hn::Add(s.first, high);
    return high;
}

template <typename V>
HWY_INLINE V AddSquare(V sum, V x) {
    return hn::Add(sum, hn::Mul(x, x));
}

void WeighAndSplit(const HopFilters& filters, const float* lanes, std::size_t frames, HopState& state, float* below,
                   HopSums& sums) {
    const hn::CappedTag<float, kLanes> d;
    using V = hn::Vec<decltype(d)>;
    const V four = hn::Set(d, 4.0f);
    const Poles<V> shelf_poles = PolesOf(d, filters.shelf);
    const Poles<V> shelf_zeros{hn::Set(d, filters.shelf_zeros.d1), hn::Set(d, filters.shelf_zeros.d2)};
    const Poles<V> cut_poles = PolesOf(d, filters.low_cut), upper_poles = PolesOf(d, filters.upper);
    for (std::size_t lane = 0; lane < kLanes; lane += hn::Lanes(d)) {
        Pair<V> shelf = LoadState(d, state.shelf, lane), low_cut = LoadState(d, state.low_cut, lane);
        Pair<V> upper = LoadState(d, state.upper, lane), low_pass = LoadState(d, state.upper_low_pass, lane);
        Pair<V> high_pass = LoadState(d, state.upper_high_pass, lane);
        V plain = hn::Zero(d), weighted = hn::Zero(d), high = hn::Zero(d);
        for (std::size_t i = 0; i < frames; ++i) {
            const V x = hn::Load(d, lanes + i * kLanes + lane);
            plain = AddSquare(plain, x);
            weighted = AddSquare(weighted, HighPass(cut_poles, low_cut, Shelf(shelf_poles, shelf_zeros, shelf, x)));
            V low;
            const V above = BothPasses(upper_poles, upper, four, x, low);
            high = AddSquare(high, HighPass(upper_poles, high_pass, above));
            hn::Store(LowPass(upper_poles, low_pass, four, low), d, below + i * kLanes + lane);
        }
        StoreState(d, shelf, state.shelf, lane), StoreState(d, low_cut, state.low_cut, lane);
        StoreState(d, upper, state.upper, lane), StoreState(d, low_pass, state.upper_low_pass, lane);
        StoreState(d, high_pass, state.upper_high_pass, lane);
        hn::Store(plain, d, sums.plain + lane), hn::Store(weighted, d, sums.weighted + lane);
        hn::Store(high, d, sums.high + lane);
    }
}

void SplitBelow(const HopFilters& filters, const float* below, std::size_t frames, std::size_t first, std::size_t step,
                HopState& state, HopSums& sums) {
    const hn::CappedTag<float, kLanes> d;
    using V = hn::Vec<decltype(d)>;
    const V four = hn::Set(d, 4.0f);
    const Poles<V> poles = PolesOf(d, filters.lower);
    for (std::size_t lane = 0; lane < kLanes; lane += hn::Lanes(d)) {
        Pair<V> lower = LoadState(d, state.lower, lane), low_pass = LoadState(d, state.lower_low_pass, lane);
        Pair<V> high_pass = LoadState(d, state.lower_high_pass, lane);
        V middle = hn::Zero(d), low = hn::Zero(d);
        for (std::size_t i = first; i < frames; i += step) {
            V under;
            const V above = BothPasses(poles, lower, four, hn::Load(d, below + i * kLanes + lane), under);
            middle = AddSquare(middle, HighPass(poles, high_pass, above));
            low = AddSquare(low, LowPass(poles, low_pass, four, under));
        }
        StoreState(d, lower, state.lower, lane), StoreState(d, low_pass, state.lower_low_pass, lane);
        StoreState(d, high_pass, state.lower_high_pass, lane);
        hn::Store(middle, d, sums.middle + lane), hn::Store(low, d, sums.low + lane);
    }
}

void FollowSpeech(const HopFilters& filters, const float* lanes, std::size_t frames, HopState& state, HopSums& sums) {
    const hn::CappedTag<float, kHalfLanes> d;
    const hn::RebindToUnsigned<decltype(d)> bits;
    using V = hn::Vec<decltype(d)>;
    const V four = hn::Set(d, 4.0f);
    const Poles<V> high_poles = PolesOf(d, filters.speech_high_pass), low_poles = PolesOf(d, filters.speech_low_pass);
    for (std::size_t lane = 0; lane < kHalfLanes; lane += hn::Lanes(d)) {
        Pair<V> high_pass = LoadState(d, state.speech_high_pass, lane);
        Pair<V> low_pass = LoadState(d, state.speech_low_pass, lane);
        V before = hn::Load(d, state.speech_before + lane);
        V sum = hn::Zero(d), difference = hn::Zero(d), speech = hn::Zero(d);
        auto crossings = hn::Zero(bits);
        for (std::size_t i = 0; i < frames; ++i) {
            const V left = hn::Load(d, lanes + i * kLanes + lane);
            const V right = hn::Load(d, lanes + i * kLanes + kHalfLanes + lane);
            const V both = hn::Add(left, right);
            sum = AddSquare(sum, both);
            difference = AddSquare(difference, hn::Sub(left, right));
            const V voice = LowPass(low_poles, low_pass, four, HighPass(high_poles, high_pass, both));
            speech = AddSquare(speech, voice);
            crossings = hn::Add(crossings, hn::ShiftRight<31>(hn::BitCast(bits, hn::Xor(voice, before))));
            before = voice;
        }
        StoreState(d, high_pass, state.speech_high_pass, lane);
        StoreState(d, low_pass, state.speech_low_pass, lane);
        hn::Store(before, d, state.speech_before + lane);
        hn::Store(sum, d, sums.sum + lane), hn::Store(difference, d, sums.difference + lane);
        hn::Store(speech, d, sums.speech + lane);
        const hn::RebindToSigned<decltype(d)> counts;
        hn::Store(hn::ConvertTo(d, hn::BitCast(counts, crossings)), d, sums.crossings + lane);
    }
}

}  // namespace
}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lacquer::dsp {
HWY_EXPORT(WeighAndSplit);
HWY_EXPORT(SplitBelow);
HWY_EXPORT(FollowSpeech);

void weigh_and_split(const HopFilters& filters, const float* lanes, std::size_t frames, HopState& state, float* below,
                     HopSums& sums) {
    HWY_DYNAMIC_DISPATCH(WeighAndSplit)(filters, lanes, frames, state, below, sums);
}
void split_below(const HopFilters& filters, const float* below, std::size_t frames, std::size_t first, std::size_t step,
                 HopState& state, HopSums& sums) {
    HWY_DYNAMIC_DISPATCH(SplitBelow)(filters, below, frames, first, step, state, sums);
}
void follow_speech(const HopFilters& filters, const float* lanes, std::size_t frames, HopState& state, HopSums& sums) {
    HWY_DYNAMIC_DISPATCH(FollowSpeech)(filters, lanes, frames, state, sums);
}

}  // namespace lacquer::dsp
#endif
