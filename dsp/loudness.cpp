#include "dsp/loudness.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "dsp/k_weighting.h"

namespace lacquer::dsp {
namespace {

constexpr double kOffsetDb = -0.691;     // makes a 997 Hz sine of 0 dBFS in one channel read -3.01 LUFS
constexpr double kIntegratedGate = 0.1;  // -10 LU
constexpr double kRangeGate = 0.01;      // -20 LU
constexpr std::size_t kStepsPerHop = 10;

double lufs_to_mean_square(double lufs) {
    return std::pow(10.0, (lufs - kOffsetDb) / 10.0);
}

double mean(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Means over windows of `length` values, one every `step`.
std::vector<double> windows(std::span<const double> values, std::size_t length, std::size_t step) {
    std::vector<double> means;
    for (std::size_t first = 0; first + length <= values.size(); first += step)
        means.push_back(mean(values.subspan(first, length)));
    return means;
}

// The windows of all runs that pass the absolute gate.
std::vector<double> audible_windows(HopRuns runs, std::size_t length, std::size_t step) {
    const double gate = lufs_to_mean_square(kLoudnessFloorLufs);
    std::vector<double> kept;
    for (std::span<const double> run : runs)
        for (double power : windows(run, length, step))
            if (power >= gate) kept.push_back(power);
    return kept;
}

void drop_below_relative_gate(std::vector<double>& powers, double relative_gate) {
    if (powers.empty()) return;
    const double gate = mean(powers) * relative_gate;
    std::erase_if(powers, [gate](double power) { return power < gate; });
}

double nearest_rank(const std::vector<double>& sorted, double fraction) {
    return sorted[static_cast<std::size_t>(static_cast<double>(sorted.size() - 1) * fraction + 0.5)];
}

double loudest_window(std::span<const double> steps, std::size_t length) {
    double loudest = 0.0;
    for (std::size_t first = 0; first + length <= steps.size(); ++first)
        loudest = std::max(loudest, mean(steps.subspan(first, length)));
    return mean_square_to_lufs(loudest);
}

double last_window(std::span<const double> steps, std::size_t length) {
    return steps.size() < length ? kLoudnessFloorLufs : mean_square_to_lufs(mean(steps.last(length)));
}

}  // namespace

KWeightedEnergy::KWeightedEnergy(std::uint32_t sample_rate_hz) {
    const auto coefficients = k_weighting(sample_rate_hz);
    for (auto& channel : sections_) channel = {Biquad(coefficients[0]), Biquad(coefficients[1])};
}

void KWeightedEnergy::process(ConstAudioBlock block) LACQUER_REALTIME {
    double sum = sum_;
    auto& [left, right] = sections_;
    if (block.channel_count == 1) {
        for (std::size_t i = 0; i < block.frame_count; ++i) {
            const double y = left[1].process(left[0].process(block.channels[0][i]));
            sum += y * y;
        }
    } else {
        for (std::size_t i = 0; i < block.frame_count; ++i) {
            const double l = left[1].process(left[0].process(block.channels[0][i]));
            const double r = right[1].process(right[0].process(block.channels[1][i]));
            sum += l * l + r * r;
        }
    }
    sum_ = sum;
}

double KWeightedEnergy::take() LACQUER_REALTIME {
    for (auto& channel : sections_)
        for (Biquad& section : channel) section.settle();
    return std::exchange(sum_, 0.0);
}

double mean_square_to_lufs(double mean_square) {
    if (!(mean_square > 0.0)) return kLoudnessFloorLufs;
    return std::max(kLoudnessFloorLufs, kOffsetDb + 10.0 * std::log10(mean_square));
}

double integrated_lufs(HopRuns runs) {
    std::vector<double> blocks = audible_windows(runs, kMomentaryHops, 1);
    drop_below_relative_gate(blocks, kIntegratedGate);
    return blocks.empty() ? kLoudnessFloorLufs : mean_square_to_lufs(mean(blocks));
}

double loudness_range_lu(HopRuns runs) {
    std::vector<double> blocks = audible_windows(runs, kShortTermHops, kHopsPerSecond);
    drop_below_relative_gate(blocks, kRangeGate);
    if (blocks.empty()) return 0.0;
    std::sort(blocks.begin(), blocks.end());
    return 10.0 * std::log10(nearest_rank(blocks, 0.95) / nearest_rank(blocks, 0.10));
}

std::vector<float> short_term_curve(std::span<const double> hops) {
    constexpr std::size_t kHalf = kShortTermHops / 2;
    std::vector<float> curve;
    for (std::size_t second = 0; second < hops.size(); second += kHopsPerSecond) {
        const std::size_t centre = second + kHopsPerSecond / 2;
        const std::size_t first = centre > kHalf ? centre - kHalf : 0;
        const std::size_t last = std::min(centre + kHalf, hops.size());
        curve.push_back(static_cast<float>(mean_square_to_lufs(mean(hops.subspan(first, last - first)))));
    }
    return curve;
}

LoudnessMeter::LoudnessMeter(std::uint32_t sample_rate_hz, [[maybe_unused]] std::size_t channel_count)
    : hop_frames_(hop_frames(sample_rate_hz)), energy_(sample_rate_hz) {
    assert(channel_count >= 1 && channel_count <= kMaxChannels);
}

void LoudnessMeter::measure(ConstAudioBlock block) {
    while (block.frame_count > 0) {
        const std::size_t step = steps_.size() % kStepsPerHop;
        const std::size_t step_frames = (step + 1) * hop_frames_ / kStepsPerHop - step * hop_frames_ / kStepsPerHop;
        const std::size_t count = std::min(block.frame_count, step_frames - frame_in_step_);
        energy_.process(block.slice(0, count));
        block = block.slice(count, block.frame_count - count);
        frame_in_step_ += count;
        if (frame_in_step_ < step_frames) continue;
        steps_.push_back(energy_.take() * kStepsPerHop / static_cast<double>(hop_frames_));
        frame_in_step_ = 0;
    }
}

std::vector<double> LoudnessMeter::hops() const {
    return windows(steps_, kStepsPerHop, kStepsPerHop);
}

double LoudnessMeter::integrated() const {
    const std::vector<double> all = hops();
    const std::span<const double> run = all;
    return integrated_lufs({&run, 1});
}

double LoudnessMeter::range() const {
    const std::vector<double> all = hops();
    const std::span<const double> run = all;
    return loudness_range_lu({&run, 1});
}

double LoudnessMeter::momentary() const {
    return last_window(steps_, kMomentaryHops * kStepsPerHop);
}
double LoudnessMeter::short_term() const {
    return last_window(steps_, kShortTermHops * kStepsPerHop);
}
double LoudnessMeter::max_momentary() const {
    return loudest_window(steps_, kMomentaryHops * kStepsPerHop);
}
double LoudnessMeter::max_short_term() const {
    return loudest_window(steps_, kShortTermHops * kStepsPerHop);
}

}  // namespace lacquer::dsp
