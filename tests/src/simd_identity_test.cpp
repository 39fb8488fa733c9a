// The same bytes on every instruction set that this processor has: whole chunks of real music in every preset, as they
// are stored and served.
#include <string>

#include "tests/src/fixture.h"
#include "tests/src/real_music.h"
#include "tests/support/every_simd.h"

namespace lacquer {
namespace {

TEST(SimdIdentity, ChunksOfRealMusicAreTheSameBytesOnEveryInstructionSet) {
    const test::TempDir folder;
    const auto file = folder / "passage.wav";
    const auto tracks = test::real_tracks();
    ASSERT_GE(tracks.size(), 10u);
    test::write_wav(file, test::passage(tracks[9], 60.0, 9.0).block(), media::probe(tracks[9]).sample_rate_hz);
    std::size_t compared_bytes = 0;
    for (const dsp::Preset& preset : dsp::presets()) {
        const PlanPtr plan = test::plan_of(file, {.request = {.preset = preset.id}});
        for (std::int64_t n = 0; n < plan->grid.chunk_count(); ++n) {
            const test::ByteVector wanted = test::rendered_alone(*plan, n);
            test::on_every_simd([&](const std::string&) {
                EXPECT_TRUE(test::rendered_alone(*plan, n) == wanted) << preset.name << ", chunk " << n;
            });
            compared_bytes += wanted.size();
        }
    }
    std::printf("%zu bytes of chunks the same on %zu instruction sets\n", compared_bytes, dsp::runnable_simd().size());
}

TEST(SimdIdentity, FormatsAndRatesAreTheSameBytesOnEveryInstructionSet) {
    const test::TempDir folder;
    for (const test::Format& format : {test::Format{8'000, 1}, test::Format{96'000, 2}}) {
        for (const dsp::SampleFormat depth : {dsp::SampleFormat::s24, dsp::SampleFormat::f32}) {
            const auto file = folder / "source.wav";
            test::write_wav(file, test::restless_noise(6.0, format).block(), format.sample_rate_hz, 24);
            const PlanPtr plan = test::plan_of(file, {.format = depth, .request = {.preset = dsp::PresetId::warm}});
            const test::ByteVector wanted = test::rendered_alone(*plan, 0);
            test::on_every_simd([&](const std::string&) {
                EXPECT_TRUE(test::rendered_alone(*plan, 0) == wanted) << format.sample_rate_hz << " Hz";
            });
        }
    }
}

}  // namespace
}  // namespace lacquer
