#include "src/player/live_tuner.h"

#include <algorithm>
#include <cmath>
#include <exception>

#include "dsp/filter_design.h"
#include "dsp/tone_curve.h"
#include "dsp/units.h"

namespace lacquer::player {
namespace {

constexpr std::size_t kPieceFrames = 1024;
constexpr double kSteadyLoudnessDb = 0.1;
constexpr double kSteadyToneDb = 0.25;
constexpr double kSteadyThresholdDb = 0.5;
constexpr double kSteadyShare = 0.03;

std::size_t window_frames(std::uint32_t rate_hz) {
    return LiveTuner::kWindowHops * dsp::hop_frames(rate_hz);
}

// As seen from before the trim.
double threshold_db(const dsp::Recipe& recipe, std::size_t band) {
    return recipe.compressor.bands[band].threshold_db - dsp::gain_to_db(recipe.trim);
}

bool same_tone(const dsp::Recipe& a, const dsp::Recipe& b) {
    for (std::size_t band = 0; band < dsp::kOctaveBands; ++band) {
        const double frequency = std::min(0.45, dsp::octave_centre_hz(band) / a.sample_rate_hz);
        const double change_db = dsp::response_db(a.equaliser, frequency) - dsp::response_db(b.equaliser, frequency);
        if (std::abs(change_db) > kSteadyToneDb) return false;
    }
    return true;
}

bool same_dynamics(const dsp::Recipe& a, const dsp::Recipe& b) {
    for (std::size_t band = 0; band < dsp::kDynamicsBands; ++band) {
        if (std::abs(threshold_db(a, band) - threshold_db(b, band)) > kSteadyThresholdDb) return false;
        if (std::abs(a.compressor.bands[band].slope - b.compressor.bands[band].slope) > kSteadyShare) return false;
    }
    return std::abs(a.width.width - b.width.width) <= kSteadyShare && a.saturation.amount == b.saturation.amount;
}

}  // namespace

LiveTuner::LiveTuner(LiveChain& chain, const LiveShape& shape, const dsp::RecipeRequest& request)
    : chain_(chain),
      shape_(shape),
      request_(request),
      channels_(shape.input_channels),
      window_frames_(window_frames(shape.sample_rate_hz)),
      tapped_(kPieceFrames * 2 * channels_),
      side_(kPieceFrames * channels_),
      input_(shape.sample_rate_hz, channels_),
      output_(shape.sample_rate_hz, channels_),
      window_(channels_, window_frames_),
      recipe_(dsp::neutral_recipe(shape.sample_rate_hz, shape.input_channels)) {
    begin_window();
}

LiveReading LiveTuner::reading() const {
    const thread::MutexLock lock(mutex_);
    return reading_;
}

void LiveTuner::work() {
    while (const std::size_t frames = chain_.tap().read(tapped_.data(), kPieceFrames)) measure(tapped_.data(), frames);
    const MeterReading input = input_.at(position_);
    const MeterReading output = output_.at(position_);
    const thread::MutexLock lock(mutex_);
    reading_.input = input;
    reading_.output = output;
}

void LiveTuner::measure(const float* frames, std::size_t count) {
    const auto pick = [&](std::size_t first) {
        for (std::size_t i = 0; i < count; ++i) {
            std::copy_n(frames + i * 2 * channels_ + first, channels_, side_.data() + i * channels_);
        }
        return std::span<const float>(side_).first(count * channels_);
    };
    output_.feed(position_, pick(channels_));
    const std::span<const float> input = pick(0);
    input_.feed(position_, input);
    position_ += static_cast<std::int64_t>(count);

    for (std::size_t done = 0; done < count;) {
        const std::size_t part = std::min(count - done, window_frames_ - in_window_);
        const dsp::AudioBlock block = window_.block().slice(in_window_, part);
        for (std::size_t i = 0; i < part; ++i) {
            for (std::size_t c = 0; c < channels_; ++c) block.channels[c][i] = input[(done + i) * channels_ + c];
        }
        meter_->measure(block);
        in_window_ += part;
        done += part;
        if (in_window_ == window_frames_) end_window();
    }
}

void LiveTuner::begin_window() {
    meter_.emplace(shape_.sample_rate_hz, channels_);
    in_window_ = 0;
}

// One with a hole in it says nothing.
void LiveTuner::end_window() {
    const dsp::ProfileSum sum = meter_->take();
    const bool whole = lost_frames_ == chain_.lost_frames();
    lost_frames_ = chain_.lost_frames();
    begin_window();
    if (whole) meter_->warm_up(window_.block());
    const dsp::Profile heard = dsp::finish_profile(sum, static_cast<std::int64_t>(window_frames_), true);
    if (!whole || heard.integrated_lufs < dsp::kNearSilenceLufs || request_.intensity == 0.0) return;
    windows_.push_back(sum);
    if (windows_.size() > kWindows) windows_.pop_front();
    decide_or_keep();
}

// What one decision fails with would end the thread, and with it the program and the sound, while the recipe at work is
// still a good one; the next window is another chance.
void LiveTuner::decide_or_keep() {
    try {
        decide();
    } catch (const std::exception& error) {
        const thread::MutexLock lock(mutex_);
        reading_.bound = std::string("no other recipe: ") + error.what();
    }
}

void LiveTuner::decide() {
    dsp::ProfileSum sum = windows_.front();
    for (std::size_t i = 1; i < windows_.size(); ++i) sum.append(windows_[i]);
    const auto frames = static_cast<std::int64_t>(windows_.size() * window_frames_);
    const dsp::Profile profile = dsp::finish_profile(sum, frames, true);
    dsp::RecipeOutcome outcome = dsp::derive_recipe(profile, request_);

    const double wanted_db = outcome.predicted_lufs - profile.integrated_lufs;
    const double loudness_db = std::clamp(wanted_db, loudness_db_ - kStepDb, loudness_db_ + kStepDb);
    outcome.recipe.level.gain *= dsp::db_to_gain(loudness_db - wanted_db);
    if (hardly_differs(outcome.recipe, loudness_db) || !chain_.offer(outcome.recipe)) return;
    recipe_ = outcome.recipe;
    loudness_db_ = loudness_db;

    const thread::MutexLock lock(mutex_);
    reading_.gain_db = loudness_db;
    reading_.bound = outcome.bound;
    reading_.measured_seconds = static_cast<double>(frames) / shape_.sample_rate_hz;
    ++reading_.recipes;
}

bool LiveTuner::hardly_differs(const dsp::Recipe& next, double loudness_db) const {
    return std::abs(loudness_db - loudness_db_) <= kSteadyLoudnessDb && same_tone(next, recipe_) &&
           same_dynamics(next, recipe_);
}

}  // namespace lacquer::player
