#include "dsp/spectrum_kernels.h"

#include <cmath>
#include <numbers>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/spectrum_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef LACQUER_SPECTRUM_KERNELS
#define LACQUER_SPECTRUM_KERNELS
namespace lacquer::dsp {

constexpr std::size_t kHalvingOutputs = 576;

struct Twiddles {  // of one butterfly: the first, second and third power
    float real[3];
    float imaginary[3];
};
struct FourierTables {
    Twiddles whole[kFourierSize / 4];
    Twiddles quarter[kFourierSize / 16];
    Twiddles sixteenth[kFourierSize / 64];
};
}  // namespace lacquer::dsp
#endif

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

template <typename V>
struct Complex {
    V r, i;
};
template <typename V>
HWY_INLINE Complex<V> Plus(Complex<V> a, Complex<V> b) {
    return {hn::Add(a.r, b.r), hn::Add(a.i, b.i)};
}
template <typename V>
HWY_INLINE Complex<V> Minus(Complex<V> a, Complex<V> b) {
    return {hn::Sub(a.r, b.r), hn::Sub(a.i, b.i)};
}

template <typename V>
struct Quad {
    Complex<V> a, b, c, e;
};
// A transform of four.
template <typename V>
HWY_INLINE Quad<V> Butterfly(const Quad<V>& x) {
    const Complex<V> even = Plus(x.a, x.c), odd = Plus(x.b, x.e);
    const Complex<V> across = Minus(x.a, x.c), turned = Minus(x.b, x.e);
    return {Plus(even, odd),
            {hn::Add(across.r, turned.i), hn::Sub(across.i, turned.r)},
            Minus(even, odd),
            {hn::Sub(across.r, turned.i), hn::Add(across.i, turned.r)}};
}

template <typename D>
HWY_INLINE Quad<hn::Vec<D>> LoadQuad(D d, const float* real, const float* imaginary, std::size_t apart) {
    return {{hn::Load(d, real), hn::Load(d, imaginary)},
            {hn::Load(d, real + apart), hn::Load(d, imaginary + apart)},
            {hn::Load(d, real + 2 * apart), hn::Load(d, imaginary + 2 * apart)},
            {hn::Load(d, real + 3 * apart), hn::Load(d, imaginary + 3 * apart)}};
}

template <typename D>
HWY_INLINE void StoreTurned(D d, Complex<hn::Vec<D>> x, Complex<hn::Vec<D>> turn, float* real, float* imaginary) {
    hn::Store(hn::Sub(hn::Mul(x.r, turn.r), hn::Mul(x.i, turn.i)), d, real);
    hn::Store(hn::Add(hn::Mul(x.r, turn.i), hn::Mul(x.i, turn.r)), d, imaginary);
}

// One pass: transforms of `size` become four of a quarter of it.
template <typename D>
HWY_INLINE void Pass(D d, const Twiddles* twiddles, std::size_t size, float* real, float* imaginary) {
    using V = hn::Vec<D>;
    const std::size_t apart = size / 4 * kLanes;
    for (std::size_t j = 0; j < size / 4; ++j) {
        const Twiddles& t = twiddles[j];
        const Complex<V> first{hn::Set(d, t.real[0]), hn::Set(d, t.imaginary[0])};
        const Complex<V> second{hn::Set(d, t.real[1]), hn::Set(d, t.imaginary[1])};
        const Complex<V> third{hn::Set(d, t.real[2]), hn::Set(d, t.imaginary[2])};
        for (std::size_t at = j * kLanes; at < kFourierSize * kLanes; at += size * kLanes) {
            float* r = real + at;
            float* i = imaginary + at;
            const Quad<V> y = Butterfly(LoadQuad(d, r, i, apart));
            hn::Store(y.a.r, d, r);
            hn::Store(y.a.i, d, i);
            StoreTurned(d, y.b, first, r + apart, i + apart);
            StoreTurned(d, y.c, second, r + 2 * apart, i + 2 * apart);
            StoreTurned(d, y.e, third, r + 3 * apart, i + 3 * apart);
        }
    }
}

template <typename D>
HWY_INLINE void AddPower(D d, Complex<hn::Vec<D>> x, float* power) {
    const auto square = hn::Add(hn::Mul(x.r, x.r), hn::Mul(x.i, x.i));
    hn::Store(hn::Add(hn::Load(d, power), square), d, power);
}

void AddPowerSpectrum(const FourierTables& tables, float* real, float* imaginary, float* power) {
    const hn::CappedTag<float, kLanes> d;
    for (std::size_t lane = 0; lane < kLanes; lane += hn::Lanes(d)) {
        float* r = real + lane;
        float* i = imaginary + lane;
        Pass(d, tables.whole, kFourierSize, r, i);
        Pass(d, tables.quarter, kFourierSize / 4, r, i);
        Pass(d, tables.sixteenth, kFourierSize / 16, r, i);
        for (std::size_t at = 0; at < kFourierSize * kLanes; at += 4 * kLanes) {
            const auto y = Butterfly(LoadQuad(d, r + at, i + at, kLanes));
            float* sums = power + lane + at;
            AddPower(d, y.a, sums);
            AddPower(d, y.b, sums + kLanes);
            AddPower(d, y.c, sums + 2 * kLanes);
            AddPower(d, y.e, sums + 3 * kLanes);
        }
    }
}

// (1 + z^-1)^3 and ^5 / 256 from the even and the odd frames, which begin kReach before the first output.
struct Cubed {
    static constexpr std::size_t kReach = 1;
    template <typename D>
    static HWY_INLINE hn::Vec<D> At(D d, const float* even, const float* odd) {
        const auto outer = hn::Add(hn::LoadU(d, even), hn::LoadU(d, odd + 1));
        const auto inner = hn::Add(hn::LoadU(d, odd), hn::LoadU(d, even + 1));
        return hn::Add(outer, hn::Mul(hn::Set(d, 3.0f), inner));
    }
};
struct FifthPower {
    static constexpr std::size_t kReach = 2;
    template <typename D>
    static HWY_INLINE hn::Vec<D> At(D d, const float* even, const float* odd) {
        const auto outer = hn::Add(hn::LoadU(d, even), hn::LoadU(d, odd + 2));
        const auto inner = hn::Add(hn::LoadU(d, odd), hn::LoadU(d, even + 2));
        const auto middle = hn::Add(hn::LoadU(d, even + 1), hn::LoadU(d, odd + 1));
        const auto sum = hn::Add(hn::Add(outer, hn::Mul(hn::Set(d, 5.0f), inner)), hn::Mul(hn::Set(d, 10.0f), middle));
        return hn::Mul(sum, hn::Set(d, 1.0f / 256.0f));
    }
};

// y[i] from x[2 (i - kReach)] ... x[2 i + 1], for a multiple of kLanes outputs.
template <typename Response>
HWY_INLINE void Halve(const float* x, std::size_t outputs, float* y) {
    alignas(64) float even[kHalvingOutputs + kLanes];
    alignas(64) float odd[kHalvingOutputs + kLanes];
    const hn::CappedTag<float, kLanes> d;
    const float* from = x - 2 * Response::kReach;
    for (std::size_t at = 0; at < outputs + kLanes; at += hn::Lanes(d)) {
#if HWY_TARGET == HWY_SCALAR
        even[at] = from[2 * at], odd[at] = from[2 * at + 1];
#else
        const auto low = hn::LoadU(d, from + 2 * at);
        const auto high = hn::LoadU(d, from + 2 * at + hn::Lanes(d));
        hn::Store(hn::ConcatEven(d, high, low), d, even + at);
        hn::Store(hn::ConcatOdd(d, high, low), d, odd + at);
#endif
    }
    for (std::size_t at = 0; at < outputs; at += hn::Lanes(d))
        hn::Store(Response::At(d, even + at, odd + at), d, y + at);
}

void Decimate(const float* x, std::size_t outputs, float* y) {
    constexpr std::size_t kBatch = kHalvingOutputs / 2 - 2 * kLanes;
    alignas(64) float half[kHalvingOutputs];
    for (std::size_t at = 0; at < outputs; at += kBatch) {
        const std::size_t left = outputs - at < kBatch ? outputs - at : kBatch;
        const std::size_t count = (left + kLanes - 1) / kLanes * kLanes;
        Halve<Cubed>(x + at * kDecimation - 8, 2 * count + 3 * kLanes, half);
        Halve<FifthPower>(half + 4, count, y + at);
    }
}

}  // namespace
}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lacquer::dsp {
HWY_EXPORT(AddPowerSpectrum);
HWY_EXPORT(Decimate);

namespace {

template <std::size_t Count>
void fill(Twiddles (&twiddles)[Count]) {
    for (std::size_t j = 0; j < Count; ++j) {
        for (std::size_t power = 1; power <= 3; ++power) {
            const double turns = static_cast<double>(j * power) / static_cast<double>(4 * Count);
            twiddles[j].real[power - 1] = static_cast<float>(std::cos(2.0 * std::numbers::pi * turns));
            twiddles[j].imaginary[power - 1] = static_cast<float>(-std::sin(2.0 * std::numbers::pi * turns));
        }
    }
}

FourierTables make_fourier_tables() {
    FourierTables tables;
    fill(tables.whole);
    fill(tables.quarter);
    fill(tables.sixteenth);
    return tables;
}

}  // namespace

void add_power_spectrum(float* real, float* imaginary, float* power) {
    static const FourierTables tables = make_fourier_tables();
    HWY_DYNAMIC_DISPATCH(AddPowerSpectrum)(tables, real, imaginary, power);
}

std::size_t fourier_position(std::size_t bin) {
    std::size_t position = 0;
    for (std::size_t weight = kFourierSize / 4; weight > 0; weight /= 4, bin /= 4) position += bin % 4 * weight;
    return position;
}

void decimate(const float* x, std::size_t outputs, float* y) {
    HWY_DYNAMIC_DISPATCH(Decimate)(x, outputs, y);
}

double decimator_power(double frequency) {
    const double angle = std::numbers::pi * frequency;
    return std::pow(std::cos(angle), 6.0) * std::pow(std::cos(2.0 * angle), 10.0);
}

}  // namespace lacquer::dsp
#endif
