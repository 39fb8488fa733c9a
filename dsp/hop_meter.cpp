#include "dsp/hop_meter.h"

#include <algorithm>

#include "dsp/denormals.h"
#include "dsp/filter_design.h"
#include "dsp/k_weighting.h"
#include "dsp/loudness.h"

namespace lacquer::dsp {
namespace {

constexpr std::size_t kBlockFrames = 128;
constexpr std::size_t kMostTaken = 4096;  // at once: what others then read is still in the nearest cache
constexpr std::uint32_t kLowerBandsRateHz = 11'025;
constexpr double kSpeechHz[] = {300.0, 4000.0};

DeltaPoles delta_poles(const BiquadCoefficients& c) {
    return {static_cast<float>(2.0 + c.a1), static_cast<float>(1.0 + c.a1 + c.a2)};
}
DeltaZeros delta_zeros(const BiquadCoefficients& c) {
    return {static_cast<float>(c.b1 / c.b0 + 2.0), static_cast<float>((c.b0 + c.b1 + c.b2) / c.b0)};
}

std::size_t lower_bands_step(std::uint32_t sample_rate_hz) {
    std::size_t step = 1;
    while (sample_rate_hz >= 2 * step * kLowerBandsRateHz) step *= 2;
    return step;
}

// Frames per cycle at most what a section can be built for.
double border(double hz, double sample_rate_hz, double highest) {
    return std::min(hz / sample_rate_hz, highest);
}

template <std::size_t Count, typename Values>
void add_each(std::array<double, Count>& sums, const Values& values) {
    for (std::size_t i = 0; i < Count; ++i) sums[i] += values[i];
}

}  // namespace

void StereoSquares::add(const StereoSquares& other) {
    left += other.left;
    right += other.right;
    middle += other.middle;
    side += other.side;
}

struct HopMeter::Totals {
    std::array<double, kLanes> plain{}, weighted{}, high{}, middle{}, low{};
    std::array<double, kHalfLanes> sum{}, difference{}, speech{}, crossings{};
    std::size_t below_frames = 0;

    template <typename Sums>
    void add(const Sums& other) {
        add_each(plain, other.plain), add_each(weighted, other.weighted);
        add_each(high, other.high), add_each(middle, other.middle), add_each(low, other.low);
        add_each(sum, other.sum), add_each(difference, other.difference);
        add_each(speech, other.speech), add_each(crossings, other.crossings);
    }
};

HopMeter::HopMeter(std::uint32_t sample_rate_hz, std::size_t channel_count)
    : sample_rate_hz_(sample_rate_hz),
      channels_(channel_count),
      hop_(hop_frames(sample_rate_hz)),
      stretch_(kStretchHops * hop_),
      step_(lower_bands_step(sample_rate_hz)),
      warm_up_(hop_ / 2),
      audio_(channel_count, warm_up_ + kHalfLanes * stretch_ + kLaneRounding) {
    const double rate = sample_rate_hz;
    const auto [shelf, low_cut] = k_weighting(sample_rate_hz);
    const auto upper = linkwitz_riley(border(kCrossoversHz[1], rate, 0.4));
    const auto lower = linkwitz_riley(border(kCrossoversHz[0], rate / static_cast<double>(step_), 0.4));
    const auto speech_high_pass = high_pass(border(kSpeechHz[0], rate, 0.45), kButterworthQ);
    const auto speech_low_pass = low_pass(border(kSpeechHz[1], rate, 0.45), kButterworthQ);
    filters_ = {delta_poles(shelf),          delta_zeros(shelf),          delta_poles(low_cut),
                delta_poles(upper.low_pass), delta_poles(lower.low_pass), delta_poles(speech_high_pass),
                delta_poles(speech_low_pass)};
    const auto square = [](double x) { return x * x; };
    const double below = square(square(upper.low_pass.b0));
    gains_ = {square(shelf.b0 * low_cut.b0), square(square(upper.high_pass.b0)),
              below * square(square(lower.high_pass.b0)), below * square(square(lower.low_pass.b0)),
              0.25 * square(speech_high_pass.b0 * speech_low_pass.b0)};
}

ConstAudioBlock HopMeter::warm_up(ConstAudioBlock block) {
    const std::size_t count = std::min(block.frame_count, warm_up_);
    const AudioBlock past = audio_.block().slice(0, warm_up_);
    for (std::size_t c = 0; c < channels_; ++c) {
        std::copy(past.channels[c] + count, past.channels[c] + warm_up_, past.channels[c]);
        copy_undamaged(block.channels[c] + (block.frame_count - count), count, past.channels[c] + (warm_up_ - count));
    }
    return past.slice(warm_up_ - count, count);
}

ConstAudioBlock HopMeter::measure(ConstAudioBlock block) {
    if (filled_ == kHalfLanes * stretch_) run();
    const std::size_t count = std::min({block.frame_count, kHalfLanes * stretch_ - filled_, kMostTaken});
    const AudioBlock taken = audio_.block().slice(warm_up_ + filled_, count);
    for (std::size_t c = 0; c < channels_; ++c) copy_undamaged(block.channels[c], count, taken.channels[c]);
    filled_ += count;
    return taken;
}

// A lane without a stretch repeats the first one; a stretch that is not full ends in silence.
void HopMeter::begin_run(std::size_t stretches) {
    const AudioBlock audio = audio_.block();
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const std::size_t stretch = lane % kHalfLanes < stretches ? lane % kHalfLanes : 0;
        rows_[lane] = audio.channels[lane < kHalfLanes ? 0 : channels_ - 1] + stretch * stretch_;
    }
    for (std::size_t c = 0; c < channels_; ++c)
        std::fill(audio.channels[c] + warm_up_ + filled_, audio.channels[c] + warm_up_ + stretches * stretch_, 0.0f);
    measured_.hops.resize(kept_ + stretches * kStretchHops);
    measured_.speech.resize(measured_.hops.size() * kSpeechFramesPerHop);
    state_ = {};
    skip_ = 0;
    Totals ignored;
    advance(warm_up_, ignored);
}

void HopMeter::run() {
    const FlushDenormals flush;
    const std::size_t stretches = (filled_ + stretch_ - 1) / stretch_;
    begin_run(stretches);
    Totals all;
    for (std::size_t hop = 0; hop < kStretchHops && hop * hop_ < filled_; ++hop) {
        Totals of_hop;
        for (std::size_t frame = 0; frame < kSpeechFramesPerHop; ++frame) {
            const std::size_t count = (frame + 1) * hop_ / kSpeechFramesPerHop - frame * hop_ / kSpeechFramesPerHop;
            Totals of_frame;
            advance(count, of_frame);
            keep_speech(hop * kSpeechFramesPerHop + frame, count, of_frame);
            of_hop.add(of_frame);
            of_hop.below_frames += of_frame.below_frames;
        }
        keep_hop(hop, of_hop);
        all.add(of_hop);
    }
    for (std::size_t s = 0; s < stretches; ++s)
        measured_.squares.add({all.plain[s], all.plain[kHalfLanes + s], 0.25 * all.sum[s], 0.25 * all.difference[s]});
    end_run();
}

// Keeps the whole hops, and what the next stretch is warmed up with.
void HopMeter::end_run() {
    kept_ += filled_ / hop_;
    measured_.hops.resize(kept_);
    measured_.speech.resize(kept_ * kSpeechFramesPerHop);
    for (std::size_t c = 0; c < channels_; ++c) {
        float* samples = audio_.block().channels[c];
        std::copy_n(samples + filled_, warm_up_, samples);
    }
    filled_ = 0;
}

void HopMeter::advance(std::size_t frames, Totals& totals) {
    alignas(64) float lanes[kBlockFrames * kLanes];
    alignas(64) float below[kBlockFrames * kLanes];
    HopSums sums;
    while (frames > 0) {
        const std::size_t count = std::min(frames, kBlockFrames);
        to_lanes(rows_, count, lanes);
        weigh_and_split(filters_, lanes, count, state_, below, sums);
        split_below(filters_, below, count, skip_, step_, state_, sums);
        follow_speech(filters_, lanes, count, state_, sums);
        const std::size_t taken = skip_ < count ? (count - 1 - skip_) / step_ + 1 : 0;
        skip_ += taken * step_ - count;
        totals.add(sums);
        totals.below_frames += taken;
        for (const float*& row : rows_) row += count;
        frames -= count;
    }
}

void HopMeter::keep_speech(std::size_t frame, std::size_t frame_count, const Totals& totals) {
    const auto length = static_cast<double>(frame_count);
    const std::size_t first = kept_ * kSpeechFramesPerHop + frame;
    for (std::size_t s = 0; first + s * kStretchHops * kSpeechFramesPerHop < measured_.speech.size(); ++s)
        measured_.speech[first + s * kStretchHops * kSpeechFramesPerHop] = {
            0.25 * totals.sum[s] / length, gains_.speech * totals.speech[s] / length,
            0.25 * totals.difference[s] / length, totals.crossings[s] * sample_rate_hz_ / length};
}

void HopMeter::keep_hop(std::size_t hop, const Totals& totals) {
    const double per_frame = 1.0 / static_cast<double>(hop_);
    const double per_sample = per_frame / static_cast<double>(channels_);
    const double per_sample_below = 1.0 / static_cast<double>(totals.below_frames * channels_);
    for (std::size_t s = 0; kept_ + s * kStretchHops + hop < measured_.hops.size(); ++s) {
        const auto of_channels = [this, s](const std::array<double, kLanes>& lanes) {
            return channels_ == 1 ? lanes[s] : lanes[s] + lanes[kHalfLanes + s];
        };
        measured_.hops[kept_ + s * kStretchHops + hop] = {
            gains_.weighted * per_frame * of_channels(totals.weighted),
            {gains_.low * per_sample_below * of_channels(totals.low),
             gains_.middle * per_sample_below * of_channels(totals.middle),
             gains_.high * per_sample * of_channels(totals.high)}};
    }
}

HopMeasurement HopMeter::take() {
    if (filled_ > 0) run();
    return std::move(measured_);
}

}  // namespace lacquer::dsp
