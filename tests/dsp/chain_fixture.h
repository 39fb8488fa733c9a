// What the tests of the chain share: profiles of whole signals, runs of the enhancer, stages fed with floats.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "dsp/enhancer.h"
#include "dsp/profile_meter.h"
#include "dsp/recipe.h"
#include "dsp/stereo_block.h"
#include "tests/support/signals.h"

namespace lacquer::test {

inline dsp::Profile profile_of(dsp::ConstAudioBlock block, std::uint32_t sample_rate_hz = 48'000) {
    dsp::ProfileMeter meter(sample_rate_hz, block.channel_count);
    meter.measure(block);
    return dsp::finish_profile(meter.take(), static_cast<std::int64_t>(block.frame_count), false);
}

inline dsp::AudioBuffer enhanced(const dsp::Recipe& recipe, dsp::ConstAudioBlock block, std::int64_t first_frame = 0) {
    dsp::AudioBuffer out = copy(block);
    dsp::Enhancer(recipe, first_frame).process(out.block());
    return out;
}

inline dsp::AudioBuffer enhanced_in_cuts(const dsp::Recipe& recipe, dsp::ConstAudioBlock block,
                                         const std::vector<std::size_t>& cuts) {
    dsp::AudioBuffer out = copy(block);
    dsp::Enhancer enhancer(recipe, 0);
    std::size_t done = 0;
    for (const std::size_t frames : cuts) {
        enhancer.process(out.block().slice(done, frames));
        done += frames;
    }
    return out;
}

// Runs a stage that works on stereo blocks over audio of any length; mono travels as two equal channels. What the last
// group lacks is silence, so only the last call may have a length that is no multiple of a group.
template <typename Stage>
class AsStereo {
public:
    explicit AsStereo(Stage& stage) : stage_(stage), scratch_(2, dsp::kWorkFrames) {}

    void process(dsp::AudioBlock block) noexcept {
        for (std::size_t done = 0; done < block.frame_count;) {
            const std::size_t frames = std::min(dsp::kWorkFrames, block.frame_count - done);
            process_short(block.slice(done, frames));
            done += frames;
        }
    }

private:
    void process_short(dsp::AudioBlock block) noexcept {
        float* const samples = scratch_.block().channels[0];  // both channels in one line: twice kWorkFrames samples
        const float* const right = block.channels[block.channel_count - 1];
        const std::size_t groups = (block.frame_count + dsp::kGroupFrames - 1) / dsp::kGroupFrames;
        std::fill_n(samples, 2 * groups * dsp::kGroupFrames, 0.0f);
        for (std::size_t i = 0; i < block.frame_count; ++i) {
            samples[2 * i] = block.channels[0][i];
            samples[2 * i + 1] = right[i];
        }
        stage_.process(dsp::StereoBlock{samples, groups * dsp::kGroupFrames});
        for (std::size_t i = 0; i < block.frame_count; ++i) {
            for (std::size_t c = 0; c < block.channel_count; ++c) block.channels[c][i] = samples[2 * i + c];
        }
    }

    Stage& stage_;
    dsp::AudioBuffer scratch_;
};

}  // namespace lacquer::test
