#include "src/player/level_meter.h"

#include <algorithm>
#include <cmath>

#include "dsp/interleave.h"
#include "dsp/units.h"

namespace lacquer::player {
namespace {

constexpr std::size_t kScratchFrames = 1024;
constexpr double kTopLufs = 30.0;  // what is louder lies in the last bin
constexpr double kRelativeGate = 0.1;

std::size_t bin_of(double lufs) {
    constexpr auto kLast = static_cast<std::size_t>((kTopLufs - dsp::kLoudnessFloorLufs) / GatedLoudness::kBinLu);
    const double place = std::max(0.0, (lufs - dsp::kLoudnessFloorLufs) / GatedLoudness::kBinLu);
    return std::min(kLast, static_cast<std::size_t>(place));
}

float peak_of(std::span<float> samples) {
    float peak = 0.0f;
    for (float& sample : samples) {
        if (!(std::abs(sample) <= dsp::kLoudestSample)) sample = 0.0f;
        peak = std::max(peak, std::abs(sample));
    }
    return peak;
}

}  // namespace

GatedLoudness::GatedLoudness() : bins_(bin_of(kTopLufs) + 1), groups_(bins_.size() / kGroup + 1) {}

GatedLoudness::Bin& GatedLoudness::Bin::operator+=(const Bin& other) {
    blocks += other.blocks;
    power += other.power;
    return *this;
}

void GatedLoudness::clear() {
    std::fill(bins_.begin(), bins_.end(), Bin{});
    std::fill(groups_.begin(), groups_.end(), Bin{});
}

void GatedLoudness::add(double mean_square) {
    const double lufs = dsp::mean_square_to_lufs(mean_square);
    if (lufs <= dsp::kLoudnessFloorLufs) return;
    const Bin block{1, mean_square};
    bins_[bin_of(lufs)] += block;
    groups_[bin_of(lufs) / kGroup] += block;
}

GatedLoudness::Bin GatedLoudness::from(std::size_t first) const {
    Bin sum;
    for (; first < bins_.size() && first % kGroup != 0; ++first) sum += bins_[first];
    for (std::size_t group = (first + kGroup - 1) / kGroup; group < groups_.size(); ++group) sum += groups_[group];
    return sum;
}

double GatedLoudness::integrated_lufs() const {
    const auto mean_from = [this](std::size_t first) {
        const Bin sum = from(first);
        return sum.blocks == 0 ? 0.0 : sum.power / static_cast<double>(sum.blocks);
    };
    const double gate_lufs = dsp::mean_square_to_lufs(mean_from(0) * kRelativeGate);
    return dsp::mean_square_to_lufs(mean_from(bin_of(gate_lufs)));
}

LevelMeter::LevelMeter(std::uint32_t sample_rate_hz, std::size_t channel_count)
    : channels_(channel_count),
      hop_frames_(static_cast<std::int64_t>(dsp::hop_frames(sample_rate_hz))),
      energy_(sample_rate_hz),
      scratch_(channel_count, kScratchFrames) {}

void LevelMeter::feed(std::int64_t first_frame, std::span<const float> samples) {
    if (first_frame != hop_.end) jump_to(first_frame);
    std::size_t left = samples.size() / channels_;
    const float* from = samples.data();
    while (left > 0) {
        const auto room = static_cast<std::size_t>(hop_.begin + hop_frames_ - hop_.end);
        const std::size_t frames = std::min({left, room, kScratchFrames, frames_to_next_track()});
        measure(from, frames);
        from += frames * channels_;
        left -= frames;
        if (frames == room) finish_hop();
    }
}

void LevelMeter::jump_to(std::int64_t frame) {
    energy_.take();
    hop_ = {frame, frame, {}, 0.0};
    to_begin_.clear();
    drop(frame);
}

// No hop has a part in two tracks: what was begun of one is left out where the next one begins.
std::size_t LevelMeter::frames_to_next_track() {
    for (; !to_begin_.empty() && to_begin_.front() <= hop_.end; to_begin_.pop_front()) {
        energy_.take();
        hop_ = {hop_.end, hop_.end, {}, 0.0};
    }
    return to_begin_.empty() ? kScratchFrames : static_cast<std::size_t>(to_begin_.front() - hop_.end);
}

void LevelMeter::measure(const float* samples, std::size_t frames) {
    const dsp::AudioBlock block = scratch_.block().slice(0, frames);
    if (channels_ == 1) {
        std::copy_n(samples, frames, block.channels[0]);
    } else {
        dsp::deinterleave(samples, frames, block.channels[0], block.channels[1]);
    }
    for (std::size_t c = 0; c < channels_; ++c) hop_.peaks[c] = std::max(hop_.peaks[c], peak_of(block.channel(c)));
    energy_.process(block);
    hop_.end += static_cast<std::int64_t>(frames);
}

void LevelMeter::finish_hop() {
    hop_.mean_square = energy_.take() / static_cast<double>(hop_frames_);
    if (channels_ == 1) hop_.peaks[1] = hop_.peaks[0];
    {
        const thread::MutexLock lock(mutex_);
        ahead_.push_back(hop_);
    }
    hop_ = {hop_.end, hop_.end, {}, 0.0};
}

void LevelMeter::begin_track(std::int64_t frame) {
    if (frame < hop_.end) jump_to(frame);
    to_begin_.push_back(frame);
    const thread::MutexLock lock(mutex_);
    tracks_.push_back(frame);
}

void LevelMeter::drop(std::int64_t from, std::int64_t to) {
    const thread::MutexLock lock(mutex_);
    drop_hops(from, to);
}

void LevelMeter::drop_hops(std::int64_t from, std::int64_t to) {
    std::erase_if(ahead_, [=](const Hop& hop) { return hop.end > from && hop.begin < to; });
    std::erase_if(tracks_, [=](std::int64_t begin) { return begin >= from && begin < to; });
}

void LevelMeter::hear(const Hop& hop) {
    const bool follows = !heard_.empty() && heard_.back().end == hop.begin;
    in_a_row_ = follows ? in_a_row_ + 1 : 1;
    if (heard_.size() == dsp::kMomentaryHops) heard_.pop_front();
    heard_.push_back(hop);
    double power = 0.0;
    for (const Hop& part : heard_) power += part.mean_square / dsp::kMomentaryHops;
    if (in_a_row_ >= dsp::kMomentaryHops) loudness_.add(power);
    reading_.momentary_lufs = dsp::mean_square_to_lufs(power);
    for (std::size_t c = 0; c < 2; ++c) reading_.peak_dbfs[c] = dsp::gain_to_db(static_cast<double>(hop.peaks[c]));
}

MeterReading LevelMeter::at(std::int64_t frame) {
    const thread::MutexLock lock(mutex_);
    bool changed = false;
    const auto begin_tracks = [&](std::int64_t until) REQUIRES_LOCK(mutex_) {
        for (; !tracks_.empty() && tracks_.front() <= until; tracks_.pop_front()) {
            loudness_.clear();
            in_a_row_ = 0;
            changed = true;
        }
    };
    for (; !ahead_.empty() && ahead_.front().end <= frame; ahead_.pop_front()) {
        begin_tracks(ahead_.front().begin);
        hear(ahead_.front());
        changed = true;
    }
    begin_tracks(frame);
    if (changed) reading_.integrated_lufs = loudness_.integrated_lufs();
    return reading_;
}

}  // namespace lacquer::player
