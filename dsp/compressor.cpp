#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dsp/compressor.cpp"
#include <hwy/foreach_target.h>
// After foreach_target.h, which includes this file once per instruction set.
#include "dsp/compressor.h"
#include "dsp/log_exp-inl.h"
#include "dsp/quad-inl.h"

HWY_BEFORE_NAMESPACE();
namespace lacquer::dsp::HWY_NAMESPACE {
namespace {

constexpr std::size_t kGroupSamples = 2 * kGroupFrames;
constexpr std::size_t kMaxGroups = kWorkFrames / kGroupFrames;

// One float per group and band.
using Line = std::array<float, kMaxGroups * Compressor::kLanes>;

#if HWY_TARGET == HWY_SCALAR

// The squares of a group, added up by halves: 16 apart, 8 apart, ... neighbours.
HWY_INLINE float power_of(const float* x) {
    float sum[16];
    for (std::size_t i = 0; i < 16; ++i) sum[i] = x[i] * x[i] + x[i + 16] * x[i + 16];
    for (std::size_t apart = 8; apart > 0; apart /= 2) {
        for (std::size_t i = 0; i < apart; ++i) sum[i] = sum[i] + sum[i + apart];
    }
    return sum[0];
}

HWY_INLINE void store_powers(const float* low, const float* middle, const float* high, float* to) {
    to[0] = power_of(low);
    to[1] = power_of(middle);
    to[2] = power_of(high);
    to[3] = 0.0f;
}

#else

using Four = hn::FixedTag<float, 4>;

template <std::size_t Lanes>
HWY_INLINE hn::Vec<Four> folded(hn::Vec<hn::FixedTag<float, Lanes> > v) {
    if constexpr (Lanes == 4) {
        return v;
    } else {
        constexpr hn::FixedTag<float, Lanes / 2> half;
        return folded<Lanes / 2>(hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
    }
}

// The squares of a group, added up by halves: 16 apart, 8 apart, 4 apart.
HWY_INLINE hn::Vec<Four> power_of(const float* x) {
    using D = hn::CappedTag<float, 16>;
    constexpr D d;
    constexpr std::size_t kStep = HWY_MAX_BYTES < 64 ? HWY_MAX_BYTES / 4 : 16;
    hn::Vec<D> sum[16 / kStep];
    for (std::size_t i = 0; i < 16 / kStep; ++i) {
        const auto a = hn::LoadU(d, x + i * kStep);
        const auto b = hn::LoadU(d, x + i * kStep + 16);
        sum[i] = hn::Add(hn::Mul(a, a), hn::Mul(b, b));
    }
    for (std::size_t apart = 16 / kStep / 2; apart > 0; apart /= 2) {
        for (std::size_t i = 0; i < apart; ++i) sum[i] = hn::Add(sum[i], sum[i + apart]);
    }
    return folded<kStep>(sum[0]);
}

// The last two additions of the three bands at once.
HWY_INLINE void store_powers(const float* low, const float* middle, const float* high, float* to) {
    constexpr Four d;
    const auto a = power_of(low);
    const auto b = power_of(middle);
    const auto c = power_of(high);
    const auto z = hn::Zero(d);
    const auto outer = hn::Add(hn::InterleaveLower(d, a, c), hn::InterleaveUpper(d, a, c));
    const auto inner = hn::Add(hn::InterleaveLower(d, b, z), hn::InterleaveUpper(d, b, z));
    hn::StoreU(hn::Add(hn::InterleaveLower(d, outer, inner), hn::InterleaveUpper(d, outer, inner)), d, to);
}

#endif

HWY_INLINE Quad smoothed(const Compressor::Smoothing& by, Quad y, Quad x) {
    return add(mul(y, load_quad(by.keep.data())), mul(x, load_quad(by.step.data())));
}

HWY_INLINE void average_power(Compressor::Dynamics& dynamics, Line& line, std::size_t groups) {
    Quad power = load_quad(dynamics.power.data());
    for (std::size_t g = 0; g < groups; ++g) {
        power = smoothed(dynamics.detector, power, load_quad(line.data() + 4 * g));
        store_quad(power, line.data() + 4 * g);
    }
    store_quad(power, dynamics.power.data());
}

HWY_INLINE void smooth_reduction(Compressor::Dynamics& dynamics, Line& line, std::size_t groups) {
    Quad reduction_db = load_quad(dynamics.reduction_db.data());
    for (std::size_t g = 0; g < groups; ++g) {
        const Quad wanted_db = load_quad(line.data() + 4 * g);
        reduction_db = larger(smoothed(dynamics.attack, reduction_db, wanted_db),
                              smoothed(dynamics.release, reduction_db, wanted_db));
        store_quad(reduction_db, line.data() + 4 * g);
    }
    store_quad(reduction_db, dynamics.reduction_db.data());
}

// Power to the reduction in dB that it asks for.
HWY_INLINE void find_reduction(const Compressor::Curves& curves, Line& line, std::size_t groups) {
    constexpr hn::CappedTag<float, 16> d;
    constexpr float kPowerFloor = 1e-20f;  // -200 dB: keeps the logarithm's argument positive and normal
    constexpr float kDbPerOctave = 3.0102999566398119521f;
    for (std::size_t i = 0; i < 4 * groups; i += hn::Lanes(d)) {
        const std::size_t band = i % 16;
        const auto power = hn::Max(hn::LoadU(d, line.data() + i), hn::Set(d, kPowerFloor));
        const auto level_db = hn::Mul(hn::Set(d, kDbPerOctave), log2_of(d, power));
        const auto above = hn::Sub(level_db, hn::LoadU(d, curves.start_db.data() + band));
        const auto over = hn::Max(above, hn::Zero(d));
        const auto inside = hn::Min(over, hn::LoadU(d, curves.width_db.data() + band));
        const auto bent = hn::Mul(hn::Mul(hn::LoadU(d, curves.curvature.data() + band), inside), inside);
        const auto straight = hn::Mul(hn::LoadU(d, curves.slope.data() + band), hn::Sub(over, inside));
        hn::StoreU(hn::Add(bent, straight), d, line.data() + i);
    }
}

HWY_INLINE void reduction_to_gain(Line& line, std::size_t groups) {
    constexpr hn::CappedTag<float, 16> d;
    const auto octaves_per_db = hn::Set(d, -0.16609640474436811739f);
    for (std::size_t i = 0; i < 4 * groups; i += hn::Lanes(d)) {
        const auto reduction_db = hn::LoadU(d, line.data() + i);
        hn::StoreU(exp2_of(d, hn::Mul(octaves_per_db, reduction_db)), d, line.data() + i);
    }
}

// The share of the way to a group's gain, for both channels of each frame.
struct Ramp {
    alignas(64) float share[kGroupSamples];
    constexpr Ramp() : share() {
        for (std::size_t i = 0; i < kGroupSamples; ++i) share[i] = static_cast<float>(i / 2 + 1) / kGroupFrames;
    }
};

HWY_INLINE void apply_gains(const float* low, const float* middle, const float* high, const float* from,
                            const float* to, float* out) {
    static constexpr Ramp ramp;
    constexpr hn::CappedTag<float, 16> d;
    const auto on_the_way = [&](std::size_t band, std::size_t i) HWY_ATTR {
        const auto way = hn::Set(d, to[band] - from[band]);
        return hn::Add(hn::Set(d, from[band]), hn::Mul(way, hn::Load(d, ramp.share + i)));
    };
    for (std::size_t i = 0; i < kGroupSamples; i += hn::Lanes(d)) {
        const auto a = hn::Mul(hn::LoadU(d, low + i), on_the_way(0, i));
        const auto b = hn::Mul(hn::LoadU(d, middle + i), on_the_way(1, i));
        const auto c = hn::Mul(hn::LoadU(d, high + i), on_the_way(2, i));
        hn::StoreU(hn::Add(hn::Add(a, b), c), d, out + i);
    }
}

void Compress(Compressor::Dynamics& dynamics, const float* low, const float* middle, const float* high,
              const StereoBlock& out) {
    const std::size_t groups = out.frame_count / kGroupFrames;
    alignas(64) Line line;
    for (std::size_t g = 0; g < groups; ++g) {
        const std::size_t at = g * kGroupSamples;
        store_powers(low + at, middle + at, high + at, line.data() + 4 * g);
    }
    // Vectors wider than one group's four lanes look at what lies behind the last group.
    for (std::size_t i = 4 * groups; i < line.size(); ++i) line[i] = 0.0f;
    average_power(dynamics, line, groups);
    find_reduction(dynamics.curves, line, groups);
    smooth_reduction(dynamics, line, groups);
    reduction_to_gain(line, groups);
    const float* from = dynamics.gain.data();
    for (std::size_t g = 0; g < groups; ++g) {
        const std::size_t at = g * kGroupSamples;
        apply_gains(low + at, middle + at, high + at, from, line.data() + 4 * g, out.samples + at);
        from = line.data() + 4 * g;
    }
    for (std::size_t b = 0; b < Compressor::kLanes; ++b) dynamics.gain[b] = line[4 * (groups - 1) + b];
}

void AddBands(const float* low, const float* middle, const float* high, const StereoBlock& out) {
    constexpr hn::CappedTag<float, 16> d;
    for (std::size_t i = 0; i < 2 * out.frame_count; i += hn::Lanes(d)) {
        const auto lower = hn::Add(hn::LoadU(d, low + i), hn::LoadU(d, middle + i));
        hn::StoreU(hn::Add(lower, hn::LoadU(d, high + i)), d, out.samples + i);
    }
}

}  // namespace
}  // namespace lacquer::dsp::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <stdexcept>

namespace lacquer::dsp {
namespace {

HWY_EXPORT(Compress);
HWY_EXPORT(AddBands);

void check(const CompressorBandSettings& band) {
    if (!(band.knee_db >= 0.1 && band.knee_db <= 24.0)) throw std::invalid_argument("compressor.knee_db");
    if (!(band.slope >= 0.0 && band.slope <= 1.0)) throw std::invalid_argument("compressor.slope");
    if (!(band.detector > 0.0 && band.detector <= 1.0)) throw std::invalid_argument("compressor.detector");
    if (!(band.attack > 0.0 && band.attack <= 1.0)) throw std::invalid_argument("compressor.attack");
    if (!(band.release > 0.0 && band.release <= band.attack)) throw std::invalid_argument("compressor.release");
}

// What a step per frame amounts to over a group: the rest to the 16th power.
void set_smoothing(Compressor::Smoothing& smoothing, std::size_t band, double step, double scale) {
    static_assert(kGroupFrames == 16);
    double keep = 1.0 - step;
    for (int doubling = 0; doubling < 4; ++doubling) keep *= keep;
    smoothing.keep[band] = keep;
    smoothing.step[band] = (1.0 - keep) * scale;
}

}  // namespace

double static_reduction_db(const CompressorBandSettings& band, double level_db) noexcept {
    const double over = std::max(level_db - (band.threshold_db - band.knee_db / 2.0), 0.0);
    const double inside = std::min(over, band.knee_db);
    return band.slope / (2.0 * band.knee_db) * inside * inside + band.slope * (over - inside);
}

Compressor::Compressor(const CompressorSettings& settings)
    : crossover_(settings.borders),
      idle_(std::all_of(settings.bands.begin(), settings.bands.end(), [](const auto& b) { return b.slope == 0.0; })) {
    constexpr double kSamplesPerGroup = 2.0 * kGroupFrames;
    dynamics_.curves.width_db.fill(1.0f);
    for (std::size_t b = 0; b < kDynamicsBands; ++b) {
        const CompressorBandSettings& band = settings.bands[b];
        check(band);
        set_smoothing(dynamics_.detector, b, band.detector, 1.0 / kSamplesPerGroup);
        set_smoothing(dynamics_.attack, b, band.attack, 1.0);
        set_smoothing(dynamics_.release, b, band.release, 1.0);
        for (std::size_t lane = b; lane < dynamics_.curves.slope.size(); lane += kLanes) {
            dynamics_.curves.start_db[lane] = static_cast<float>(band.threshold_db - band.knee_db / 2.0);
            dynamics_.curves.width_db[lane] = static_cast<float>(band.knee_db);
            dynamics_.curves.slope[lane] = static_cast<float>(band.slope);
            dynamics_.curves.curvature[lane] = static_cast<float>(band.slope / (2.0 * band.knee_db));
        }
    }
    dynamics_.gain.fill(1.0f);
}

void Compressor::reset() LACQUER_REALTIME {
    crossover_.reset();
    dynamics_.power.fill(0.0);
    dynamics_.reduction_db.fill(0.0);
    dynamics_.gain.fill(1.0f);
}

void Compressor::process(WideBlock in, StereoBlock out) LACQUER_REALTIME {
    BandBlocks parts;
    for (std::size_t b = 0; b < kDynamicsBands; ++b) parts[b] = {bands_[b].data(), in.frame_count};
    crossover_.split(in, parts);
    if (idle_) {
        HWY_DYNAMIC_DISPATCH(AddBands)(bands_[0].data(), bands_[1].data(), bands_[2].data(), out);
    } else {
        HWY_DYNAMIC_DISPATCH(Compress)(dynamics_, bands_[0].data(), bands_[1].data(), bands_[2].data(), out);
    }
}

}  // namespace lacquer::dsp
#endif
