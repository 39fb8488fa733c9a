#include "tests/support/signals.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lacquer::test {
namespace {

constexpr double kTwoPi = 2.0 * std::numbers::pi;

double gain(double db) {
    return std::pow(10.0, db / 20.0);
}

template <typename SampleAt>
dsp::AudioBuffer same_in_all_channels(double seconds, const Format& format, SampleAt sample_at) {
    dsp::AudioBuffer buffer(format.channels, frames_of(seconds, format));
    auto block = buffer.block();
    for (std::size_t i = 0; i < block.frame_count; ++i) {
        const auto x = static_cast<float>(sample_at(i));
        for (std::size_t c = 0; c < block.channel_count; ++c) block.channels[c][i] = x;
    }
    return buffer;
}

void set_rms_db(std::span<float> samples, double rms_dbfs) {
    double sum = 0.0;
    for (float x : samples) sum += double{x} * x;
    if (sum == 0.0) return;
    const double factor = gain(rms_dbfs) / std::sqrt(sum / static_cast<double>(samples.size()));
    for (float& x : samples) x = static_cast<float>(x * factor);
}

// Paul Kellet's sum of one-pole filters, designed for 44.1 kHz and good to 0.05 dB there; other rates shift the band
// in which it holds.
class Pinking {
public:
    double process(double white) {
        constexpr double kPole[] = {0.99886, 0.99332, 0.96900, 0.86650, 0.55000, -0.7616};
        constexpr double kGain[] = {0.0555179, 0.0750759, 0.1538520, 0.3104856, 0.5329522, -0.0168980};
        double sum = delayed_ + 0.5362 * white;
        for (std::size_t k = 0; k < 6; ++k) {
            state_[k] = kPole[k] * state_[k] + kGain[k] * white;
            sum += state_[k];
        }
        delayed_ = 0.115926 * white;
        return sum;
    }

private:
    double state_[6] = {};
    double delayed_ = 0.0;
};

}  // namespace

std::size_t frames_of(double seconds, const Format& format) {
    return static_cast<std::size_t>(std::llround(seconds * format.sample_rate_hz));
}

dsp::AudioBuffer silence(double seconds, const Format& format) {
    return dsp::AudioBuffer(format.channels, frames_of(seconds, format));
}

dsp::AudioBuffer sine(double hz, double dbfs, double seconds, const Format& format, double phase_degrees) {
    const double peak = gain(dbfs);
    const double phase = phase_degrees / 360.0;
    return same_in_all_channels(seconds, format, [&](std::size_t i) {
        const double turns = hz * static_cast<double>(i) / format.sample_rate_hz + phase;
        return peak * std::sin(kTwoPi * (turns - std::floor(turns)));
    });
}

dsp::AudioBuffer white_noise(std::uint64_t seed, double rms_dbfs, double seconds, const Format& format) {
    dsp::AudioBuffer buffer(format.channels, frames_of(seconds, format));
    auto block = buffer.block();
    Random random(seed);
    for (std::size_t c = 0; c < block.channel_count; ++c) {
        for (float& x : block.channel(c)) x = static_cast<float>(random.normal());
        set_rms_db(block.channel(c), rms_dbfs);
    }
    return buffer;
}

dsp::AudioBuffer pink_noise(std::uint64_t seed, double rms_dbfs, double seconds, const Format& format) {
    dsp::AudioBuffer buffer(format.channels, frames_of(seconds, format));
    auto block = buffer.block();
    Random random(seed);
    for (std::size_t c = 0; c < block.channel_count; ++c) {
        Pinking pinking;
        for (float& x : block.channel(c)) x = static_cast<float>(pinking.process(random.normal()));
        set_rms_db(block.channel(c), rms_dbfs);
    }
    return buffer;
}

dsp::AudioBuffer chirp(double from_hz, double to_hz, double dbfs, double seconds, const Format& format) {
    const double peak = gain(dbfs);
    const double octaves = std::log(to_hz / from_hz);
    return same_in_all_channels(seconds, format, [&](std::size_t i) {
        const double t = static_cast<double>(i) / format.sample_rate_hz / seconds;
        return peak * std::sin(kTwoPi * from_hz * seconds * std::expm1(t * octaves) / octaves);
    });
}

dsp::AudioBuffer impulse(std::size_t at_frame, double dbfs, double seconds, const Format& format) {
    return same_in_all_channels(seconds, format, [&](std::size_t i) { return i == at_frame ? gain(dbfs) : 0.0; });
}

dsp::AudioBuffer sine_sections(double hz, const std::vector<Section>& sections, const Format& format) {
    double seconds = 0.0;
    for (const Section& section : sections) seconds += section.seconds;
    dsp::AudioBuffer buffer = sine(hz, 0.0, seconds, format);
    double end = 0.0;
    std::size_t first = 0;
    for (const Section& section : sections) {
        end += section.seconds;
        const std::size_t last = std::min(frames_of(end, format), buffer.frame_count());
        scale_db(buffer.block().slice(first, last - first), section.dbfs);
        first = last;
    }
    return buffer;
}

dsp::AudioBuffer copy(dsp::ConstAudioBlock block) {
    return concatenate({block});
}

dsp::AudioBuffer concatenate(const std::vector<dsp::ConstAudioBlock>& parts) {
    std::size_t frames = 0;
    for (const auto& part : parts) frames += part.frame_count;
    dsp::AudioBuffer buffer(parts.front().channel_count, frames);
    std::size_t first = 0;
    for (const auto& part : parts) {
        for (std::size_t c = 0; c < part.channel_count; ++c)
            std::copy_n(part.channels[c], part.frame_count, buffer.block().channels[c] + first);
        first += part.frame_count;
    }
    return buffer;
}

void scale_db(dsp::AudioBlock block, double gain_db) {
    const double factor = gain(gain_db);
    for (std::size_t c = 0; c < block.channel_count; ++c)
        for (float& x : block.channel(c)) x = static_cast<float>(x * factor);
}

void add(dsp::AudioBlock to, dsp::ConstAudioBlock what) {
    assert(to.channel_count == what.channel_count && to.frame_count == what.frame_count);
    for (std::size_t c = 0; c < to.channel_count; ++c)
        for (std::size_t i = 0; i < to.frame_count; ++i) to.channels[c][i] += what.channels[c][i];
}

std::uint64_t Random::next() noexcept {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

double Random::uniform() noexcept {
    return static_cast<double>(next() >> 11) * 0x1p-53;
}

double Random::normal() noexcept {
    double sum = -6.0;
    for (int k = 0; k < 12; ++k) sum += uniform();
    return sum;
}

std::size_t Random::below(std::size_t bound) noexcept {
    return static_cast<std::size_t>(next() % bound);
}

std::vector<std::size_t> uneven_cuts(std::size_t frame_count, std::size_t largest, std::uint64_t seed) {
    Random random(seed);
    std::vector<std::size_t> sizes;
    for (std::size_t done = 0; done < frame_count; done += sizes.back())
        sizes.push_back(std::min(1 + random.below(largest), frame_count - done));
    return sizes;
}

}  // namespace lacquer::test
