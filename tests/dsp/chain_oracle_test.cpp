// The vector chain against its plainest form.
#include "tests/dsp/chain_oracle.h"

#include <cstdio>

#include <gtest/gtest.h>

#include "dsp/denormals.h"
#include "dsp/filter_design.h"
#include "tests/dsp/chain_fixture.h"
#include "tests/support/every_simd.h"
#include "tests/support/measures.h"

namespace lacquer::dsp {
namespace {

constexpr std::uint32_t kRateHz = 44'100;

// Every section filters, the sides are widened, the bass is mono; nothing comes near the ceiling.
Recipe filtering() {
    Recipe recipe = neutral_recipe(kRateHz, 2);
    recipe.trim = 0.7;
    for (std::size_t s = 0; s < kEqualiserSections; ++s) {
        const double hz = 31.25 * static_cast<double>(1u << s);
        recipe.equaliser.sections[s] = peak(std::min(hz, 15'000.0) / kRateHz, 1.1, s % 2 == 0 ? 3.0 : -2.5);
    }
    recipe.width.width = 1.2;
    recipe.width.mono_bass = 1.0;
    recipe.level.gain = 1.3;
    return recipe;
}

Recipe compressing() {
    Recipe recipe = filtering();
    for (auto& band : recipe.compressor.bands) {
        band = {-34.0,
                6.0,
                0.6,
                smoothing_step(15.0, kRateHz),
                smoothing_step(10.0, kRateHz),
                smoothing_step(120.0, kRateHz)};
    }
    return recipe;
}

// What changes fast enough for a gain per 16 frames to differ from one per frame.
AudioBuffer bursts() {
    AudioBuffer audio = test::pink_noise(11, -30.0, 3.0, {kRateHz, 2});
    for (std::size_t i = 0; i < audio.frame_count(); ++i) {
        const bool loud = i % 11'025 < 2'205;
        for (std::size_t c = 0; c < 2; ++c) audio.block().channels[c][i] *= loud ? 3.0f : 0.5f;
    }
    return audio;
}

struct Residual {
    double rms_db;  // of the difference, over the signal
    double peak_dbfs;
};

Residual residual(const Recipe& recipe, const AudioBuffer& audio) {
    const AudioBuffer fast = test::enhanced(recipe, audio.block());
    const std::size_t delay = Enhancer(recipe, 0).latency_frames();
    test::ChainOracle oracle(recipe);
    double error = 0.0, power = 0.0, peak = 0.0;
    for (std::size_t i = 0; i + delay < audio.frame_count(); ++i) {
        const auto wanted = oracle.process({audio.block().channels[0][i], audio.block().channels[1][i]});
        for (std::size_t c = 0; c < 2; ++c) {
            const double difference = fast.block().channels[c][i + delay] - wanted[c];
            error += difference * difference;
            power += wanted[c] * wanted[c];
            peak = std::max(peak, std::abs(difference));
        }
    }
    return {power_to_db(error / power), gain_to_db(peak)};
}

TEST(ChainOracle, FiltersAreTheTextbooksToTheLastBitOfAFloat) {
    const FlushDenormals flush;
    test::on_every_simd([](const std::string&) {
        const Residual found = residual(filtering(), bursts());
        EXPECT_LT(found.rms_db, -135.0);
        EXPECT_LT(found.peak_dbfs, -125.0);
    });
}

// A gain per group that moves in a straight line: inaudible when what it changes lies far below the signal.
TEST(ChainOracle, GainsPerGroupOfSixteenFramesAreGainsPerFrame) {
    const Residual found = residual(compressing(), bursts());
    std::printf("gain per 16 frames against gain per frame: %.1f dB rms of the signal, peak %.1f dBFS\n", found.rms_db,
                found.peak_dbfs);
    EXPECT_LT(found.rms_db, -50.0);
}

TEST(ChainOracle, TheInstructionSetMayChangeInTheMiddle) {
    const AudioBuffer audio = bursts();
    const Recipe recipe = compressing();
    AudioBuffer changing = test::copy(audio.block());
    Enhancer enhancer(recipe, 0);
    std::size_t done = 0;
    test::on_every_simd([&](const std::string&) {
        const std::size_t frames = 20'011;
        enhancer.process(changing.block().slice(done, frames));
        done += frames;
    });
    const AudioBuffer wanted = test::enhanced(recipe, audio.block());
    EXPECT_TRUE(test::same_bits(changing.block().slice(0, done), wanted.block().slice(0, done)));
}

TEST(ChainOracle, EveryInstructionSetMakesTheSameBits) {
    const AudioBuffer audio = bursts();
    const Recipe recipe = compressing();
    const AudioBuffer wanted = test::enhanced(recipe, audio.block());
    test::on_every_simd([&](const std::string&) {
        EXPECT_TRUE(test::same_bits(test::enhanced(recipe, audio.block()).block(), wanted.block()));
    });
}

}  // namespace
}  // namespace lacquer::dsp
