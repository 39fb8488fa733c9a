// Measures audio into a mergeable sum, and turns a sum into a Profile.
//
// A track is cut into segments that start at multiples of segment_frames(rate); each segment gets a meter of its own,
// warmed up with up to warm_up_frames(rate) frames that come before it. The sums of the segments, merged in track
// order, give the same bits whatever thread measured which segment: the cut is fixed by the rate, never by the number
// of cores.
//
// Method:  ITU-R BS.1770-4 (loudness, gating, true peak), EBU Tech 3342 (range), FFT power spectrum.
// Threads: a meter belongs to one thread; merge and finish are pure.
// Memory:  ProfileSum holds one double per 100 ms and a few KiB; a meter 1.8 MB at 44.1 kHz, 6.6 MB at 192 kHz.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "dsp/audio_block.h"
#include "dsp/profile.h"

namespace lacquer::dsp {

// Opaque outside dsp/: what a stretch of audio adds up to. Value type.
class ProfileSum {
public:
    ProfileSum();
    ProfileSum(const ProfileSum&);
    ProfileSum(ProfileSum&&) noexcept;
    ProfileSum& operator=(const ProfileSum&);
    ProfileSum& operator=(ProfileSum&&) noexcept;
    ~ProfileSum();

    // Adds the stretch that follows this one: next to it, or for a provisional profile anywhere later (no loudness
    // window then spans two stretches). Any grouping of the same appends gives the same bits. Every stretch but the
    // last should be whole hops of 100 ms: a rest is left out of the loudness and of the histograms.
    void append(const ProfileSum& next);

private:
    friend class ProfileMeter;
    friend Profile finish_profile(const ProfileSum&, std::int64_t, bool);
    struct State;
    std::unique_ptr<State> state_;
};

class ProfileMeter {
public:
    // Throws std::invalid_argument when the rate is outside [8000, 192000] Hz or channel_count is not 1 or 2.
    ProfileMeter(std::uint32_t sample_rate_hz, std::size_t channel_count);
    ~ProfileMeter();

    static std::int64_t segment_frames(std::uint32_t sample_rate_hz);  // 24 s of whole 100 ms hops
    static std::int64_t warm_up_frames(std::uint32_t sample_rate_hz);

    // Before the first measure(): what comes before, for the filters; counts nothing. More than the last
    // warm_up_frames(rate) have no part in what is measured.
    void warm_up(ConstAudioBlock block);
    // Cutting a stream into different blocks gives the same bits. NaN, Inf and samples beyond +120 dBFS count as
    // silence.
    void measure(ConstAudioBlock block);
    ProfileSum take();  // what was measured since construction; ends the meter's life

private:
    struct State;
    std::unique_ptr<State> state_;
};

// `frame_count`: the track's length. `provisional`: the sum is of spread windows, so the short-term curve is left out.
Profile finish_profile(const ProfileSum& sum, std::int64_t frame_count, bool provisional);

}  // namespace lacquer::dsp
