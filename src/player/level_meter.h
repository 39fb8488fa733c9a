// How loud what is being heard is. Who fills the device's ring is seconds ahead of the ear: the meter measures there,
// and keeps what it found until it is heard.
//
//     feeder --(frames)--> hops of 100 ms {peaks, K-weighted energy} --queue--> at(frame heard) --> MeterReading
//
// Frames: numbered over everything that is fed, always upwards. A feed() that does not begin where the one before
//          ended begins a new run; what was fed from that frame on, and what drop() names, counts as never heard.
// Method:  ITU-R BS.1770-4 on whole hops of 100 ms from the beginning of the run or the track (as dsp/loudness.h);
//          blocks of 400 ms do not span two runs. The integrated loudness is kept as a histogram of kBinLu with the
//          blocks' powers in it, so that a reading costs the same after a minute and after a day: exact but for blocks
//          that lie within kBinLu of the relative gate.
// Threads: feed() and begin_track() by one; drop() and at() by any. They wait for each other for microseconds at most:
//          not for a device's callback.
// Memory:  160 KiB, and 64 bytes per 100 ms fed and not yet heard.
// Cost:    of a core in real time, stereo 48 kHz: 0.05 % (bench/meter_bench.cpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <span>
#include <vector>

#include "dsp/audio_block.h"
#include "dsp/loudness.h"
#include "src/player/player_status.h"
#include "thread/mutex.h"

namespace lacquer::player {

// Gated loudness of ever more blocks in constant memory.
class GatedLoudness {
public:
    static constexpr double kBinLu = 0.01;

    GatedLoudness();
    void add(double mean_square);  // of a block of 400 ms
    double integrated_lufs() const;
    void clear();

private:
    struct Bin {
        std::uint64_t blocks = 0;
        double power = 0.0;
        Bin& operator+=(const Bin& other);
    };
    static constexpr std::size_t kGroup = 100;
    Bin from(std::size_t first) const;

    std::vector<Bin> bins_;
    std::vector<Bin> groups_;  // sums of kGroup bins each
};

class LevelMeter {
public:
    static constexpr std::int64_t kEndOfTime = std::numeric_limits<std::int64_t>::max();

    LevelMeter(std::uint32_t sample_rate_hz, std::size_t channel_count);

    // Interleaved, as the ear gets it. NaN and what is beyond kLoudestSample count as silence.
    void feed(std::int64_t first_frame, std::span<const float> samples);
    // The integrated loudness begins anew when `frame` is heard: the next one to be fed, or a later one. One before
    // that is a jump back, as in feed().
    void begin_track(std::int64_t frame);
    // Frames [from, to) will not be heard, nor any track that begins there. To be said before at() is asked for later
    // ones.
    void drop(std::int64_t from, std::int64_t to = kEndOfTime);

    // What is heard when `frame` is the next one to be heard; never looks back.
    MeterReading at(std::int64_t frame);

private:
    struct Hop {
        std::int64_t begin = 0;
        std::int64_t end = 0;
        std::array<float, 2> peaks{};  // linear
        double mean_square = 0.0;      // K-weighted, summed over the channels
    };

    void jump_to(std::int64_t frame);
    std::size_t frames_to_next_track();
    void measure(const float* samples, std::size_t frames);
    void finish_hop();
    void drop_hops(std::int64_t from, std::int64_t to) REQUIRES_LOCK(mutex_);
    void hear(const Hop& hop) REQUIRES_LOCK(mutex_);

    const std::size_t channels_;
    const std::int64_t hop_frames_;

    // Of the feeder.
    dsp::KWeightedEnergy energy_;
    dsp::AudioBuffer scratch_;
    Hop hop_;                            // being filled: [begin, end) so far
    std::deque<std::int64_t> to_begin_;  // tracks that begin later than what was fed

    thread::Mutex mutex_;
    std::deque<Hop> ahead_ GUARDED_BY(mutex_);            // in order of their frames
    std::deque<std::int64_t> tracks_ GUARDED_BY(mutex_);  // where they begin; in order
    std::deque<Hop> heard_ GUARDED_BY(mutex_);            // the last four
    std::size_t in_a_row_ GUARDED_BY(mutex_) = 0;         // of them, of one run and one track
    GatedLoudness loudness_ GUARDED_BY(mutex_);
    MeterReading reading_ GUARDED_BY(mutex_);
};

}  // namespace lacquer::player
