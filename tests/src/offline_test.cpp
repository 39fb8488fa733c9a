// The commands that work without a daemon: render and analyze, on real files in a folder of their own.
#include <fstream>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include "src/cache_usage.h"
#include "src/commands.h"
#include "src/profile_json.h"
#include "tests/src/faulty_decoder.h"
#include "tests/src/fixture.h"
#include "tests/support/measures.h"

namespace lacquer {
namespace {

using dsp::PresetId;
using dsp::SampleFormat;

class OfflineTest : public testing::Test {
protected:
    OfflineTest() {
        settings.cache_dir = folder / "cache";
        settings.state_dir = folder / "state";
        settings.workers = 2;
        settings.grid = {5, 1, 1};
    }
    std::filesystem::path source(const std::string& name, double seconds, const test::Format& format = {8000, 2},
                                 int bits = 16) {
        std::filesystem::create_directories((folder / name).parent_path());
        test::write_wav(folder / name, test::restless_noise(seconds, format, ++seed_).block(), format.sample_rate_hz,
                        bits);
        return folder / name;
    }
    static RenderChoice choice(PresetId preset, double intensity, SampleFormat format) {
        return {{preset, intensity, true}, format, {}};
    }
    std::filesystem::path render(const std::filesystem::path& input, const RenderChoice& wish, bool whole = false) {
        const auto output = folder / ("out" + std::to_string(++outputs_) + ".wav");
        EXPECT_EQ(render_files(settings, {{input}, output, wish, 1, {}, whole}), 0);
        return output;
    }
    // The samples, left-justified in 32 bits.
    static std::vector<int> samples_of(const std::filesystem::path& file) {
        SndfileHandle in(file.c_str());
        std::vector<int> samples(static_cast<std::size_t>(in.frames() * in.channels()));
        in.readf(samples.data(), in.frames());
        return samples;
    }
    static dsp::AudioBuffer audio_of(const std::filesystem::path& file) {
        SndfileHandle in(file.c_str());
        const auto channels = static_cast<std::size_t>(in.channels());
        dsp::AudioBuffer audio(channels, static_cast<std::size_t>(in.frames()));
        std::vector<float> samples(channels * audio.frame_count());
        in.readf(samples.data(), in.frames());
        for (std::size_t i = 0; i < samples.size(); ++i)
            audio.block().channels[i % channels][i / channels] = samples[i];
        return audio;
    }
    test::Residual chunked_against_whole(const std::filesystem::path& input, PresetId preset) {
        const RenderChoice wish = choice(preset, 1.0, SampleFormat::f32);
        const auto chunked = audio_of(render(input, wish));
        const auto whole = audio_of(render(input, wish, true));
        EXPECT_GT(test::rms_dbfs(whole.block()), -40.0) << "there is something to compare";
        return test::residual(chunked.block(), whole.block(), media::probe(input).sample_rate_hz);
    }
    static std::string bytes_of(const std::filesystem::path& file) {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    test::TempDir folder;
    Settings settings;

private:
    std::uint64_t seed_ = 0;
    int outputs_ = 0;
};

class SeamsOf : public OfflineTest, public testing::WithParamInterface<PresetId> {
protected:
    // 15 dB up or down every 7 s: a change stands shortly before each seam of the default grid, and one after.
    std::filesystem::path steps() {
        const test::Format format{32'000, 2};
        dsp::AudioBuffer noise = test::pink_noise(8, -14, 68, format);
        for (std::size_t second = 7; second < 68; second += 14) {
            const std::size_t count = std::min(test::frames_of(7, format), noise.frame_count() - second * 32'000);
            test::scale_db(noise.block().slice(second * 32'000, count), -15.0);
        }
        test::write_wav(folder / "steps.wav", noise.block(), 32'000, 32);
        return folder / "steps.wav";
    }
};

TEST_P(SeamsOf, ChunkedAndWholeAreTheSameOnTheDefaultGridAndNotWithoutContextAndOverlap) {
    const auto input = steps();
    settings.grid = {};
    const test::Residual good = chunked_against_whole(input, GetParam());
    EXPECT_LE(good.rms_dbfs, -150.0);
    EXPECT_LE(good.peak_dbfs, -140.0);
    RecordProperty("residual_rms_dbfs", std::to_string(good.rms_dbfs));
    RecordProperty("residual_peak_dbfs", std::to_string(good.peak_dbfs));
    std::printf("residual: RMS %.1f dBFS, peak %.1f dBFS\n", good.rms_dbfs, good.peak_dbfs);

    settings.grid = {30, 0, 0};
    const test::Residual bad = chunked_against_whole(input, GetParam());
    EXPECT_GT(bad.rms_dbfs, -100.0) << "the negative control";
    EXPECT_GT(bad.peak_dbfs, -100.0);
    std::printf("without context and overlap: RMS %.1f dBFS, peak %.1f dBFS\n", bad.rms_dbfs, bad.peak_dbfs);
}

INSTANTIATE_TEST_SUITE_P(Presets, SeamsOf, testing::Values(PresetId::adaptive, PresetId::punchy, PresetId::night),
                         [](const auto& preset) { return std::string(dsp::preset(preset.param).name); });

TEST_F(OfflineTest, TheLengthIsExactAtEveryDepthChunkedAndWhole) {
    for (const std::int64_t frames : {0, 1, 39'999, 40'000, 47'999, 48'001}) {
        const auto input = source("a.wav", static_cast<double>(frames) / 8000.0, {8000, 1});
        for (const auto format : {SampleFormat::s16, SampleFormat::s24, SampleFormat::f32}) {
            for (const bool whole : {false, true}) {
                const auto output = render(input, choice(PresetId::adaptive, 1.0, format), whole);
                SndfileHandle in(output.c_str());
                EXPECT_EQ(in.frames(), frames);
                EXPECT_EQ(std::filesystem::file_size(output) % 2, 0u);
            }
        }
    }
}

TEST_F(OfflineTest, IntensityZeroGivesTheSourceBitForBit) {
    for (const std::size_t channels : {1u, 2u}) {
        const auto sixteen = source("sixteen.wav", 17.3, {8000, channels}, 16);
        const auto twentyfour = source("twentyfour.wav", 17.3, {8000, channels}, 24);
        for (const bool whole : {false, true}) {
            const auto off = [&](SampleFormat format) { return choice(PresetId::punchy, 0.0, format); };
            EXPECT_EQ(samples_of(render(sixteen, off(SampleFormat::s16), whole)), samples_of(sixteen));
            EXPECT_EQ(samples_of(render(sixteen, off(SampleFormat::s24), whole)), samples_of(sixteen));
            EXPECT_EQ(samples_of(render(twentyfour, off(SampleFormat::s24), whole)), samples_of(twentyfour));
            EXPECT_NE(samples_of(render(twentyfour, off(SampleFormat::s16), whole)), samples_of(twentyfour));
        }
    }
}

TEST_F(OfflineTest, TheBytesAreTheSameWithOneWorkerAndFourAndFromTheCache) {
    const auto input = source("a.wav", 23.4);
    const RenderChoice wish = choice(PresetId::warm, 0.8, SampleFormat::s16);
    settings.workers = 1;
    const std::string first = bytes_of(render(input, wish));
    EXPECT_EQ(bytes_of(render(input, wish)), first) << "from the cache";
    settings.workers = 4;
    settings.cache_dir = folder / "another cache";
    EXPECT_EQ(bytes_of(render(input, wish)), first);
    settings.cache_dir = folder / "tiny cache";
    settings.cache_size_bytes = 4096;
    EXPECT_EQ(bytes_of(render(input, wish)), first);
}

TEST_F(OfflineTest, ACacheThatSomeoneOwnsIsLeftAlone) {
    const auto input = source("a.wav", 7);
    const RenderChoice wish = choice(PresetId::warm, 1.0, SampleFormat::s16);
    const std::string alone = bytes_of(render(input, wish));
    settings.cache_dir = folder / "owned";
    const cache::ChunkCache owner(settings.cache_dir, 1'000'000'000);
    EXPECT_EQ(bytes_of(render(input, wish)), alone);
    EXPECT_EQ(owner.stats().entries, 0u);
}

TEST_F(OfflineTest, ManyInputsGoIntoAFolderAndABadOneConcernsItselfAlone) {
    const auto a = source("a.wav", 6), b = source("b.wav", 7);
    std::ofstream(folder / "bad.wav") << "this is no audio";
    const RenderChoice wish = choice(PresetId::bright, 1.0, SampleFormat::s16);
    const auto output = folder / "results";
    EXPECT_EQ(render_files(settings, {{a, folder / "bad.wav", b, folder / "none.wav"}, output, wish, 3, {}, false}), 1);
    EXPECT_EQ(bytes_of(output / "a.wav"), bytes_of(render(a, wish)));
    EXPECT_EQ(bytes_of(output / "b.wav"), bytes_of(render(b, wish)));
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(output)) ++files;
    EXPECT_EQ(files, 2u) << "no partial files stay";
    EXPECT_THROW(render_files(settings, {{a, b}, a, wish, 1, {}, false}), std::runtime_error);
}

TEST_F(OfflineTest, TwoInputsThatWouldShareAnOutputAreRefusedNotMixed) {
    const auto one = source("one/a.wav", 6), other = source("other/a.wav", 7), third = source("b.wav", 6);
    const RenderChoice wish = choice(PresetId::bright, 1.0, SampleFormat::s16);
    const auto output = folder / "results";
    EXPECT_EQ(render_files(settings, {{one, other, third}, output, wish, 2, {}, false}), 1);
    EXPECT_EQ(bytes_of(output / "a.wav"), bytes_of(render(one, wish))) << "the first of them";
    EXPECT_EQ(bytes_of(output / "b.wav"), bytes_of(render(third, wish)));
}

TEST_F(OfflineTest, TheInputIsNeverWrittenOver) {
    const auto input = source("a.wav", 6);
    const std::string before = bytes_of(input);
    EXPECT_EQ(render_files(settings, {{input}, input, choice(PresetId::warm, 1, SampleFormat::s16), 1, {}, false}), 1);
    EXPECT_EQ(bytes_of(input), before);
}

TEST_F(OfflineTest, NoInputIsWrittenOverByTheRenderingOfAnother) {
    const auto one = source("one/a.wav", 6), other = source("results/a.wav", 7);
    const std::string before = bytes_of(other);
    const RenderChoice wish = choice(PresetId::warm, 1, SampleFormat::s16);
    EXPECT_EQ(render_files(settings, {{one, other}, folder / "results", wish, 1, {}, false}), 1);
    EXPECT_EQ(bytes_of(other), before);
}

TEST_F(OfflineTest, ACommandWithASmallerCapEvictsNothingOfTheDaemons) {
    const auto input = source("a.wav", 30);
    render(input, choice(PresetId::warm, 1, SampleFormat::s16));
    const auto chunks = [&] { return cache_usage(settings.cache_dir).chunks; };
    const std::uint64_t before = chunks();
    ASSERT_GT(before, 0u);
    Settings small = settings;
    small.cache_size_bytes = 1000;
    EXPECT_EQ(analyze_files(small, {input}, true), 0);
    EXPECT_EQ(chunks(), before);
}

TEST_F(OfflineTest, AGivenProfileIsUsedInsteadOfMeasuring) {
    const auto input = source("a.wav", 12);
    dsp::Profile profile = test::straight_profile(input);
    profile.integrated_lufs += 2.5;  // louder than it is: turned down further
    std::ofstream(folder / "profile.json") << profile_to_json(profile).dump();
    const RenderChoice wish = choice(PresetId::gentle, 1.0, SampleFormat::f32);
    const auto output = folder / "out.wav";
    EXPECT_EQ(render_files(settings, {{input}, output, wish, 1, folder / "profile.json", false}), 0);
    const double usual = test::rms_dbfs(audio_of(render(input, wish)).block());
    EXPECT_LT(test::rms_dbfs(audio_of(output).block()), usual - 0.5);

    std::ofstream(folder / "profile.json") << "{}";
    EXPECT_THROW(render_files(settings, {{input}, output, wish, 1, folder / "profile.json", false}),
                 std::runtime_error);
    profile.sample_rate_hz = 44'100;
    std::ofstream(folder / "profile.json") << profile_to_json(profile).dump();
    EXPECT_EQ(render_files(settings, {{input}, output, wish, 1, folder / "profile.json", false}), 1);
}

TEST_F(OfflineTest, AReferenceFileGivesItsLoudness) {
    const auto input = source("a.wav", 12), reference = source("b.wav", 12);
    RenderCommand command{{input}, folder / "out.wav", choice(PresetId::adaptive, 1.0, SampleFormat::f32)};
    command.reference = reference;
    EXPECT_EQ(render_files(settings, command), 0);
    const double target_lufs = test::straight_profile(reference).integrated_lufs;
    EXPECT_NEAR(test::straight_profile(folder / "out.wav").integrated_lufs, target_lufs, 0.5);
    test::write_wav(folder / "silent.wav", test::silence(5.0, {8000, 2}).block(), 8000);
    for (const char* bad : {"nowhere.wav", "silent.wav"}) {
        command.reference = folder / bad;
        EXPECT_THROW(render_files(settings, command), std::runtime_error) << bad;
    }
}

TEST_F(OfflineTest, AFileCutShortIsRenderedToItsPromisedLength) {
    const auto input = source("a.wav", 12);
    std::filesystem::resize_file(input, 44 + 8000 * 4 * 7);
    const auto output = render(input, choice(PresetId::warm, 1.0, SampleFormat::f32));
    const auto audio = audio_of(output);
    EXPECT_EQ(audio.frame_count(), 8000u * 12);
    EXPECT_EQ(test::peak_dbfs(audio.block().slice(8000 * 11, 8000)), -200.0);
}

TEST_F(OfflineTest, AnalyzeTellsAboutEveryInputAndFailsForTheBadOne) {
    const auto a = source("a.wav", 6);
    EXPECT_EQ(analyze_files(settings, {a}, true), 0);
    EXPECT_EQ(analyze_files(settings, {a, folder / "none.wav"}, false), 1);
}

TEST_F(OfflineTest, AProfileIsOfEverythingThatCanEverBeReadOrAnError) {
    const InputFile input = look_at_input(source("long.wav", 65));
    const auto faults = std::make_shared<test::DecoderFaults>();
    Offline offline(settings, {.open = test::DecoderFaults::opener(faults)});
    faults->set({.from_frame = 8000 * 62, .code = {EIO, std::generic_category()}});
    EXPECT_THROW(offline.profile(input), media::DecodeError);
    faults->set({.from_frame = 8000 * 62});
    EXPECT_EQ(offline.profile(input).short_term_lufs.size(), 48u) << "the damaged segment is left out";
    faults->clear();
    EXPECT_EQ(offline.profile(input).short_term_lufs.size(), 65u);
}

}  // namespace
}  // namespace lacquer
