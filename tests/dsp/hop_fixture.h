// What tests of the hop meter's numbers share.
#pragma once

#include "dsp/hop_meter.h"

namespace lacquer::test {

inline dsp::HopMeasurement measure_hops(dsp::ConstAudioBlock audio, std::uint32_t sample_rate_hz) {
    dsp::HopMeter meter(sample_rate_hz, audio.channel_count);
    while (audio.frame_count > 0) {
        const std::size_t taken = meter.measure(audio).frame_count;
        audio = audio.slice(taken, audio.frame_count - taken);
    }
    return meter.take();
}

}  // namespace lacquer::test
