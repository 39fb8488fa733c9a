// How far the chain holds down what is being heard. What is heard may come out of the cache, rendered long ago: so a
// thread of low priority decodes the source around the playhead once more, runs the plan's recipe on it, at the pace of
// the playhead, and only looks at the dynamics.
//
//     at(plan, frame) --> wanted --> [thread: decoder -> Enhancer -> take_reduction() per 100 ms] --> known --> at()
//
// Nothing waits for it: what is not known (yet), because of a jump, a decoder that fails or one that hangs, is nullopt.
// After a jump it begins kWarmUpSeconds early; the slowest release of a preset (dsp/preset.h) has then faded to less
// than a sixth. A plan whose source failed is tried again 5 s of playing later.
//
// Threads: at() by one. The destructor waits for the thread for 0.2 s; one that hangs in a decoder is left behind, and
//          ends when the decoder comes back.
// Memory:  a decoder and an enhancer, one of each at a time.
// Cost:    about that of enhancing in real time: 0.1 % of a core for a WAV file of 44.1 kHz (bench/meter_bench.cpp).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <thread>

#include "src/media/decoder.h"
#include "src/player/player_status.h"
#include "src/render_plan.h"

namespace lacquer::player {

class ReductionMeter {
public:
    static constexpr double kWarmUpSeconds = 0.5;
    static constexpr double kAheadSeconds = 0.3;

    explicit ReductionMeter(media::OpenDecoder open = media::real_decoders());
    ~ReductionMeter();
    ReductionMeter(const ReductionMeter&) = delete;  // it owns a thread
    ReductionMeter& operator=(const ReductionMeter&) = delete;

    // Of the 100 ms around `frame` of the plan's track, the next one to be heard; from then on those after it are
    // looked at. To be asked about ten times a second. Null, or a plan that changes nothing: the thread rests.
    std::optional<GainReduction> at(const PlanPtr& plan, std::int64_t frame);

private:
    struct State;
    static void work(State& state);

    // Shared: a thread that hangs in a decoder outlives the meter.
    std::shared_ptr<State> state_;
    std::thread thread_;
};

}  // namespace lacquer::player
