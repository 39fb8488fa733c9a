#include "dsp/profile.h"

#include <algorithm>
#include <numeric>

namespace lacquer::dsp {

bool is_speech(const Profile& profile) {
    constexpr float kSure = 0.95f;
    constexpr double kMost = 0.8;
    const auto& windows = profile.speech_confidence;
    const auto sure = std::count_if(windows.begin(), windows.end(), [](float c) { return c >= kSure; });
    return !windows.empty() && static_cast<double>(sure) >= kMost * static_cast<double>(windows.size());
}

double level_percentile_db(const LevelHistogram& histogram, double fraction) {
    const double total = std::accumulate(histogram.begin() + 1, histogram.end(), 0.0);
    if (total == 0.0) return kLevelFloorDb;
    const double wanted = std::clamp(fraction, 0.0, 1.0) * total;
    double below = 0.0;
    for (std::size_t bin = 1; bin < kLevelBins; ++bin) {
        const double count = histogram[bin];
        if (count > 0.0 && below + count >= wanted)
            return kLevelFloorDb + kLevelStepDb * (static_cast<double>(bin) + (wanted - below) / count);
        below += count;
    }
    return kLevelFloorDb + kLevelStepDb * static_cast<double>(kLevelBins);
}

}  // namespace lacquer::dsp
