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
    double k_weight_db(std::size_t dynamics_band) const;          // of what the band holds before the equaliser
    double dynamics_change_db(const std::array<double, kDynamicsBands>& band_gains_db, Weighting weighting) const;
    // When the side holds the same share of the power at all frequencies.
    double width_change_db(double side_to_mid_db, const WidthSettings& width, Weighting weighting) const;

private:
    struct Band {
        double frequency;                              // of the sample rate
        double power;                                  // before the equaliser
        double equaliser;                              // power gain
        double k_weight;                               // power gain
        std::array<double, kDynamicsBands> amplitude;  // of the compressor's bands; they sum to 1
    };
    std::vector<Band> bands_;
};

// Change of a band's mean power in dB (<= 0) by its static curve.
// `shift_db` is the gain in front of it.
double compression_change_db(const LevelHistogram& levels, const CompressorBandSettings& band, double shift_db);

// Change by y = x - a x^3 for noise of that level.
double saturation_change_db(double rms_db, double amount);

// Change by the limiter when the highest peak lies `overshoot_db` above the ceiling (<= 0): the fewer peaks stand out
// of a track, the more of it is held down with them.
double limiting_change_db(double overshoot_db, double crest_db);

// The loudness of each single second, solved from the windows of 3 s that overlap in the profile's curve; empty for a
// profile that has none.
std::vector<double> loudness_by_second(const Profile& profile);

// The same with the spread of the blocks of 400 ms that BS.1770-4 gates: between the loudness of seconds and that of
// the 100 ms in the histograms, taking it that the bands rise and fall together.
std::vector<double> block_loudness(const Profile& profile, const ShapedSpectrum& spectrum);

// Change of each second's loudness by the compressor in dB, taking it that all bands rise and fall with the loudness:
// a second louder than a fraction of the track has bands louder than the same fraction of their histograms.
std::vector<double> compression_by_second_db(const Profile& profile, const ShapedSpectrum& spectrum,
                                             const std::array<CompressorBandSettings, kDynamicsBands>& bands,
                                             const std::array<double, kDynamicsBands>& shifts_db);

// What gains do to the loudness of a track beyond their mean effect on the blocks that pass the gate of BS.1770-4 now:
// `mean_gains_db` are part of that mean effect already, `further_gains_db` are not. Both per block or empty. Quiet
// blocks that begin to pass the gate pull the loudness down, and that can be 3 LU.
double gating_change_db(const std::vector<double>& blocks_lufs, const std::vector<double>& mean_gains_db,
                        const std::vector<double>& further_gains_db);

}  // namespace lacquer::dsp
