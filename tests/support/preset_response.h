// A track with nothing to correct, and what the real chain does to it: shared by the test of the presets and the tool
// that their plots are drawn from.
#pragma once

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "dsp/enhancer.h"
#include "dsp/recipe.h"
#include "dsp/tone_curve.h"
#include "dsp/units.h"

namespace lacquer::test {

inline constexpr std::uint32_t kResponseRateHz = 48'000;

// 60 s at -18 LUFS whose spectrum is the target's, so that a preset's own tone is all that is left of its equaliser;
// its bands lie within 6 dB around -26, -24 and -30 dBFS, so that the chain's trim is 1.
inline dsp::Profile neutral_profile() {
    dsp::Profile profile;
    profile.sample_rate_hz = kResponseRateHz;
    profile.channel_count = 2;
    profile.frame_count = 60 * kResponseRateHz;
    profile.integrated_lufs = -18.0;
    profile.loudness_range_lu = 6.0;
    profile.true_peak_dbtp = -6.0;
    profile.sample_peak_dbfs = -6.2;
    profile.rms_dbfs = -20.0;
    profile.crest_db = 13.8;
    profile.stereo_correlation = 0.8;
    profile.side_to_mid_db = -9.5;
    const auto& target = dsp::recorded_music().octave_db;
    for (std::size_t b = 0; b < dsp::kOctaveBands; ++b) profile.octave_dbfs[b] = target[b] - 30.0;
    for (std::size_t b = 0; b < dsp::kThirdOctaveBands; ++b)
        profile.third_octave_dbfs[b] = dsp::curve_db_at(target, dsp::third_octave_centre_hz(b)) - 34.8;
    const double centres_dbfs[dsp::kDynamicsBands] = {-26.0, -24.0, -30.0};
    for (std::size_t b = 0; b < dsp::kDynamicsBands; ++b) {
        for (int step = -6; step <= 6; ++step) {
            const double bin = (centres_dbfs[b] + 0.5 * step - dsp::kLevelFloorDb) / dsp::kLevelStepDb;
            profile.band_levels[b][static_cast<std::size_t>(bin)] =
                static_cast<std::uint32_t>(20 + 10 * (6 - std::abs(step)));
        }
    }
    profile.short_term_lufs.assign(60, -18.0f);
    return profile;
}

// Gain at low level, where no band is compressed, without the constant gain; by the response to an impulse in the
// middle of -40 dBFS, a second long.
class LowLevelResponse {
public:
    explicit LowLevelResponse(const dsp::Recipe& recipe) : scale_(0.01 * recipe.trim * recipe.level.gain) {
        dsp::AudioBuffer audio(recipe.channel_count, kResponseRateHz);
        for (std::size_t c = 0; c < audio.channel_count(); ++c) audio.block().channels[c][0] = 0.01f;
        dsp::Enhancer(recipe, 0).process(audio.block());
        samples_.assign(audio.block().channels[0], audio.block().channels[0] + audio.frame_count());
    }

    double gain_db(double hz) const {
        std::complex<double> sum;
        for (std::size_t n = 0; n < samples_.size(); ++n)
            sum += static_cast<double>(samples_[n]) *
                   std::polar(1.0, -2.0 * std::numbers::pi * hz * static_cast<double>(n) / kResponseRateHz);
        return dsp::gain_to_db(std::abs(sum) / scale_);
    }

private:
    double scale_;
    std::vector<float> samples_;
};

// Level that a sine of `hz` and `level_dbfs` (peak) settles at.
inline double settled_level_dbfs(const dsp::Recipe& recipe, double hz, double level_dbfs) {
    dsp::AudioBuffer audio(recipe.channel_count, kResponseRateHz * 3 / 2);
    for (std::size_t n = 0; n < audio.frame_count(); ++n) {
        const double phase = 2.0 * std::numbers::pi * hz * static_cast<double>(n) / kResponseRateHz;
        for (std::size_t c = 0; c < audio.channel_count(); ++c)
            audio.block().channels[c][n] = static_cast<float>(dsp::db_to_gain(level_dbfs) * std::sin(phase));
    }
    dsp::Enhancer(recipe, 0).process(audio.block());
    double energy = 0.0;
    const std::size_t half_second = kResponseRateHz / 2;
    for (std::size_t n = audio.frame_count() - half_second; n < audio.frame_count(); ++n)
        energy += 2.0 * audio.block().channels[0][n] * audio.block().channels[0][n] / static_cast<double>(half_second);
    return dsp::power_to_db(energy);
}

}  // namespace lacquer::test
