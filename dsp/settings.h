// The numbers each stage of the chain is built from. Final values: nothing below needs a logarithm or a cosine any
// more, so the same settings give the same samples on every machine. They are the parts of a Recipe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "dsp/biquad.h"
#include "dsp/profile.h"

namespace lacquer::dsp {

inline constexpr std::size_t kEqualiserSections = 10;

struct EqualiserSettings {
    std::array<BiquadCoefficients, kEqualiserSections> sections{};  // unused ones are identity
};

// One border of a Linkwitz-Riley split of 4th order: low and high are two equal Butterworth sections each, and
// low + high is `all_pass`.
struct CrossoverSettings {
    BiquadCoefficients low_pass;
    BiquadCoefficients high_pass;
    BiquadCoefficients all_pass;
};

struct CompressorBandSettings {
    double threshold_db = 0.0;  // mean square of the channels, square wave of full scale = 0
    double knee_db = 6.0;       // [0.1, 24] width of the soft knee
    double slope = 0.0;         // [0, 1] 1 - 1/ratio
    double detector = 1.0;      // (0, 1] step of the one-pole that averages the power, per frame
    double attack = 1.0;        // (0, 1] step of the gain reduction per frame while it grows,
    double release = 1.0;       // (0, attack] and while it shrinks
};

struct CompressorSettings {
    std::array<CrossoverSettings, kDynamicsBands - 1> borders{};
    std::array<CompressorBandSettings, kDynamicsBands> bands{};
};

struct SaturationSettings {
    double amount = 0.0;  // [0, 1] a of y = x - a x^3; 0: the stage is left out
};

struct WidthSettings {
    double width = 1.0;      // [0, 2] gain of the side
    double mono_bass = 0.0;  // [0, 1] how much of the side below the border is taken away
    CrossoverSettings border{};
};

struct LevelCurveSettings {
    double gain = 1.0;               // linear, constant over the track
    std::vector<double> curve_db{};  // node n stands at second n + 0.5; empty: no curve
};

struct LimiterSettings {
    double ceiling = 1.0;                 // (0, 1] linear, for the true peak, the internal margin included
    std::uint32_t look_ahead_frames = 1;  // [1, 4096] over which the gain falls; rounded up to two groups of frames
    double fast_release = 0.0;            // [0, 1) what is left of a reduction one group later, after a single peak
    double slow_release = 0.0;            // [0, 1) and after long limiting
    double build_up = 1.0;                // (0, 1] step per group of the average that tells one from the other
};

}  // namespace lacquer::dsp
