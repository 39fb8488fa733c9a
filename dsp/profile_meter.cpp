#include "dsp/profile_meter.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "dsp/band_levels.h"
#include "dsp/hop_meter.h"
#include "dsp/loudness.h"
#include "dsp/spectrum.h"
#include "dsp/speech.h"
#include "dsp/true_peak.h"
#include "dsp/units.h"

namespace lacquer::dsp {
namespace {

constexpr std::size_t kSegmentHops = 240;  // whole groups of the hop meter's stretches, whole windows of speech
constexpr std::size_t kWarmUpHops = 1;

// What one meter took.
struct Stretch {
    std::int64_t frame_count = 0;
    std::size_t hop_count = 0;
    StereoSquares squares;
    SpectrumSum spectrum;
};

double correlation(const StereoSquares& squares) {
    if (squares.left == 0.0 && squares.right == 0.0) return 1.0;
    if (squares.left == 0.0 || squares.right == 0.0) return 0.0;
    return std::clamp((squares.middle - squares.side) / std::sqrt(squares.left) / std::sqrt(squares.right), -1.0, 1.0);
}

double side_to_mid_db(const StereoSquares& squares) {
    constexpr double kMostDb = 200.0;
    if (squares.side == 0.0) return kSilenceDb;
    if (squares.middle == 0.0) return kMostDb;
    return std::clamp(power_to_db(squares.side / squares.middle), kSilenceDb, kMostDb);
}

template <std::size_t Bands>
std::array<double, Bands> band_levels_dbfs(const std::array<double, Bands>& powers, double weight) {
    std::array<double, Bands> levels;
    std::transform(powers.begin(), powers.end(), levels.begin(),
                   [weight](double power) { return weight > 0.0 ? power_to_db(power / weight) : kSilenceDb; });
    return levels;
}

}  // namespace

// Everything here joins by putting one behind the other, or by an exact sum or maximum: so any grouping of appends
// gives the same bits. The rounding sums are made once, in track order, by finish_profile.
struct ProfileSum::State {
    std::uint32_t sample_rate_hz = 0;
    std::size_t channel_count = 0;
    std::vector<Stretch> stretches;
    std::vector<double> hops;  // K-weighted mean squares
    std::vector<float> speech_confidence;
    BandHistograms band_levels{};
    double true_peak = 0.0;
    double sample_peak = 0.0;
    TruePeakHistory end{};  // of the last stretch

    void append(const State& next);
    std::vector<std::span<const double>> runs(bool every_stretch_alone) const;
    void loudness_into(Profile& profile) const;
    void energies_into(Profile& profile) const;
};

void ProfileSum::State::append(const State& next) {
    if (next.stretches.empty()) return;
    sample_rate_hz = next.sample_rate_hz;
    channel_count = std::max(channel_count, next.channel_count);
    stretches.insert(stretches.end(), next.stretches.begin(), next.stretches.end());
    hops.insert(hops.end(), next.hops.begin(), next.hops.end());
    speech_confidence.insert(speech_confidence.end(), next.speech_confidence.begin(), next.speech_confidence.end());
    for (std::size_t band = 0; band < kDynamicsBands; ++band)
        for (std::size_t bin = 0; bin < kLevelBins; ++bin) band_levels[band][bin] += next.band_levels[band][bin];
    true_peak = std::max(true_peak, next.true_peak);
    sample_peak = std::max(sample_peak, next.sample_peak);
    end = next.end;
}

std::vector<std::span<const double>> ProfileSum::State::runs(bool every_stretch_alone) const {
    std::vector<std::span<const double>> runs;
    const std::span<const double> all = hops;
    if (!every_stretch_alone) return {all};
    std::size_t first = 0;
    for (const Stretch& stretch : stretches) {
        runs.push_back(all.subspan(first, stretch.hop_count));
        first += stretch.hop_count;
    }
    return runs;
}

void ProfileSum::State::loudness_into(Profile& profile) const {
    const auto parts = runs(profile.provisional);
    profile.integrated_lufs = integrated_lufs(parts);
    profile.loudness_range_lu = loudness_range_lu(parts);
    if (!profile.provisional) profile.short_term_lufs = short_term_curve(hops);
    const double last = profile.provisional ? 0.0 : true_peak_after(end);
    profile.true_peak_dbtp = gain_to_db(std::max(true_peak, last));
    profile.sample_peak_dbfs = gain_to_db(sample_peak);
}

void ProfileSum::State::energies_into(Profile& profile) const {
    StereoSquares squares;
    SpectrumSum spectrum;
    double frames = 0.0;
    for (const Stretch& stretch : stretches) {
        squares.add(stretch.squares);
        spectrum.add(stretch.spectrum);
        frames += static_cast<double>(stretch.frame_count);
    }
    if (frames > 0.0) profile.rms_dbfs = power_to_db(0.5 * (squares.left + squares.right) / frames);
    if (profile.rms_dbfs > kSilenceDb) profile.crest_db = profile.sample_peak_dbfs - profile.rms_dbfs;
    profile.stereo_correlation = correlation(squares);
    profile.side_to_mid_db = side_to_mid_db(squares);
    profile.octave_dbfs = band_levels_dbfs(spectrum.octaves, spectrum.weight);
    profile.third_octave_dbfs = band_levels_dbfs(spectrum.third_octaves, spectrum.weight);
}

ProfileSum::ProfileSum() : state_(std::make_unique<State>()) {}
ProfileSum::ProfileSum(const ProfileSum& other) : state_(std::make_unique<State>(*other.state_)) {}
ProfileSum::ProfileSum(ProfileSum&&) noexcept = default;
ProfileSum& ProfileSum::operator=(const ProfileSum& other) {
    *state_ = *other.state_;
    return *this;
}
ProfileSum& ProfileSum::operator=(ProfileSum&&) noexcept = default;
ProfileSum::~ProfileSum() = default;

void ProfileSum::append(const ProfileSum& next) {
    state_->append(*next.state_);
}

struct ProfileMeter::State {
    State(std::uint32_t rate, std::size_t channel_count)
        : sample_rate_hz(rate), channels(channel_count), hops(rate, channel_count), spectrum(rate, channel_count) {}

    std::uint32_t sample_rate_hz;
    std::size_t channels;
    std::int64_t frame_count = 0;
    HopMeter hops;
    TruePeakMeter peaks;
    SpectrumMeter spectrum;
};

ProfileMeter::ProfileMeter(std::uint32_t sample_rate_hz, std::size_t channel_count) {
    if (sample_rate_hz < 8000 || sample_rate_hz > 192'000)
        throw std::invalid_argument("sample rate " + std::to_string(sample_rate_hz) + " Hz is outside [8000, 192000]");
    if (channel_count < 1 || channel_count > kMaxChannels)
        throw std::invalid_argument("channel count " + std::to_string(channel_count) + " is not 1 or 2");
    state_ = std::make_unique<State>(sample_rate_hz, channel_count);
}
ProfileMeter::~ProfileMeter() = default;

std::int64_t ProfileMeter::segment_frames(std::uint32_t sample_rate_hz) {
    return static_cast<std::int64_t>(kSegmentHops * hop_frames(sample_rate_hz));
}
std::int64_t ProfileMeter::warm_up_frames(std::uint32_t sample_rate_hz) {
    return static_cast<std::int64_t>(kWarmUpHops * hop_frames(sample_rate_hz));
}

void ProfileMeter::warm_up(ConstAudioBlock block) {
    State& s = *state_;
    assert(block.channel_count == s.channels && s.frame_count == 0);
    s.peaks.process(s.hops.warm_up(block));
    s.peaks.forget_peaks();
}

void ProfileMeter::measure(ConstAudioBlock block) {
    State& s = *state_;
    assert(block.channel_count == s.channels);
    while (block.frame_count > 0) {
        const ConstAudioBlock taken = s.hops.measure(block);
        s.peaks.process(taken);
        s.spectrum.measure(taken);
        s.frame_count += static_cast<std::int64_t>(taken.frame_count);
        block = block.slice(taken.frame_count, block.frame_count - taken.frame_count);
    }
}

ProfileSum ProfileMeter::take() {
    State& s = *state_;
    const HopMeasurement measured = s.hops.take();
    ProfileSum sum;
    ProfileSum::State& taken = *sum.state_;
    taken.sample_rate_hz = s.sample_rate_hz;
    taken.channel_count = s.channels;
    taken.stretches = {{s.frame_count, measured.hops.size(), measured.squares, s.spectrum.take()}};
    for (const HopLevels& hop : measured.hops) {
        taken.hops.push_back(hop.weighted);
        count_levels(taken.band_levels, hop.bands);
    }
    for (const SpeechFeatures& window : speech_windows(measured.speech))
        taken.speech_confidence.push_back(static_cast<float>(speech_confidence(window)));
    taken.true_peak = s.peaks.true_peak();
    taken.sample_peak = s.peaks.sample_peak();
    taken.end = s.peaks.history();
    return sum;
}

Profile finish_profile(const ProfileSum& sum, std::int64_t frame_count, bool provisional) {
    const ProfileSum::State& state = *sum.state_;
    Profile profile;
    profile.sample_rate_hz = state.sample_rate_hz;
    profile.channel_count = static_cast<std::uint32_t>(state.channel_count);
    profile.frame_count = frame_count;
    profile.provisional = provisional;
    state.loudness_into(profile);
    state.energies_into(profile);
    profile.band_levels = state.band_levels;
    profile.speech_confidence = state.speech_confidence;
    return profile;
}

}  // namespace lacquer::dsp
