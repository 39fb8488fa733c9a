// What the chain will do to a track's loudness, from its profile alone.
//
// Method:  mean powers in third-octave bands, weighted by the response of the K filter (ITU-R BS.1770-4), passed
//          through the equaliser's response and through static curves over the level histograms. The bands of the
//          compressor add up in phase, so their gains are weighted by amplitude.
#pragma once

#include <array>
#include <vector>

#include "dsp/profile.h"
#include "dsp/settings.h"

namespace lacquer::dsp {

enum class Weighting { flat, k };

// A track's mean spectrum after an equaliser.
class ShapedSpectrum {
public:
    ShapedSpectrum(const Profile& profile, const EqualiserSettings& equaliser,
                   const std::array<CrossoverSettings, kDynamicsBands - 1>& borders);

    double equaliser_change_db(Weighting weighting) const;
    double equaliser_change_db(std::size_t dynamics_band) const;  // of the power within the compressor's band
    double dynamics_change_db(const std::array<double, kDynamicsBands>& band_gains_db, Weighting weighting) const;

private:
    struct Band {
        double power;                                  // before the equaliser
        double equaliser;                              // power gain
        double k_weight;                               // power gain
        std::array<double, kDynamicsBands> amplitude;  // of the compressor's bands; they sum to 1
    };
    std::vector<Band> bands_;
};

// Change of a band's mean power in dB (<= 0) by its static curve; `shift_db` is the gain in front of it.
double compression_change_db(const LevelHistogram& levels, const CompressorBandSettings& band, double shift_db);

// Change of the mean power when the side is scaled.
double width_change_db(double side_to_mid_db, double width);

// Change by y = x - a x^3 for noise of that level.
double saturation_change_db(double rms_db, double amount);

// Loudness of a track from its short-term loudness per second, gated as BS.1770-4 gates blocks. kLoudnessFloorLufs
// when nothing passes. `gains_db` are added first; empty for none.
double gated_loudness_lufs(const std::vector<float>& short_term_lufs, const std::vector<double>& gains_db);

}  // namespace lacquer::dsp
