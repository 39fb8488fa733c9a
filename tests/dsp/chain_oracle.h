// The chain but for saturation and limiter in its plainest form: double, frame by frame, the textbook's sections, gains
// found anew for every frame. What the vector stages are compared with.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "dsp/biquad.h"
#include "dsp/compressor.h"
#include "dsp/recipe.h"
#include "dsp/units.h"

namespace lacquer::test {

class ChainOracle {
public:
    explicit ChainOracle(const dsp::Recipe& recipe) : recipe_(recipe) {
        for (auto& channel : channels_) {
            for (const auto& section : recipe.equaliser.sections) channel.equaliser.emplace_back(section);
            const auto& [lower, upper] = recipe.compressor.borders;
            channel.low = {dsp::Biquad(lower.low_pass), dsp::Biquad(lower.low_pass), dsp::Biquad(upper.all_pass)};
            channel.rest = {dsp::Biquad(lower.high_pass), dsp::Biquad(lower.high_pass)};
            channel.middle = {dsp::Biquad(upper.low_pass), dsp::Biquad(upper.low_pass)};
            channel.high = {dsp::Biquad(upper.high_pass), dsp::Biquad(upper.high_pass)};
        }
        const auto& border = recipe.width.border;
        mid_ = {dsp::Biquad(border.all_pass)};
        side_low_ = {dsp::Biquad(border.low_pass), dsp::Biquad(border.low_pass)};
        side_high_ = {dsp::Biquad(border.high_pass), dsp::Biquad(border.high_pass)};
    }

    std::array<double, 2> process(std::array<double, 2> frame) {
        std::array<std::array<double, 2>, dsp::kDynamicsBands> bands;
        for (std::size_t c = 0; c < 2; ++c) {
            const double x = through(channels_[c].equaliser, recipe_.trim * frame[c]);
            const double rest = through(channels_[c].rest, x);
            bands[0][c] = through(channels_[c].low, x);
            bands[1][c] = through(channels_[c].middle, rest);
            bands[2][c] = through(channels_[c].high, rest);
        }
        frame = {};
        for (std::size_t b = 0; b < dsp::kDynamicsBands; ++b) {
            const double gain = band_gain(b, bands[b]);
            for (std::size_t c = 0; c < 2; ++c) frame[c] += gain * bands[b][c];
        }
        return widened(frame);
    }

private:
    using Chain = std::vector<dsp::Biquad>;
    struct Channel {
        Chain equaliser, low, rest, middle, high;
    };

    static double through(Chain& chain, double x) {
        for (dsp::Biquad& section : chain) x = section.process(x);
        return x;
    }

    double band_gain(std::size_t b, const std::array<double, 2>& band) {
        const dsp::CompressorBandSettings& s = recipe_.compressor.bands[b];
        power_[b] += s.detector * (0.5 * (band[0] * band[0] + band[1] * band[1]) - power_[b]);
        const double level_db = dsp::power_to_db(std::max(power_[b], 1e-20));
        const double wanted_db = dsp::static_reduction_db(s, level_db);
        reduction_db_[b] += (wanted_db > reduction_db_[b] ? s.attack : s.release) * (wanted_db - reduction_db_[b]);
        return dsp::db_to_gain(-reduction_db_[b]);
    }

    std::array<double, 2> widened(std::array<double, 2> frame) {
        const dsp::WidthSettings& s = recipe_.width;
        const double side = 0.5 * (frame[0] - frame[1]);
        const double mid = through(mid_, 0.5 * (frame[0] + frame[1]));
        const double low = s.width * (1.0 - s.mono_bass) * through(side_low_, side);
        const double both = low + s.width * through(side_high_, side);
        return {recipe_.level.gain * (mid + both), recipe_.level.gain * (mid - both)};
    }

    dsp::Recipe recipe_;
    std::array<Channel, 2> channels_;
    Chain mid_, side_low_, side_high_;
    std::array<double, dsp::kDynamicsBands> power_{};
    std::array<double, dsp::kDynamicsBands> reduction_db_{};
};

}  // namespace lacquer::test
