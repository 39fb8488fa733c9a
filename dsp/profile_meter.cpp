#include "dsp/profile_meter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "dsp/band_levels.h"
#include "dsp/loudness.h"
#include "dsp/spectrum.h"
#include "dsp/speech.h"
#include "dsp/true_peak.h"
#include "dsp/units.h"

namespace lacquer::dsp {
namespace {

constexpr std::size_t kSegmentHops = 300;
constexpr std::size_t kWarmUpHops = 5;  // the slowest filter's past fades by e^-239 per second
constexpr std::size_t kPieceFrames = 1024;

struct Squares {
    double left = 0.0;
    double right = 0.0;
    double side = 0.0;  // (L-R)/2
    double product = 0.0;

    void add(const Squares& other) {
        left += other.left;
        right += other.right;
        side += other.side;
        product += other.product;
    }
    void measure(ConstAudioBlock block) {
        const auto left_samples = block.channel(0);
        const auto right_samples = block.channel(block.channel_count - 1);
        for (std::size_t i = 0; i < block.frame_count; ++i) {
            const double l = left_samples[i];
            const double r = right_samples[i];
            left += l * l;
            right += r * r;
            side += 0.25 * (l - r) * (l - r);
            product += l * r;
        }
    }
};

// What one meter took.
struct Stretch {
    std::int64_t frame_count = 0;
    std::size_t hop_count = 0;
    Squares squares;
    SpectrumSum spectrum;
};

double correlation(const Squares& squares) {
    if (squares.left == 0.0 && squares.right == 0.0) return 1.0;
    if (squares.left == 0.0 || squares.right == 0.0) return 0.0;
    return std::clamp(squares.product / std::sqrt(squares.left) / std::sqrt(squares.right), -1.0, 1.0);
}

double side_to_mid_db(const Squares& squares) {
    constexpr double kMostDb = 200.0;
    if (squares.side == 0.0) return kSilenceDb;
    const double middle = 0.25 * (squares.left + squares.right + 2.0 * squares.product);
    return middle > 0.0 ? std::clamp(power_to_db(squares.side / middle), kSilenceDb, kMostDb) : kMostDb;
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
    Squares squares;
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
        : sample_rate_hz(rate),
          channels(channel_count),
          hop(hop_frames(rate)),
          clean(channel_count, kPieceFrames),
          energy(rate),
          bands(rate),
          spectrum(rate),
          speech(rate) {}

    template <typename Use>
    void in_clean_pieces(ConstAudioBlock block, Use use);
    void finish_hop();

    std::uint32_t sample_rate_hz;
    std::size_t channels;
    std::size_t hop;
    std::size_t frame_in_hop = 0;
    AudioBuffer clean;
    KWeightedEnergy energy;
    TruePeakMeter peaks;
    BandLevelMeter bands;
    SpectrumMeter spectrum;
    SpeechMeter speech;
    Stretch stretch;
    std::vector<double> hops;
};

// Cuts at hops and at what the buffer holds, and takes damaged samples for silence.
template <typename Use>
void ProfileMeter::State::in_clean_pieces(ConstAudioBlock block, Use use) {
    while (block.frame_count > 0) {
        const std::size_t count = std::min({block.frame_count, kPieceFrames, hop - frame_in_hop});
        for (std::size_t c = 0; c < channels; ++c)
            std::transform(block.channels[c], block.channels[c] + count, clean.block().channels[c],
                           [](float x) { return std::abs(x) <= kLoudestSample ? x : 0.0f; });
        use(ConstAudioBlock(clean.block().slice(0, count)));
        block = block.slice(count, block.frame_count - count);
        frame_in_hop = (frame_in_hop + count) % hop;
    }
}

void ProfileMeter::State::finish_hop() {
    hops.push_back(energy.take() / static_cast<double>(hop));
    bands.count_hop(hop * channels);
    ++stretch.hop_count;
}

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
    assert(block.channel_count == s.channels && s.stretch.frame_count == 0);
    s.in_clean_pieces(block, [&s](ConstAudioBlock piece) {
        s.energy.process(piece);
        s.peaks.process(piece);
        s.bands.process(piece);
        s.speech.warm_up(piece);
    });
    s.energy.take();
    s.bands.forget_hop();
    s.peaks.forget_peaks();
    s.frame_in_hop = 0;
}

void ProfileMeter::measure(ConstAudioBlock block) {
    State& s = *state_;
    assert(block.channel_count == s.channels);
    s.in_clean_pieces(block, [&s](ConstAudioBlock piece) {
        s.energy.process(piece);
        s.peaks.process(piece);
        s.bands.process(piece);
        s.speech.measure(piece);
        s.spectrum.measure(piece);
        s.stretch.squares.measure(piece);
        s.stretch.frame_count += static_cast<std::int64_t>(piece.frame_count);
        if (s.frame_in_hop + piece.frame_count == s.hop) s.finish_hop();
    });
}

ProfileSum ProfileMeter::take() {
    State& s = *state_;
    s.stretch.spectrum = s.spectrum.take();
    ProfileSum sum;
    ProfileSum::State& taken = *sum.state_;
    taken.sample_rate_hz = s.sample_rate_hz;
    taken.channel_count = s.channels;
    taken.stretches = {s.stretch};
    taken.hops = std::move(s.hops);
    for (const SpeechFeatures& window : s.speech.windows())
        taken.speech_confidence.push_back(static_cast<float>(speech_confidence(window)));
    taken.band_levels = s.bands.histograms();
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
