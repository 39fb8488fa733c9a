// Loudness and true peak of one rendered chunk, for people who watch a render.
#pragma once

#include <cstddef>
#include <span>

#include "src/render_plan.h"

namespace lacquer {

struct ChunkLevels {
    double loudness_lufs = dsp::kLoudnessFloorLufs;
    double true_peak_dbtp = -200.0;
};

// `bytes`: the whole chunk as its layout says. Costs about as much as measuring 30 s of a track.
ChunkLevels measure_chunk(const RenderPlan& plan, std::int64_t index, std::span<const std::byte> bytes);

}  // namespace lacquer
