#include "dsp/saturation.h"

#include <cmath>
#include <stdexcept>

#include "dsp/fir.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/saturation.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef LACQUER_DSP_CUBIC
#define LACQUER_DSP_CUBIC
namespace lacquer::dsp {

inline constexpr std::size_t kHalfBandTaps = 64;

struct Cubic {
    const float* taps;
    float amount;
    float limit;
};

}  // namespace lacquer::dsp
#endif

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using FloatsV = hn::Vec<Floats>;

constexpr std::size_t kMiddle = kHalfBandTaps / 2;

// Two sums of half the taps, so that one need not wait for the other. `x` is interleaved stereo.
HWY_INLINE FloatsV HalfBand(const float* HWY_RESTRICT taps, const float* HWY_RESTRICT x) {
    const Floats d;
    FloatsV even = hn::Zero(d);
    FloatsV odd = hn::Zero(d);
    const float* const oldest = x - 2 * (kHalfBandTaps - 1);
    for (std::size_t j = 0; j < kMiddle; j += 2) {
        const FloatsV outer = hn::Add(hn::LoadU(d, x - 2 * j), hn::LoadU(d, oldest + 2 * j));
        const FloatsV inner = hn::Add(hn::LoadU(d, x - 2 * j - 2), hn::LoadU(d, oldest + 2 * j + 2));
        even = hn::Add(even, hn::Mul(hn::Set(d, taps[j]), outer));
        odd = hn::Add(odd, hn::Mul(hn::Set(d, taps[j + 1]), inner));
    }
    return hn::Add(even, odd);
}

HWY_INLINE FloatsV TakenAway(const Cubic& cubic, FloatsV x) {
    const Floats d;
    const FloatsV inside = hn::Min(hn::Max(x, hn::Set(d, -cubic.limit)), hn::Set(d, cubic.limit));
    const FloatsV cube = hn::Mul(hn::Mul(inside, inside), inside);
    return hn::Add(hn::Sub(x, inside), hn::Mul(hn::Set(d, cubic.amount), cube));
}

void Bend(const Cubic& cubic, const float* HWY_RESTRICT input, std::size_t samples, float* HWY_RESTRICT between,
          float* HWY_RESTRICT at) {
    const Floats d;
    for (std::size_t i = 0; i < samples; i += hn::Lanes(d)) {
        hn::Store(TakenAway(cubic, HalfBand(cubic.taps, input + i)), d, between + i);
        hn::Store(TakenAway(cubic, hn::LoadU(d, input + i - 2 * (kMiddle - 1))), d, at + i);
    }
}

void TakeAway(const Cubic& cubic, const float* HWY_RESTRICT between, const float* HWY_RESTRICT at,
              const float* HWY_RESTRICT input, std::size_t samples, float* HWY_RESTRICT out) {
    const Floats d;
    for (std::size_t i = 0; i < samples; i += hn::Lanes(d)) {
        const FloatsV both = hn::Add(HalfBand(cubic.taps, between + i), hn::LoadU(d, at + i - 2 * kMiddle));
        const FloatsV delayed = hn::LoadU(d, input + i - 2 * (kHalfBandTaps - 1));
        hn::Store(hn::Sub(delayed, hn::Mul(hn::Set(d, 0.5f), both)), d, out + i);
    }
}

}  // namespace
}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lacquer::dsp {
namespace {

HWY_EXPORT(Bend);
HWY_EXPORT(TakeAway);

constexpr double kBeta = 9.0;  // stop band below -90 dB

}  // namespace

Saturation::Saturation(const SaturationSettings& settings)
    : amount_(static_cast<float>(settings.amount)), limit_(static_cast<float>(1.0 / std::sqrt(3.0 * settings.amount))) {
    static_assert(kHalfTaps == kHalfBandTaps);
    if (!(settings.amount > 0.0 && settings.amount <= 1.0)) throw std::invalid_argument("saturation.amount");
    const auto taps = half_band_taps(kHalfTaps, kBeta);
    for (std::size_t j = 0; j < taps_.size(); ++j) taps_[j] = static_cast<float>(taps[j]);
}

void Saturation::reset() LACQUER_REALTIME {
    for (StereoHistory* line : {&input_, &between_, &at_}) line->reset();
}

void Saturation::process(StereoBlock block) LACQUER_REALTIME {
    const Cubic cubic{taps_.data(), amount_, limit_};
    const std::size_t samples = 2 * block.frame_count;
    const float* const input = input_.block();
    input_.take(block);
    HWY_DYNAMIC_DISPATCH(Bend)(cubic, input, samples, between_.block(), at_.block());
    HWY_DYNAMIC_DISPATCH(TakeAway)(cubic, between_.block(), at_.block(), input, samples, block.samples);
    for (StereoHistory* line : {&input_, &between_, &at_}) line->advance(block.frame_count);
}

}  // namespace lacquer::dsp
#endif
