// Tonal equaliser and high-pass: up to ten second-order sections in series.
//
// Threads: not thread-safe; one instance per run.
// Memory:  no heap.
// Latency: none.
#pragma once

#include <array>
#include <cstddef>

#include "dsp/settings.h"
#include "dsp/stereo_biquad.h"
#include "dsp/work_block.h"

namespace lacquer::dsp {

class Equaliser {
public:
    explicit Equaliser(const EqualiserSettings& settings);

    void process(WorkBlock block) LACQUER_REALTIME;
    void reset() LACQUER_REALTIME;

private:
    template <std::size_t Channels>
    void run(WorkBlock block) LACQUER_REALTIME;

    std::array<StereoBiquad, kEqualiserSections> sections_;
    std::size_t used_ = 0;  // sections_[0, used_) are not identity
};

}  // namespace lacquer::dsp
