#include "dsp/band_levels.h"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "dsp/profile.h"
#include "tests/dsp/hop_fixture.h"
#include "tests/support/signals.h"

namespace lacquer::dsp {
namespace {

// Histograms of `audio`, the first half second left out.
BandHistograms histograms(ConstAudioBlock audio) {
    const HopMeasurement measured = test::measure_hops(audio, 48'000);
    BandHistograms histograms{};
    for (std::size_t hop = 5; hop < measured.hops.size(); ++hop) count_levels(histograms, measured.hops[hop].bands);
    return histograms;
}

double median_db(const LevelHistogram& histogram) {
    return level_percentile_db(histogram, 0.5);
}

TEST(BandLevels, ToneIsInItsBandAtItsRms) {
    const double tones[] = {40.0, 800.0, 12'000.0};
    for (std::size_t band = 0; band < kDynamicsBands; ++band) {
        const auto bands = histograms(test::sine(tones[band], -17.2, 3.0).block());  // RMS -20.21: the middle of a bin
        EXPECT_NEAR(median_db(bands[band]), -20.25, 0.01) << tones[band];
        for (std::size_t other = 0; other < kDynamicsBands; ++other)
            EXPECT_TRUE(other == band || median_db(bands[other]) < -40.0) << tones[band] << " in " << other;
    }
}

TEST(BandLevels, BordersAreSixDbDown) {
    const auto low = histograms(test::sine(kCrossoversHz[0], -10.0, 3.0).block());
    EXPECT_NEAR(median_db(low[0]), -19.03, 0.5);
    EXPECT_NEAR(median_db(low[1]), -19.03, 0.5);
    const auto high = histograms(test::sine(kCrossoversHz[1], -10.0, 3.0).block());
    EXPECT_NEAR(median_db(high[1]), -19.03, 0.5);
    EXPECT_NEAR(median_db(high[2]), -19.03, 0.5);
}

TEST(BandLevels, EveryHopIsCountedOncePerBand) {
    const auto bands = histograms(test::pink_noise(1, -20.0, 3.0).block());
    for (const LevelHistogram& band : bands) EXPECT_EQ(std::accumulate(band.begin(), band.end(), 0u), 25u);
}

TEST(BandLevels, BinsAreHalfDecibelsAndTheEndsTakeTheRest) {
    EXPECT_EQ(level_bin(0.0), 0u);
    EXPECT_EQ(level_bin(std::pow(10.0, -95.0 / 10.0)), 0u);
    EXPECT_EQ(level_bin(std::pow(10.0, -20.2 / 10.0)), 139u);  // [-20.5, -20)
    EXPECT_EQ(level_bin(std::pow(10.0, 99.0 / 10.0)), kLevelBins - 1);
}

TEST(LevelPercentile, LeavesSilenceOutAndInterpolatesInABin) {
    LevelHistogram histogram{};
    EXPECT_EQ(level_percentile_db(histogram, 0.5), kLevelFloorDb);
    histogram[0] = 1000;
    EXPECT_EQ(level_percentile_db(histogram, 0.5), kLevelFloorDb);
    histogram[100] = 50;  // [-40, -39.5)
    histogram[140] = 50;  // [-20, -19.5)
    EXPECT_DOUBLE_EQ(level_percentile_db(histogram, 0.25), -39.75);
    EXPECT_DOUBLE_EQ(level_percentile_db(histogram, 0.5), -39.5);
    EXPECT_DOUBLE_EQ(level_percentile_db(histogram, 0.75), -19.75);
    EXPECT_DOUBLE_EQ(level_percentile_db(histogram, 1.0), -19.5);
}

}  // namespace
}  // namespace lacquer::dsp
