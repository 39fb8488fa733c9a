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
    using PerBand = std::array<double, kDynamicsBands>;

    void find_gains(const BandBlocks& parts) LACQUER_REALTIME;
    void average_power(std::size_t frames) LACQUER_REALTIME;
    void smooth_reduction(std::size_t frames) LACQUER_REALTIME;

    Crossover crossover_;
    std::array<CompressorBandSettings, kDynamicsBands> settings_;
    bool idle_;               // no band ever reduces anything
    PerBand power_{};         // detectors
    PerBand reduction_db_{};  // smoothed
    // What find_gains() works through per frame: power, then reduction in dB, then gain.
    std::array<std::array<double, kWorkFrames>, kDynamicsBands> line_{};
    std::vector<double> scratch_;  // bands x channels x kWorkFrames
};

}  // namespace lacquer::dsp
