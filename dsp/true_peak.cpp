#include "dsp/true_peak.h"

#include <algorithm>

namespace lacquer::dsp {
namespace {

constexpr std::size_t kPast = kPeakPast;
constexpr std::size_t kStretch = 256;  // looked at as one before its tiles are

// The first frames need the history before them, the others have it in the block.
using Seam = std::array<float, 2 * kPast>;

}  // namespace

void TruePeakMeter::process(ConstAudioBlock block) LACQUER_REALTIME {
    for (std::size_t c = 0; c < block.channel_count; ++c) process_channel(c, block.channels[c], block.frame_count);
}

void TruePeakMeter::process_channel(std::size_t channel, const float* samples, std::size_t count) LACQUER_REALTIME {
    auto& history = history_[channel];
    const std::size_t first = std::min(count, kPast);
    Seam seam{};
    std::copy(history.begin(), history.end(), seam.begin());
    std::copy_n(samples, first, seam.begin() + kPast);

    float loudest_before = largest_sample(seam.data(), kPast + first);
    sample_peak_ = std::max(sample_peak_, largest_sample(samples, first));
    true_peak_ = std::max(true_peak_, sample_peak_);
    true_peak_ = largest_point(seam.data() + kPast, first, true_peak_);
    for (std::size_t done = first; done < count; done += kStretch) {
        const std::size_t stretch = std::min(kStretch, count - done);
        const float loudest = largest_sample(samples + done, stretch);
        sample_peak_ = std::max(sample_peak_, loudest);
        true_peak_ = std::max(true_peak_, loudest);
        if (std::max(loudest, loudest_before) * peak_bound() > true_peak_) {
            true_peak_ = largest_point(samples + done, stretch, true_peak_);
        }
        loudest_before = loudest;
    }

    if (count >= kPast) {
        std::copy_n(samples + count - kPast, kPast, history.begin());
    } else {
        std::copy_n(seam.begin() + static_cast<std::ptrdiff_t>(first), kPast, history.begin());
    }
}

void TruePeakMeter::forget_peaks() LACQUER_REALTIME {
    true_peak_ = 0.0f;
    sample_peak_ = 0.0f;
}

double true_peak_after(const TruePeakHistory& history) {
    float peak = 0.0f;
    for (const auto& channel : history) {
        Seam seam{};
        std::copy(channel.begin(), channel.end(), seam.begin());
        peak = largest_point(seam.data() + kPast, kPast, peak);
    }
    return peak;
}

}  // namespace lacquer::dsp
