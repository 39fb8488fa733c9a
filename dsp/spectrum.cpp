#include "dsp/spectrum.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <new>
#include <numbers>
#include <span>
#include <vector>

#include <fftw3.h>

namespace lacquer::dsp {
namespace {

constexpr double kFirstOctaveHz = 31.25;
constexpr double kFirstThirdOctaveHz = 25.0;

std::size_t window_frames(std::uint32_t sample_rate_hz) {
    std::size_t frames = 1024;
    while (frames * 3 < sample_rate_hz) frames *= 2;
    return frames;
}

// FFTW's planner keeps global tables; only executing a plan is safe beside other threads.
std::mutex& planner_mutex() {
    static std::mutex mutex;
    return mutex;
}

struct FreeFftw {
    void operator()(fftw_complex* memory) const noexcept { fftw_free(memory); }
    void operator()(fftw_plan_s* plan) const noexcept {
        const std::lock_guard lock(planner_mutex());
        fftw_destroy_plan(plan);
    }
};
using ComplexBuffer = std::unique_ptr<fftw_complex[], FreeFftw>;
using Plan = std::unique_ptr<fftw_plan_s, FreeFftw>;

ComplexBuffer make_buffer(std::size_t size) {
    ComplexBuffer buffer(fftw_alloc_complex(size));
    if (!buffer) throw std::bad_alloc();
    return buffer;
}

Plan make_plan(std::size_t size, fftw_complex* buffer) {
    const std::lock_guard lock(planner_mutex());
    Plan plan(fftw_plan_dft_1d(static_cast<int>(size), buffer, buffer, FFTW_FORWARD, FFTW_ESTIMATE));
    if (!plan) throw std::bad_alloc();
    return plan;
}

std::vector<double> sine_squared(std::size_t size) {
    std::vector<double> window(size);
    for (std::size_t i = 0; i < size; ++i) {
        const double s = std::sin(std::numbers::pi * (static_cast<double>(i) + 0.5) / static_cast<double>(size));
        window[i] = s * s;
    }
    return window;
}

// Sums bin powers between two frequencies; bin k reaches from k - 1/2 to k + 1/2 bin widths.
double power_between(std::span<const double> bins, double bin_hz, double from_hz, double to_hz) {
    const double first = from_hz / bin_hz + 0.5;
    const double last = std::min(to_hz / bin_hz + 0.5, static_cast<double>(bins.size()));
    double power = 0.0;
    for (double at = first; at < last;) {
        const double next = std::min(std::floor(at) + 1.0, last);
        power += bins[static_cast<std::size_t>(at)] * (next - at);
        at = next;
    }
    return power;
}

template <std::size_t Bands>
void fold(std::array<double, Bands>& bands, std::span<const double> bins, double bin_hz, double first_hz,
          double per_octave) {
    const double half = std::exp2(0.5 / per_octave);
    for (std::size_t b = 0; b < Bands; ++b) {
        const double centre = first_hz * std::exp2(static_cast<double>(b) / per_octave);
        bands[b] = power_between(bins, bin_hz, centre / half, centre * half);
    }
}

}  // namespace

void SpectrumSum::add(const SpectrumSum& other) {
    for (std::size_t b = 0; b < kOctaveBands; ++b) octaves[b] += other.octaves[b];
    for (std::size_t b = 0; b < kThirdOctaveBands; ++b) third_octaves[b] += other.third_octaves[b];
    weight += other.weight;
}

struct SpectrumMeter::State {
    explicit State(std::uint32_t rate)
        : size(window_frames(rate)),
          bin_hz(static_cast<double>(rate) / static_cast<double>(size)),
          window(sine_squared(size)),
          frames(2 * size, 0.0),
          bins(size / 2 + 1, 0.0),
          buffer(make_buffer(size)),
          plan(make_plan(size, buffer.get())) {}

    void transform();
    void transform_rest();

    std::size_t size;
    double bin_hz;
    std::vector<double> window;
    std::vector<double> frames;  // the newest, left and right in turn
    std::size_t filled = 0;      // frames of it
    std::vector<double> bins;    // power times weight, both sides of the spectrum folded into one
    double weight = 0.0;
    ComplexBuffer buffer;
    Plan plan;
    std::size_t channels = 1;
};

void SpectrumMeter::State::transform() {
    for (std::size_t i = 0; i < size; ++i) {
        buffer[i][0] = frames[2 * i] * window[i];
        buffer[i][1] = frames[2 * i + 1] * window[i];
    }
    fftw_execute(plan.get());
    const auto power = [this](std::size_t k) { return buffer[k][0] * buffer[k][0] + buffer[k][1] * buffer[k][1]; };
    bins[0] += power(0);
    for (std::size_t k = 1; k < size / 2; ++k) bins[k] += power(k) + power(size - k);
    bins[size / 2] += power(size / 2);
    for (std::size_t i = 0; i < filled; ++i) weight += window[i] * window[i];
}

void SpectrumMeter::State::transform_rest() {
    const bool nothing_new = weight > 0.0 && filled <= size / 2;
    if (filled == 0 || nothing_new) return;
    std::fill(frames.begin() + static_cast<std::ptrdiff_t>(2 * filled), frames.end(), 0.0);
    transform();
}

SpectrumMeter::SpectrumMeter(std::uint32_t sample_rate_hz) : state_(std::make_unique<State>(sample_rate_hz)) {}
SpectrumMeter::~SpectrumMeter() = default;

void SpectrumMeter::measure(ConstAudioBlock block) {
    State& s = *state_;
    s.channels = block.channel_count;
    while (block.frame_count > 0) {
        const std::size_t count = std::min(block.frame_count, s.size - s.filled);
        for (std::size_t c = 0; c < block.channel_count; ++c)
            for (std::size_t i = 0; i < count; ++i) s.frames[2 * (s.filled + i) + c] = block.channels[c][i];
        s.filled += count;
        block = block.slice(count, block.frame_count - count);
        if (s.filled < s.size) continue;
        s.transform();
        const auto middle = s.frames.begin() + static_cast<std::ptrdiff_t>(s.size);
        std::copy(middle, s.frames.end(), s.frames.begin());
        s.filled = s.size / 2;
    }
}

SpectrumSum SpectrumMeter::take() {
    State& s = *state_;
    s.transform_rest();
    SpectrumSum sum;
    fold(sum.octaves, s.bins, s.bin_hz, kFirstOctaveHz, 1.0);
    fold(sum.third_octaves, s.bins, s.bin_hz, kFirstThirdOctaveHz, 3.0);
    const double scale = 1.0 / (static_cast<double>(s.size) * static_cast<double>(s.channels));
    for (double& power : sum.octaves) power *= scale;
    for (double& power : sum.third_octaves) power *= scale;
    sum.weight = s.weight;
    return sum;
}

}  // namespace lacquer::dsp
