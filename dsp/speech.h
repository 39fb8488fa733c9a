// Tells spoken words from music, one window of 3 s at a time. Made to be sure when it says speech: music taken for
// speech would get the wrong treatment, speech taken for music only a less fitting one.
//
// Method:  a logistic function of features of 150 frames of 20 ms, after Scheirer & Slaney, "Construction and
//          evaluation of a robust multifeature speech/music discriminator" (ICASSP 1997): the modulation of the energy
//          around the 4 Hz of syllables, the share of quiet frames, the spread of the zero-crossing rate and of the
//          share of power in 300-4000 Hz (voiced against unvoiced), and what only one side of the stereo image holds.
// Threads: pure.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace lacquer::dsp {

inline constexpr std::size_t kSpeechFramesPerHop = 5;
inline constexpr std::size_t kSpeechWindowHops = 30;
inline constexpr std::size_t kSpeechWindowFrames = kSpeechFramesPerHop * kSpeechWindowHops;

struct SpeechFrame {
    double energy = 0.0;       // of the middle (L+R)/2
    double band_energy = 0.0;  // of its 300-4000 Hz
    double side_energy = 0.0;
    double crossings = 0.0;  // of zero per second, of the 300-4000 Hz: the same at any sample rate
};

struct SpeechFeatures {
    double modulation = 0.0;       // share of 2-8 Hz in the variation of the level, [0, 1]
    double quiet_share = 0.0;      // frames with less than a tenth of the mean energy, [0, 1]
    double level_spread_db = 0.0;  // standard deviation of the level
    double crossing_spread = 0.0;  // standard deviation of the zero-crossing rate over its mean, audible frames only
    double band_share = 0.0;       // power in 300-4000 Hz, [0, 1]
    double band_spread_db = 0.0;   // standard deviation of that share, audible frames only
    double side_share = 0.0;       // power of the side in all, [0, 1]
};

// All zero when the window is silent (mean square below -70 dBFS).
SpeechFeatures speech_features(std::span<const SpeechFrame, kSpeechWindowFrames> frames);
double speech_confidence(const SpeechFeatures& features);  // [0, 1]; 0 for a silent window

// Of every whole window of `frames`.
std::vector<SpeechFeatures> speech_windows(std::span<const SpeechFrame> frames);

}  // namespace lacquer::dsp
