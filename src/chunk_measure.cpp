#include "src/chunk_measure.h"

#include <algorithm>

#include "dsp/dequantiser.h"
#include "dsp/profile_meter.h"

namespace lacquer {
namespace {

constexpr std::int64_t kBlockFrames = 4096;

}  // namespace

ChunkLevels measure_chunk(const RenderPlan& plan, std::int64_t index, std::span<const std::byte> bytes) {
    const ChunkLayout layout = chunk_layout(plan, index);
    dsp::ProfileMeter meter(plan.media.sample_rate_hz, plan.channels());
    dsp::AudioBuffer buffer(plan.channels(), kBlockFrames);
    const auto feed = [&](std::uint64_t offset, std::int64_t frames, dsp::SampleFormat format,
                          std::uint64_t frame_bytes) {
        for (std::int64_t at = 0; at < frames; at += kBlockFrames) {
            const auto count = static_cast<std::size_t>(std::min(kBlockFrames, frames - at));
            const auto block = buffer.block().slice(0, count);
            dsp::dequantise(bytes.subspan(offset + static_cast<std::uint64_t>(at) * frame_bytes, count * frame_bytes),
                            format, block);
            meter.measure(block);
        }
    };
    feed(0, layout.span.head_frames(), dsp::SampleFormat::f32, layout.float_frame_bytes);
    feed(layout.head_bytes(), layout.span.middle_frames(), plan.format, layout.frame_bytes);
    const dsp::Profile profile = dsp::finish_profile(meter.take(), layout.span.body_end - layout.span.begin, false);
    return {profile.integrated_lufs, profile.true_peak_dbtp};
}

}  // namespace lacquer
