#include "dsp/crossfade.h"

#include <cassert>

namespace lacquer::dsp {

void crossfade(ConstAudioBlock outgoing, ConstAudioBlock incoming, std::int64_t first_frame, std::int64_t fade_frames,
               AudioBlock out) LACQUER_REALTIME {
    assert(outgoing.frame_count == out.frame_count && incoming.frame_count == out.frame_count);
    const double step = 1.0 / static_cast<double>(fade_frames);
    for (std::size_t c = 0; c < out.channel_count; ++c) {
        for (std::size_t i = 0; i < out.frame_count; ++i) {
            const double weight = (static_cast<double>(first_frame + static_cast<std::int64_t>(i)) + 0.5) * step;
            const double from = outgoing.channels[c][i];
            const double to = incoming.channels[c][i];
            out.channels[c][i] = static_cast<float>(from + weight * (to - from));
        }
    }
}

}  // namespace lacquer::dsp
