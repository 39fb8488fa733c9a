// Three-band compressor, feed-forward, the channels linked.
//
// Method:  power averaged over the channels and by a one-pole, level in dB, soft knee and slope, then the reduction in
//          dB smoothed by y = max(attack step, release step), which needs no branch because attack is never slower
//          than release (D. Giannoulis et al., JAES 60(6), 2012, gives the parts). No make-up gain.
// Threads: not thread-safe; one instance per run.
// Memory:  allocated by the constructor.
// Latency: none.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "dsp/crossover.h"
#include "dsp/settings.h"
#include "dsp/work_block.h"

namespace lacquer::dsp {

// Reduction in dB (>= 0) that a steady level ends in.
double static_reduction_db(const CompressorBandSettings& band, double level_db) noexcept;

class Compressor {
public:
    // Throws std::invalid_argument naming the field when a setting is outside its range.
    explicit Compressor(const CompressorSettings& settings);

    // At most kWorkFrames frames.
    void process(WorkBlock block) LACQUER_REALTIME;
    void reset() LACQUER_REALTIME;

private:
    struct Band {
        CompressorBandSettings settings;
        double power = 0.0;         // detector
        double reduction_db = 0.0;  // smoothed
        std::array<double, kWorkFrames> gain{};
    };

    void find_gains(Band& band, const WorkBlock& block) LACQUER_REALTIME;

    Crossover crossover_;
    std::array<Band, kDynamicsBands> bands_;
    bool idle_;                    // no band ever reduces anything
    std::vector<double> scratch_;  // bands x channels x kWorkFrames
};

}  // namespace lacquer::dsp
