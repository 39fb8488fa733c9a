#include "tests/support/measures.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <numbers>
#include <stdexcept>
#include <vector>

#include <ebur128.h>

#include "tests/support/signals.h"

namespace lacquer::test {
namespace {

constexpr double kTwoPi = 2.0 * std::numbers::pi;
constexpr double kNothingDb = -200.0;

double amplitude_db(double amplitude) {
    return amplitude > 1e-10 ? 20.0 * std::log10(amplitude) : kNothingDb;
}
// What is not a number counts as infinite: a maximum would otherwise pass over it.
double magnitude(double x) {
    return std::isnan(x) ? std::numeric_limits<double>::infinity() : std::abs(x);
}

double power_db(double power) {
    return power > 1e-20 ? 10.0 * std::log10(power) : kNothingDb;
}

constexpr std::size_t kPhases = 16;
constexpr std::size_t kTaps = 128;
using PhaseRow = std::array<double, kPhases>;

// Row t weighs the sample t of a window of kTaps; phase p is the point p/16 after sample kTaps/2 - 1.
std::array<PhaseRow, kTaps> interpolator() {
    constexpr double kBeta = 9.0;
    std::array<PhaseRow, kTaps> rows;
    for (std::size_t p = 0; p < kPhases; ++p) {
        double sum = 0.0;
        for (std::size_t t = 0; t < kTaps; ++t) {
            const double x =
                static_cast<double>(kTaps / 2 - 1) + static_cast<double>(p) / kPhases - static_cast<double>(t);
            const double u = x / (kTaps / 2);
            const double window = std::abs(u) < 1.0 ? std::cyl_bessel_i(0.0, kBeta * std::sqrt(1.0 - u * u)) : 0.0;
            const double sinc = x == 0.0 ? 1.0 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
            rows[t][p] = window * sinc;
            sum += rows[t][p];
        }
        for (std::size_t t = 0; t < kTaps; ++t) rows[t][p] /= sum;
    }
    return rows;
}

double highest_between_samples(std::span<const float> samples) {
    static const std::array<PhaseRow, kTaps> rows = interpolator();
    std::vector<double> padded(samples.size() + 2 * kTaps, 0.0);
    std::copy(samples.begin(), samples.end(), padded.begin() + kTaps);
    double highest = 0.0;
    for (std::size_t i = 0; i + kTaps <= padded.size(); ++i) {
        PhaseRow y{};
        for (std::size_t t = 0; t < kTaps; ++t)
            for (std::size_t p = 0; p < kPhases; ++p) y[p] += padded[i + t] * rows[t][p];
        for (double v : y) highest = std::max(highest, std::abs(v));
    }
    return highest;
}

struct Fit {
    double sine = 0.0;
    double cosine = 0.0;
    double mean = 0.0;
};

// Least squares of a sin + b cos + c, by the normal equations.
Fit fit_sine(std::span<const float> samples, double hz, std::uint32_t sample_rate_hz) {
    double ss = 0, cc = 0, sc = 0, s1 = 0, c1 = 0, xs = 0, xc = 0, x1 = 0;
    const auto n = static_cast<double>(samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const double angle = kTwoPi * hz * static_cast<double>(i) / sample_rate_hz;
        const double s = std::sin(angle), c = std::cos(angle), x = samples[i];
        ss += s * s, cc += c * c, sc += s * c, s1 += s, c1 += c, xs += x * s, xc += x * c, x1 += x;
    }
    const double a11 = ss - s1 * s1 / n, a12 = sc - s1 * c1 / n, a22 = cc - c1 * c1 / n;
    const double r1 = xs - x1 * s1 / n, r2 = xc - x1 * c1 / n;
    const double determinant = a11 * a22 - a12 * a12;
    Fit fit;
    fit.sine = (r1 * a22 - r2 * a12) / determinant;
    fit.cosine = (r2 * a11 - r1 * a12) / determinant;
    fit.mean = (x1 - fit.sine * s1 - fit.cosine * c1) / n;
    return fit;
}

std::vector<float> interleave(dsp::ConstAudioBlock block) {
    std::vector<float> samples;
    samples.reserve(block.frame_count * block.channel_count);
    for (std::size_t i = 0; i < block.frame_count; ++i)
        for (std::size_t c = 0; c < block.channel_count; ++c) samples.push_back(block.channels[c][i]);
    return samples;
}

}  // namespace

double rms_dbfs(dsp::ConstAudioBlock block) {
    double sum = 0.0;
    for (std::size_t c = 0; c < block.channel_count; ++c)
        for (float x : block.channel(c)) sum += double{x} * x;
    return power_db(sum / std::max(1.0, static_cast<double>(block.frame_count * block.channel_count)));
}

double peak_dbfs(dsp::ConstAudioBlock block) {
    double peak = 0.0;
    for (std::size_t c = 0; c < block.channel_count; ++c)
        for (float x : block.channel(c)) peak = std::max(peak, magnitude(x));
    return amplitude_db(peak);
}

double true_peak_dbtp(dsp::ConstAudioBlock block) {
    double peak = 0.0;
    for (std::size_t c = 0; c < block.channel_count; ++c)
        peak = std::max(peak, highest_between_samples(block.channel(c)));
    return amplitude_db(peak);
}

double component_dbfs(std::span<const float> samples, double hz, std::uint32_t sample_rate_hz) {
    const Fit fit = fit_sine(samples, hz, sample_rate_hz);
    return amplitude_db(std::hypot(fit.sine, fit.cosine));
}

double thd_n_db(std::span<const float> samples, double hz, std::uint32_t sample_rate_hz) {
    const Fit fit = fit_sine(samples, hz, sample_rate_hz);
    double sum = 0.0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const double angle = kTwoPi * hz * static_cast<double>(i) / sample_rate_hz;
        const double rest = samples[i] - fit.mean - fit.sine * std::sin(angle) - fit.cosine * std::cos(angle);
        sum += rest * rest;
    }
    const double tone = (fit.sine * fit.sine + fit.cosine * fit.cosine) / 2.0;
    return power_db(sum / static_cast<double>(samples.size()) / tone);
}

double gain_db_of(const std::function<void(dsp::AudioBlock)>& process, double hz, std::uint32_t sample_rate_hz,
                  std::size_t channels) {
    constexpr double kLevelDbfs = -20.0;
    dsp::AudioBuffer audio = sine(hz, kLevelDbfs, 2.0, {sample_rate_hz, channels});
    for (std::size_t first = 0; first < audio.frame_count(); first += 512)
        process(audio.block().slice(first, std::min<std::size_t>(512, audio.frame_count() - first)));
    const std::size_t half = audio.frame_count() / 2;
    return component_dbfs(audio.block().channel(0).subspan(half), hz, sample_rate_hz) - kLevelDbfs;
}

Residual residual(dsp::ConstAudioBlock a, dsp::ConstAudioBlock b, std::uint32_t sample_rate_hz) {
    if (a.channel_count != b.channel_count || a.frame_count != b.frame_count)
        throw std::invalid_argument("residual: the renderings differ in shape");
    std::vector<double> energy_until(a.frame_count + 1, 0.0);
    double peak = 0.0;
    for (std::size_t i = 0; i < a.frame_count; ++i) {
        double sum = 0.0;
        for (std::size_t c = 0; c < a.channel_count; ++c) {
            const double d = double{a.channels[c][i]} - b.channels[c][i];
            peak = std::max(peak, magnitude(d));
            sum += d * d;
        }
        energy_until[i + 1] = sum;
    }
    const std::size_t second = std::min<std::size_t>(sample_rate_hz, a.frame_count);
    const std::size_t step = std::max<std::size_t>(1, sample_rate_hz / 10);
    double loudest = 0.0;
    for (std::size_t first = 0; first + second <= a.frame_count && second > 0; first += step) {
        double sum = 0.0;  // summed anew each time: a difference of running sums could not resolve -150 dB
        for (std::size_t i = first; i < first + second; ++i) sum += energy_until[i + 1];
        loudest = std::max(loudest, sum / static_cast<double>(second * a.channel_count));
    }
    return {power_db(loudest), amplitude_db(peak)};
}

bool same_bits(dsp::ConstAudioBlock a, dsp::ConstAudioBlock b) {
    if (a.channel_count != b.channel_count || a.frame_count != b.frame_count) return false;
    for (std::size_t c = 0; c < a.channel_count; ++c)
        for (std::size_t i = 0; i < a.frame_count; ++i)
            if (std::bit_cast<std::uint32_t>(a.channels[c][i]) != std::bit_cast<std::uint32_t>(b.channels[c][i]))
                return false;
    return true;
}

bool all_finite(dsp::ConstAudioBlock block) {
    for (std::size_t c = 0; c < block.channel_count; ++c)
        for (float x : block.channel(c))
            if (!std::isfinite(x)) return false;
    return true;
}

Ebur128Result ebur128_measure(dsp::ConstAudioBlock block, std::uint32_t sample_rate_hz) {
    ebur128_state* state = ebur128_init(static_cast<unsigned>(block.channel_count), sample_rate_hz,
                                        EBUR128_MODE_I | EBUR128_MODE_LRA | EBUR128_MODE_TRUE_PEAK);
    if (state == nullptr) throw std::runtime_error("libebur128 refused to start");
    const std::vector<float> samples = interleave(block);
    ebur128_add_frames_float(state, samples.data(), block.frame_count);
    Ebur128Result result{};
    ebur128_loudness_global(state, &result.integrated_lufs);
    ebur128_loudness_range(state, &result.range_lu);
    double true_peak = 0.0;
    double sample_peak = 0.0;
    for (unsigned c = 0; c < block.channel_count; ++c) {
        double value = 0.0;
        ebur128_true_peak(state, c, &value);
        true_peak = std::max(true_peak, value);
        ebur128_sample_peak(state, c, &value);
        sample_peak = std::max(sample_peak, value);
    }
    result.true_peak_dbtp = amplitude_db(true_peak);
    result.sample_peak_dbfs = amplitude_db(sample_peak);
    ebur128_destroy(&state);
    return result;
}

}  // namespace lacquer::test
