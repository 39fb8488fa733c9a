#include "dsp/hop_meter.h"

#include <cmath>

#include <gtest/gtest.h>

#include "dsp/biquad.h"
#include "dsp/filter_design.h"
#include "dsp/k_weighting.h"
#include "dsp/loudness.h"
#include "dsp/units.h"
#include "tests/dsp/hop_fixture.h"
#include "tests/support/every_simd.h"
#include "tests/support/signals.h"

namespace lacquer::dsp {
namespace {

// Sections in double, one after the other over the whole signal: no lanes, no stretches, no frames left out.
using Cascade = std::vector<Biquad>;

double passed(Cascade& cascade, double x) {
    for (Biquad& section : cascade) x = section.process(x);
    return x;
}

std::vector<HopLevels> naive_hops(ConstAudioBlock audio, std::uint32_t rate) {
    const std::size_t hop = hop_frames(rate);
    const auto [shelf, low_cut] = k_weighting(rate);
    const auto lower = linkwitz_riley(std::min(kCrossoversHz[0] / rate, 0.4));
    const auto upper = linkwitz_riley(std::min(kCrossoversHz[1] / rate, 0.4));
    std::vector<HopLevels> hops(audio.frame_count / hop);
    for (std::size_t c = 0; c < audio.channel_count; ++c) {
        Cascade weighting{Biquad(shelf), Biquad(low_cut)};
        Cascade below{Biquad(upper.low_pass), Biquad(upper.low_pass)};
        Cascade high{Biquad(upper.high_pass), Biquad(upper.high_pass)};
        Cascade middle{Biquad(lower.high_pass), Biquad(lower.high_pass)};
        Cascade low{Biquad(lower.low_pass), Biquad(lower.low_pass)};
        for (std::size_t i = 0; i < hops.size() * hop; ++i) {
            const double x = audio.channels[c][i];
            const double weighted = passed(weighting, x), under = passed(below, x);
            const double bands[] = {passed(low, under), passed(middle, under), passed(high, x)};
            HopLevels& levels = hops[i / hop];
            levels.weighted += weighted * weighted / static_cast<double>(hop);
            for (std::size_t band = 0; band < kDynamicsBands; ++band)
                levels.bands[band] += bands[band] * bands[band] / static_cast<double>(hop * audio.channel_count);
        }
    }
    return hops;
}

std::vector<SpeechFrame> naive_speech(ConstAudioBlock audio, std::uint32_t rate) {
    const std::size_t hop = hop_frames(rate);
    Cascade band{Biquad(high_pass(300.0 / rate, kButterworthQ)),
                 Biquad(low_pass(std::min(4000.0 / rate, 0.45), kButterworthQ))};
    std::vector<SpeechFrame> frames;
    double before = 0.0;
    for (std::size_t first = 0; first + hop <= audio.frame_count; first += hop) {
        for (std::size_t f = 0; f < kSpeechFramesPerHop; ++f) {
            const std::size_t begin = f * hop / kSpeechFramesPerHop, end = (f + 1) * hop / kSpeechFramesPerHop;
            const auto length = static_cast<double>(end - begin);
            SpeechFrame frame;
            for (std::size_t i = first + begin; i < first + end; ++i) {
                const double left = audio.channels[0][i], right = audio.channels[audio.channel_count - 1][i];
                const double voice = passed(band, 0.5 * (left + right));
                frame.energy += 0.25 * (left + right) * (left + right) / length;
                frame.side_energy += 0.25 * (left - right) * (left - right) / length;
                frame.band_energy += voice * voice / length;
                frame.crossings += (voice < 0.0) != (before < 0.0) ? rate / length : 0.0;
                before = voice;
            }
            frames.push_back(frame);
        }
    }
    return frames;
}

// Loud and quiet by turns of 0.4 s, so that what comes before a stretch is often 40 dB louder.
AudioBuffer restless(double seconds, std::uint32_t rate, std::size_t channels = 2) {
    AudioBuffer audio = test::pink_noise(rate, -20.0, seconds, {rate, channels});
    for (std::size_t i = 0; i < audio.frame_count(); ++i)
        if (i / (rate * 2 / 5) % 2 == 1)
            for (std::size_t c = 0; c < channels; ++c) audio.block().channels[c][i] *= 0.01f;
    return audio;
}

void expect_same_bits(const HopMeasurement& a, const HopMeasurement& b) {
    ASSERT_EQ(a.hops.size(), b.hops.size());
    ASSERT_EQ(a.speech.size(), b.speech.size());
    for (std::size_t i = 0; i < a.hops.size(); ++i) {
        ASSERT_EQ(a.hops[i].weighted, b.hops[i].weighted) << i;
        ASSERT_EQ(a.hops[i].bands, b.hops[i].bands) << i;
    }
    for (std::size_t i = 0; i < a.speech.size(); ++i) {
        ASSERT_EQ(a.speech[i].energy, b.speech[i].energy) << i;
        ASSERT_EQ(a.speech[i].band_energy, b.speech[i].band_energy) << i;
        ASSERT_EQ(a.speech[i].side_energy, b.speech[i].side_energy) << i;
        ASSERT_EQ(a.speech[i].crossings, b.speech[i].crossings) << i;
    }
    EXPECT_EQ(a.squares.left, b.squares.left);
    EXPECT_EQ(a.squares.right, b.squares.right);
    EXPECT_EQ(a.squares.middle, b.squares.middle);
    EXPECT_EQ(a.squares.side, b.squares.side);
}

TEST(HopMeter, LevelsAreThoseOfTheFiltersInDouble) {
    for (std::uint32_t rate : {8000u, 11'025u, 44'100u, 48'000u, 192'000u}) {
        const AudioBuffer audio = restless(6.05, rate);
        const auto naive = naive_hops(audio.block(), rate);
        const auto ours = test::measure_hops(audio.block(), rate).hops;
        ASSERT_EQ(ours.size(), naive.size());
        for (std::size_t i = 0; i < naive.size(); ++i) {
            EXPECT_NEAR(power_to_db(ours[i].weighted), power_to_db(naive[i].weighted), 0.002) << rate << ", hop " << i;
            // Where the level falls, a hop's energy is that of the filters' ringing in its first fraction of a
            // millisecond, of which the lower bands see few frames.
            const double tolerance_db = i % 8 == 4 ? 1.5 : 0.1;
            for (std::size_t band = 0; band < kDynamicsBands; ++band)
                EXPECT_NEAR(power_to_db(ours[i].bands[band]), power_to_db(naive[i].bands[band]), tolerance_db)
                    << rate << ", hop " << i << ", band " << band;
        }
    }
}

TEST(HopMeter, SpeechFramesAreThoseOfTheFiltersInDouble) {
    for (std::uint32_t rate : {8000u, 44'100u, 192'000u}) {
        const AudioBuffer audio = restless(6.05, rate);
        const auto naive = naive_speech(audio.block(), rate);
        const auto ours = test::measure_hops(audio.block(), rate).speech;
        ASSERT_EQ(ours.size(), naive.size());
        for (std::size_t i = 0; i < naive.size(); ++i) {
            EXPECT_NEAR(power_to_db(ours[i].energy), power_to_db(naive[i].energy), 1e-4) << rate << ", frame " << i;
            EXPECT_NEAR(power_to_db(ours[i].side_energy), power_to_db(naive[i].side_energy), 1e-4);
            EXPECT_NEAR(power_to_db(ours[i].band_energy), power_to_db(naive[i].band_energy), 0.002);
            EXPECT_NEAR(ours[i].crossings, naive[i].crossings, 101.0);  // two in 20 ms
        }
    }
}

TEST(HopMeter, AFaintSoundAboveALoudBassKeepsItsLevel) {
    // 1 kHz at -90 dBFS beside 20 Hz at 0 dBFS: what float loses is far below both.
    for (std::uint32_t rate : {44'100u, 192'000u}) {
        AudioBuffer audio = test::sine(20.0, 0.0, 3.0, {rate, 2});
        test::add(audio.block(), test::sine(8000.0, -90.0, 3.0, {rate, 2}).block());
        const auto naive = naive_hops(audio.block(), rate);
        const auto ours = test::measure_hops(audio.block(), rate).hops;
        for (std::size_t i = 10; i < naive.size(); ++i) {
            EXPECT_NEAR(power_to_db(ours[i].weighted), power_to_db(naive[i].weighted), 0.001) << rate;
            EXPECT_NEAR(power_to_db(ours[i].bands[2]), power_to_db(naive[i].bands[2]), 0.05) << rate;
        }
    }
}

TEST(HopMeter, EveryInstructionSetGivesTheSameBits) {
    for (std::uint32_t rate : {11'025u, 44'100u}) {
        const AudioBuffer audio = restless(5.33, rate);
        const HopMeasurement fastest = test::measure_hops(audio.block(), rate);
        test::on_every_simd(
            [&](const std::string&) { expect_same_bits(test::measure_hops(audio.block(), rate), fastest); });
    }
}

TEST(HopMeter, DoesNotDependOnHowTheStreamIsCut) {
    const AudioBuffer audio = restless(9.11, 22'050);
    HopMeter cut(22'050, 2);
    std::size_t first = 0;
    for (std::size_t size : test::uneven_cuts(audio.frame_count(), 9000, 4)) {
        for (std::size_t done = 0; done < size;)
            done += cut.measure(audio.block().slice(first + done, size - done)).frame_count;
        first += size;
    }
    expect_same_bits(cut.take(), test::measure_hops(audio.block(), 22'050));
}

TEST(HopMeter, AStretchDependsOnNothingButItselfAndTheWarmUp) {
    const AudioBuffer audio = restless(7.0, 44'100);
    const HopMeasurement straight = test::measure_hops(audio.block(), 44'100);
    const std::size_t first = 7 * HopMeter::kStretchHops * 4410;
    HopMeter late(44'100, 2);
    for (std::size_t at = first - 44'100; at < first; at += 1470) late.warm_up(audio.block().slice(at, 1470));
    for (std::size_t at = first; at < audio.frame_count();)
        at += late.measure(audio.block().slice(at, audio.frame_count() - at)).frame_count;
    const HopMeasurement rest = late.take();
    ASSERT_EQ(rest.hops.size(), 35u);
    for (std::size_t i = 0; i < rest.hops.size(); ++i) {
        EXPECT_EQ(rest.hops[i].weighted, straight.hops[35 + i].weighted) << i;
        EXPECT_EQ(rest.hops[i].bands, straight.hops[35 + i].bands) << i;
    }
}

TEST(HopMeter, SquaresAreOfEveryFrameTheRestIncluded) {
    for (const double seconds : {0.0, 0.013, 0.25, 4.99}) {
        const AudioBuffer audio = restless(seconds, 44'100);
        StereoSquares naive;
        for (std::size_t i = 0; i < audio.frame_count(); ++i) {
            const double l = audio.block().channels[0][i], r = audio.block().channels[1][i];
            naive.add({l * l, r * r, 0.25 * (l + r) * (l + r), 0.25 * (l - r) * (l - r)});
        }
        const StereoSquares ours = test::measure_hops(audio.block(), 44'100).squares;
        EXPECT_NEAR(ours.left, naive.left, 1e-6 * naive.left) << seconds;
        EXPECT_NEAR(ours.right, naive.right, 1e-6 * naive.right);
        EXPECT_NEAR(ours.middle, naive.middle, 1e-6 * naive.middle);
        EXPECT_NEAR(ours.side, naive.side, 1e-6 * naive.side);
    }
}

TEST(HopMeter, MonoIsTwoEqualChannels) {
    const AudioBuffer mono = restless(3.0, 44'100, 1);
    AudioBuffer both(2, mono.frame_count());
    for (std::size_t c = 0; c < 2; ++c)
        std::copy_n(mono.block().channels[0], mono.frame_count(), both.block().channels[c]);
    HopMeasurement ours = test::measure_hops(mono.block(), 44'100);
    for (HopLevels& hop : ours.hops) hop.weighted *= 2.0;  // BS.1770-4 sums over the channels there are
    expect_same_bits(ours, test::measure_hops(both.block(), 44'100));
}

}  // namespace
}  // namespace lacquer::dsp
