#include "dsp/spectrum.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>
#include <vector>

#include "dsp/denormals.h"
#include "dsp/spectrum_kernels.h"

namespace lacquer::dsp {
namespace {

constexpr double kFirstOctaveHz = 31.25;
constexpr double kFirstThirdOctaveHz = 25.0;

constexpr std::size_t kWindow = kFourierSize;
constexpr std::size_t kBatchWindows = kLanes;  // of each channel: a lane takes two, as real and as imaginary part
constexpr std::size_t kHop = kWindow / 2;
constexpr std::size_t kBatchFrames = kBatchWindows * kHop;
constexpr std::size_t kSpan = kBatchFrames - kHop + kWindow;
constexpr std::size_t kFoldBatches = 64;
constexpr std::size_t kPast = 16 + kDecimatorPast;  // so that the decimator reads from aligned memory on

struct Window {
    std::array<float, kWindow> values;
    std::array<double, kWindow + 1> weights;  // of its first n frames
};

const Window& sine_squared() {
    static const Window window = [] {
        Window made{};
        for (std::size_t i = 0; i < kWindow; ++i) {
            const double s = std::sin(std::numbers::pi * (static_cast<double>(i) + 0.5) / kWindow);
            made.values[i] = static_cast<float>(s * s);
            made.weights[i + 1] = made.weights[i] + s * s * s * s;
        }
        return made;
    }();
    return window;
}

// Sums bin powers between two bins of any fraction; bin k reaches from k - 1/2 to k + 1/2.
double power_between(std::span<const double> bins, double from, double to) {
    const double last = std::min(to + 0.5, static_cast<double>(bins.size()));
    double power = 0.0;
    for (double at = from + 0.5; at < last;) {
        const double next = std::min(std::floor(at) + 1.0, last);
        power += bins[static_cast<std::size_t>(at)] * (next - at);
        at = next;
    }
    return power;
}

// The stream at one of the rates: the frames of a batch of transforms, and those before it that the decimator looks
// back at.
class Level {
public:
    explicit Level(std::size_t channels)
        : frames_(channels, kPast + kSpan + kDecimatorSlack),
          power_(1, kFourierSize * kLanes),
          decimated_(channels, kSpan / kDecimation + kLanes) {}

    std::size_t fill(ConstAudioBlock block);  // returns how many frames there was room for
    bool is_full() const { return filled_ == kSpan; }
    void transform(AudioBlock scratch);
    void transform_rest(AudioBlock scratch);
    ConstAudioBlock decimate_batch() { return decimate(kBatchFrames); }
    ConstAudioBlock decimate_rest() { return decimate(filled_); }
    void drop_batch();

    // Mean power between two frequencies in cycles per frame, summed over the channels.
    double power_between(double from, double to) const;
    // Undoes what `stages` decimators took, and what is in a lane twice.
    void finish(std::size_t stages);

private:
    bool counts(std::size_t begin) const;
    ConstAudioBlock decimate(std::size_t count);
    void fold();

    AudioBuffer frames_;
    std::size_t filled_ = 0;
    AudioBuffer power_;  // of the batches since the last fold
    std::size_t batches_ = 0;
    std::array<double, kFourierSize> bins_{};  // power times weight
    double weight_ = 0.0;
    AudioBuffer decimated_;
};

std::size_t Level::fill(ConstAudioBlock block) {
    const std::size_t count = std::min(block.frame_count, kSpan - filled_);
    for (std::size_t c = 0; c < frames_.channel_count(); ++c)
        std::copy_n(block.channels[c], count, frames_.block().channels[c] + kPast + filled_);
    filled_ += count;
    return count;
}

// A window that is not full counts only where there is no other: the cut would sound in every band.
bool Level::counts(std::size_t begin) const {
    return begin + kWindow <= filled_ || (weight_ == 0.0 && filled_ < kWindow && begin < filled_);
}

void Level::transform(AudioBlock scratch) {
    static constexpr std::array<float, kWindow> kSilence{};
    const AudioBlock audio = frames_.block();
    double weight = 0.0;
    for (std::size_t part = 0; part < 2; ++part) {
        LaneRows rows;
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            const std::size_t begin = (part * kLanes / 2 + lane % (kLanes / 2)) * kHop;
            const float* samples = audio.channels[lane < kLanes / 2 ? 0 : audio.channel_count - 1];
            rows[lane] = counts(begin) ? samples + kPast + begin : kSilence.data();
            if (lane < kLanes / 2 && counts(begin))
                weight += sine_squared().weights[std::min(filled_ - begin, kWindow)];
        }
        to_lanes(rows, sine_squared().values.data(), kWindow, scratch.channels[part]);
    }
    add_power_spectrum(scratch.channels[0], scratch.channels[1], power_.block().channels[0]);
    weight_ += weight;
    if (++batches_ % kFoldBatches == 0) fold();
}

void Level::transform_rest(AudioBlock scratch) {
    const AudioBlock audio = frames_.block();
    for (std::size_t c = 0; c < audio.channel_count; ++c)
        std::fill(audio.channels[c] + kPast + filled_, audio.channels[c] + kPast + kSpan, 0.0f);
    if (counts(0)) transform(scratch);
    fold();
}

ConstAudioBlock Level::decimate(std::size_t count) {
    const AudioBlock block = decimated_.block().slice(0, count / kDecimation);
    for (std::size_t c = 0; c < block.channel_count; ++c)
        dsp::decimate(frames_.block().channels[c] + kPast, block.frame_count, block.channels[c]);
    return block;
}

void Level::drop_batch() {
    for (std::size_t c = 0; c < frames_.channel_count(); ++c) {
        float* samples = frames_.block().channels[c];
        std::copy(samples + kBatchFrames, samples + kPast + kSpan, samples);
    }
    filled_ = kSpan - kBatchFrames;
}

void Level::fold() {
    const std::size_t lanes = frames_.channel_count() == 1 ? kLanes / 2 : kLanes;
    float* power = power_.block().channels[0];
    for (std::size_t k = 0; k < kFourierSize; ++k) {
        const float* of_bin = power + fourier_position(k) * kLanes;
        for (std::size_t lane = 0; lane < lanes; ++lane) bins_[k] += of_bin[lane];
    }
    std::fill_n(power, kFourierSize * kLanes, 0.0f);
}

void Level::finish(std::size_t stages) {
    for (std::size_t k = 1; k < kFourierSize / 2; ++k) bins_[k] += bins_[kFourierSize - k];
    for (std::size_t k = 0; k <= kFourierSize / 2; ++k) {
        double frequency = static_cast<double>(k) / kFourierSize;
        for (std::size_t stage = 0; stage < stages; ++stage) {
            frequency /= kDecimation;
            bins_[k] /= decimator_power(frequency);
        }
    }
}

double Level::power_between(double from, double to) const {
    if (weight_ == 0.0 || from >= to) return 0.0;
    const auto bins = std::span(bins_).first(kFourierSize / 2 + 1);
    return dsp::power_between(bins, from * kFourierSize, to * kFourierSize) / (weight_ * kFourierSize);
}

// Down to windows of a third of a second.
std::size_t level_count(std::uint32_t sample_rate_hz) {
    std::size_t count = 1;
    for (std::size_t frames = kWindow; frames * 3 < sample_rate_hz; frames *= kDecimation) ++count;
    return count;
}

// A level is asked about what is above its 14th bin and, at a quarter of the rate, below that of the level before it.
double lowest_frequency(std::size_t level, std::size_t levels) {
    return level + 1 < levels ? 14.0 / kFourierSize : 0.0;
}

}  // namespace

void SpectrumSum::add(const SpectrumSum& other) {
    for (std::size_t b = 0; b < kOctaveBands; ++b) octaves[b] += other.octaves[b];
    for (std::size_t b = 0; b < kThirdOctaveBands; ++b) third_octaves[b] += other.third_octaves[b];
    weight += other.weight;
}

struct SpectrumMeter::State {
    State(std::uint32_t rate, std::size_t channel_count)
        : sample_rate_hz(rate), channels(channel_count), scratch(2, kFourierSize * kLanes) {
        const std::size_t count = level_count(rate);
        for (std::size_t i = 0; i < count; ++i) levels.emplace_back(channels);
    }

    void feed(std::size_t level, ConstAudioBlock block);
    void finish();
    double power_between(double from_hz, double to_hz) const;
    template <std::size_t Bands>
    void fold(std::array<double, Bands>& bands, double first_hz, double per_octave) const;

    std::uint32_t sample_rate_hz;
    std::size_t channels;
    std::int64_t frame_count = 0;
    std::vector<Level> levels;
    AudioBuffer scratch;
};

void SpectrumMeter::State::feed(std::size_t level, ConstAudioBlock block) {
    Level& l = levels[level];
    while (block.frame_count > 0) {
        const std::size_t count = l.fill(block);
        block = block.slice(count, block.frame_count - count);
        if (!l.is_full()) continue;
        l.transform(scratch.block());
        if (level + 1 < levels.size()) feed(level + 1, l.decimate_batch());
        l.drop_batch();
    }
}

void SpectrumMeter::State::finish() {
    for (std::size_t level = 0; level < levels.size(); ++level) {
        if (level + 1 < levels.size()) feed(level + 1, levels[level].decimate_rest());
        levels[level].transform_rest(scratch.block());
        levels[level].finish(level);
    }
}

double SpectrumMeter::State::power_between(double from_hz, double to_hz) const {
    double power = 0.0;
    double rate_hz = sample_rate_hz;
    double highest_hz = rate_hz;
    for (std::size_t level = 0; level < levels.size(); ++level) {
        const double lowest_hz = lowest_frequency(level, levels.size()) * rate_hz;
        power +=
            levels[level].power_between(std::max(from_hz, lowest_hz) / rate_hz, std::min(to_hz, highest_hz) / rate_hz);
        highest_hz = lowest_hz;
        rate_hz /= kDecimation;
    }
    return power;
}

template <std::size_t Bands>
void SpectrumMeter::State::fold(std::array<double, Bands>& bands, double first_hz, double per_octave) const {
    const double half = std::exp2(0.5 / per_octave);
    const double scale = static_cast<double>(frame_count) / static_cast<double>(channels);
    for (std::size_t b = 0; b < Bands; ++b) {
        const double centre = first_hz * std::exp2(static_cast<double>(b) / per_octave);
        bands[b] = scale * power_between(centre / half, centre * half);
    }
}

SpectrumMeter::SpectrumMeter(std::uint32_t sample_rate_hz, std::size_t channel_count)
    : state_(std::make_unique<State>(sample_rate_hz, channel_count)) {}
SpectrumMeter::~SpectrumMeter() = default;

void SpectrumMeter::measure(ConstAudioBlock block) {
    const FlushDenormals flush;
    state_->frame_count += static_cast<std::int64_t>(block.frame_count);
    state_->feed(0, block);
}

SpectrumSum SpectrumMeter::take() {
    const FlushDenormals flush;
    State& s = *state_;
    s.finish();
    SpectrumSum sum;
    s.fold(sum.octaves, kFirstOctaveHz, 1.0);
    s.fold(sum.third_octaves, kFirstThirdOctaveHz, 3.0);
    sum.weight = static_cast<double>(s.frame_count);
    return sum;
}

}  // namespace lacquer::dsp
