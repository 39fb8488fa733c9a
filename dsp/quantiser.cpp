#include "dsp/quantiser.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "dsp/dither.h"
#include "dsp/interleave.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/quantiser.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef LACQUER_DSP_QUANTISER_JOB
#define LACQUER_DSP_QUANTISER_JOB
namespace lacquer::dsp {

struct QuantiserJob {
    const float* samples;  // 64-byte aligned, `count` rounded up to a multiple of 16
    std::size_t count;
    bool dither;
    std::uint32_t counter;  // of the dither of the first sample
    std::uint32_t step;     // from sample to sample
};

}  // namespace lacquer::dsp
#endif

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;
using FloatsV = hn::Vec<Floats>;
using Words = hn::Rebind<std::uint32_t, Floats>;
using WordsV = hn::Vec<Words>;
using Integers = hn::Rebind<std::int32_t, Floats>;
using IntegersV = hn::Vec<Integers>;

// triangular_dither() of dsp/dither.h.
HWY_INLINE FloatsV Dither(WordsV counter) {
    const Words w;
    const Integers n;
    WordsV z = hn::Mul(hn::Xor(counter, hn::ShiftRight<16>(counter)), hn::Set(w, 0x7FEB'352Du));
    z = hn::Mul(hn::Xor(z, hn::ShiftRight<15>(z)), hn::Set(w, 0x846C'A68Bu));
    z = hn::Xor(z, hn::ShiftRight<16>(z));
    const WordsV difference = hn::Sub(hn::ShiftRight<16>(z), hn::And(z, hn::Set(w, 0xFFFFu)));
    return hn::Mul(hn::ConvertTo(Floats(), hn::BitCast(n, difference)), hn::Set(Floats(), 0x1p-16f));
}

// Rounds by an addition, so that every instruction set takes ties to even. The dither is added to what the rounding
// left over: next to the whole value a float would not hold it.
template <bool kDither>
HWY_INLINE IntegersV Quantise(FloatsV samples, WordsV counter, float full_scale) {
    const Floats d;
    const FloatsV most = hn::Set(d, full_scale);
    const FloatsV least = hn::Neg(most);
    const FloatsV steps = hn::Mul(samples, most);
    const FloatsV inside = hn::Min(hn::Max(hn::IfThenElseZero(hn::Eq(steps, steps), steps), least), most);
    const FloatsV round = hn::Set(d, 8388608.0f);  // 2^23
    FloatsV whole = hn::CopySign(hn::Sub(hn::Add(hn::Abs(inside), round), round), inside);
    if (kDither) {
        const FloatsV signed_round = hn::Set(d, 12582912.0f);  // 1.5 x 2^23
        const FloatsV rest = hn::Add(hn::Sub(inside, whole), Dither(counter));
        whole = hn::Add(whole, hn::Sub(hn::Add(rest, signed_round), signed_round));
    }
    whole = hn::Max(hn::Min(whole, hn::Sub(most, hn::Set(d, 1.0f))), least);
    return hn::ConvertTo(Integers(), whole);
}

template <bool kDither, class Store>
HWY_INLINE void Run(const QuantiserJob& job, float full_scale, Store store) {
    const Floats d;
    const Words w;
    const WordsV lanes = hn::Mul(hn::Iota(w, 0), hn::Set(w, job.step));
    auto counter = job.counter;
    for (std::size_t i = 0; i < job.count; i += hn::Lanes(d)) {
        store(Quantise<kDither>(hn::Load(d, job.samples + i), hn::Add(hn::Set(w, counter), lanes), full_scale), i);
        counter += static_cast<std::uint32_t>(hn::Lanes(d)) * job.step;
    }
}

struct StoreShort {
    std::int16_t* to;
    HWY_INLINE void operator()(IntegersV values, std::size_t at) const {
        const hn::Rebind<std::int16_t, Integers> shorts;
        hn::StoreU(hn::DemoteTo(shorts, values), shorts, to + at);
    }
};

struct StoreLong {
    std::int32_t* to;
    HWY_INLINE void operator()(IntegersV values, std::size_t at) const { hn::StoreU(values, Integers(), to + at); }
};

void ToShorts(const QuantiserJob& job, std::int16_t* HWY_RESTRICT out) {
    job.dither ? Run<true>(job, 32768.0f, StoreShort{out}) : Run<false>(job, 32768.0f, StoreShort{out});
}

void ToLongs(const QuantiserJob& job, std::int32_t* HWY_RESTRICT out) {
    job.dither ? Run<true>(job, 8388608.0f, StoreLong{out}) : Run<false>(job, 8388608.0f, StoreLong{out});
}

}  // namespace
}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lacquer::dsp {
namespace {

HWY_EXPORT(ToShorts);
HWY_EXPORT(ToLongs);

constexpr std::size_t kPiece = 512;  // samples
constexpr std::size_t kWidest = 16;  // lanes

struct Piece {
    alignas(64) float samples[kPiece];
    std::size_t count = 0;
};

void store_shorts(const QuantiserJob& job, std::byte* out) LACQUER_REALTIME {
    alignas(64) std::int16_t values[kPiece];
    HWY_DYNAMIC_DISPATCH(ToShorts)(job, values);
    std::memcpy(out, values, job.count * 2);
}

void store_three_bytes(const QuantiserJob& job, std::byte* out) LACQUER_REALTIME {
    alignas(64) std::int32_t values[kPiece];
    HWY_DYNAMIC_DISPATCH(ToLongs)(job, values);
    for (std::size_t i = 0; i + 1 < job.count; ++i) std::memcpy(out + 3 * i, values + i, 4);  // the next one covers it
    std::memcpy(out + 3 * (job.count - 1), values + job.count - 1, 3);
}

// Frames to the next number above which dither_counter() starts anew.
std::size_t frames_of_span(std::int64_t frame) LACQUER_REALTIME {
    constexpr std::uint64_t kSpan = std::uint64_t{1} << kDitherSpanBits;
    const std::uint64_t left = kSpan - (static_cast<std::uint64_t>(frame) & (kSpan - 1));
    return static_cast<std::size_t>(std::min<std::uint64_t>(left, kPiece));
}

// `fill(first, frames, to)` lays out the next frames interleaved.
template <typename Fill>
void quantise_frames(std::size_t frame_count, std::size_t channels, std::int64_t first_frame, SampleFormat format,
                     bool dither, std::byte* out, Fill fill) LACQUER_REALTIME {
    Piece piece;
    for (std::size_t done = 0; done < frame_count;) {
        const std::int64_t frame = first_frame + static_cast<std::int64_t>(done);
        const std::size_t frames = std::min({kPiece / channels, frame_count - done, frames_of_span(frame)});
        piece.count = frames * channels;
        fill(done, frames, piece.samples);
        std::fill_n(piece.samples + piece.count, (kPiece - piece.count) % kWidest, 0.0f);
        const QuantiserJob job{piece.samples, piece.count, dither, dither_counter(frame, 0), channels == 2 ? 1u : 2u};
        std::byte* const to = out + done * channels * bytes_per_sample(format);
        format == SampleFormat::s16 ? store_shorts(job, to) : store_three_bytes(job, to);
        done += frames;
    }
}

void copy_floats(const ConstAudioBlock& block, std::byte* out) LACQUER_REALTIME {
    if (block.channel_count == 1) {
        std::memcpy(out, block.channels[0], block.frame_count * sizeof(float));
        return;
    }
    alignas(64) float samples[kPiece];
    for (std::size_t done = 0; done < block.frame_count; done += kPiece / 2) {
        const std::size_t frames = std::min(kPiece / 2, block.frame_count - done);
        interleave(block.channels[0] + done, block.channels[1] + done, frames, samples);
        std::memcpy(out + done * 2 * sizeof(float), samples, frames * 2 * sizeof(float));
    }
}

}  // namespace

void quantise(ConstAudioBlock block, std::int64_t first_frame, SampleFormat format, bool dither,
              std::span<std::byte> out) LACQUER_REALTIME {
    assert(out.size() == block.frame_count * block.channel_count * bytes_per_sample(format));
    if (out.empty()) return;
    if (format == SampleFormat::f32) return copy_floats(block, out.data());
    quantise_frames(block.frame_count, block.channel_count, first_frame, format, dither, out.data(),
                    [&](std::size_t first, std::size_t frames, float* to) {
                        if (block.channel_count == 2) {
                            interleave(block.channels[0] + first, block.channels[1] + first, frames, to);
                        } else {
                            std::copy_n(block.channels[0] + first, frames, to);
                        }
                    });
}

}  // namespace lacquer::dsp
#endif
