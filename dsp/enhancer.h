// The enhancement chain of one run: trim -> high-pass/tonal EQ -> three-band compressor -> saturation -> width ->
// level curve and gain -> true-peak limiter.
//
// Method:  by +, -, x and / and polynomials alone, the same bits on every instruction set: filters and other recursions
//          in double, what only looks forward in float. What is decided once per group of 16 frames is decided at
//          multiples of 16 of the track. Nothing remembers further back than 5 s (dsp/preset.h bounds the releases).
// Threads: one instance per run, not thread-safe.
// Memory:  allocated by the constructor; process() touches only that.
// Latency: latency_frames(), fixed by the recipe: output frame n is the enhanced input frame n - latency_frames().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "dsp/audio_block.h"
#include "dsp/realtime.h"
#include "dsp/recipe.h"

namespace lacquer::dsp {

// How far the dynamics hold the sound down.
struct GainReduction {
    double compressor_db = 0.0;  // >= 0, of the band that is held down the most
    double limiter_db = 0.0;     // >= 0
};

class Enhancer {
public:
    // `first_frame`: position in the track of the first frame that process() will be given.
    // Throws std::invalid_argument naming the field when the recipe cannot be rendered.
    Enhancer(const Recipe& recipe, std::int64_t first_frame);
    ~Enhancer();

    // In place. Cutting a stream into different blocks gives bit-identical output. Finite for any input (NaN, Inf and
    // what is beyond kLoudestSample are taken as silence), and |output| never above what the limiter's ceiling allows.
    // A bypass recipe leaves the samples as they are, whatever they are.
    void process(AudioBlock block) LACQUER_REALTIME;
    std::size_t latency_frames() const LACQUER_REALTIME;
    // The most of both since the last call, looked at after every call of process() and every 240 frames (limiter:
    // every 16). Reads what is there; no sample depends on it. Zero for a bypass recipe.
    GainReduction take_reduction() LACQUER_REALTIME;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace lacquer::dsp
