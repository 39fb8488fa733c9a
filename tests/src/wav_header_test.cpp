#include "src/wav_header.h"

#include <cstring>
#include <fstream>
#include <sndfile.hh>

#include <gtest/gtest.h>

#include "tests/support/signals.h"
#include "tests/support/temp_dir.h"

namespace lacquer {
namespace {

using dsp::SampleFormat;

std::uint64_t number(const std::vector<std::byte>& bytes, std::size_t at, int width) {
    std::uint64_t value = 0;
    for (int i = width - 1; i >= 0; --i)
        value = value << 8 | std::to_integer<std::uint64_t>(bytes.at(at + static_cast<std::size_t>(i)));
    return value;
}

std::string tag(const std::vector<std::byte>& bytes, std::size_t at) {
    std::string text;
    for (std::size_t i = at; i < at + 4; ++i) text += std::to_integer<char>(bytes.at(i));
    return text;
}

void write_file(const std::filesystem::path& path, const WavShape& shape, const std::vector<std::byte>& samples) {
    std::ofstream out(path, std::ios::binary);
    const auto put = [&](const std::vector<std::byte>& bytes) {
        out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    };
    put(wav_header(shape));
    put(samples);
    put(std::vector<std::byte>(shape.pad_bytes()));
}

class WavHeader : public testing::TestWithParam<std::tuple<SampleFormat, int, int>> {};

TEST_P(WavHeader, IsReadBackByLibsndfileWithEverySample) {
    const auto [format, channels, frames] = GetParam();
    const WavShape shape{44'100, static_cast<std::uint32_t>(channels), format, frames};
    dsp::AudioBuffer audio(shape.channels, static_cast<std::size_t>(frames));
    test::Random random(5);
    for (std::size_t c = 0; c < shape.channels; ++c) {
        for (float& x : audio.block().channel(c)) {
            x = static_cast<float>(static_cast<double>(random.below(65536)) / 32768.0 - 1.0);
        }
    }
    std::vector<std::byte> samples(shape.data_bytes());
    dsp::quantise(audio.block(), 0, format, false, samples);
    const test::TempDir folder;
    write_file(folder / "a.wav", shape, samples);

    SndfileHandle in((folder / "a.wav").c_str());
    ASSERT_EQ(in.error(), 0) << in.strError();
    const int subtype = format == SampleFormat::s16   ? SF_FORMAT_PCM_16
                        : format == SampleFormat::s24 ? SF_FORMAT_PCM_24
                                                      : SF_FORMAT_FLOAT;
    EXPECT_EQ(in.format() & SF_FORMAT_SUBMASK, subtype);
    EXPECT_EQ(in.format() & SF_FORMAT_TYPEMASK, format == SampleFormat::s24 ? SF_FORMAT_WAVEX : SF_FORMAT_WAV);
    EXPECT_EQ(in.samplerate(), 44'100);
    EXPECT_EQ(in.channels(), channels);
    ASSERT_EQ(in.frames(), frames);
    std::vector<float> read(static_cast<std::size_t>(frames * channels));
    ASSERT_EQ(in.readf(read.data(), frames), frames);
    for (std::size_t i = 0; i < read.size(); ++i) {
        ASSERT_EQ(read[i], audio.block().channels[i % shape.channels][i / shape.channels]) << i;
    }

    const auto header = wav_header(shape);
    EXPECT_EQ(number(header, 4, 4) + 8, std::filesystem::file_size(folder / "a.wav"));
    EXPECT_EQ(number(header, header.size() - 4, 4), shape.data_bytes());
    EXPECT_EQ(std::filesystem::file_size(folder / "a.wav") % 2, 0u);
}

INSTANTIATE_TEST_SUITE_P(Shapes, WavHeader,
                         testing::Combine(testing::Values(SampleFormat::s16, SampleFormat::s24, SampleFormat::f32),
                                          testing::Values(1, 2), testing::Values(1, 3, 1000, 0)));

TEST(WavHeaderRf64, TakesOverExactlyWhere32BitsEnd) {
    const WavShape mono{48'000, 1, SampleFormat::s16, 0};
    const std::int64_t rest_bytes = static_cast<std::int64_t>(wav_header(mono).size());
    WavShape largest = mono;
    largest.frame_count = (0xFFFFFFFF - rest_bytes) / 2;
    WavShape larger = largest;
    ++larger.frame_count;
    EXPECT_EQ(tag(wav_header(largest), 0), "RIFF");
    EXPECT_EQ(number(wav_header(largest), 4, 4), largest.data_bytes() + static_cast<std::uint64_t>(rest_bytes) - 8);
    EXPECT_EQ(tag(wav_header(larger), 0), "RF64");
}

TEST(WavHeaderRf64, HoldsTheSizesThatDoNotFit) {
    const WavShape shape{192'000, 2, SampleFormat::s24, 1'000'000'001};
    const auto header = wav_header(shape);
    const std::uint64_t file_bytes = header.size() + shape.data_bytes() + shape.pad_bytes();
    EXPECT_EQ(tag(header, 0), "RF64");
    EXPECT_EQ(number(header, 4, 4), 0xFFFFFFFFu);
    EXPECT_EQ(tag(header, 8), "WAVE");
    EXPECT_EQ(tag(header, 12), "ds64");
    EXPECT_EQ(number(header, 16, 4), 28u);
    EXPECT_EQ(number(header, 20, 8), file_bytes - 8);
    EXPECT_EQ(number(header, 28, 8), 6'000'000'006u);
    EXPECT_EQ(number(header, 36, 8), 1'000'000'001u);
    EXPECT_EQ(number(header, 44, 4), 0u);
    EXPECT_EQ(tag(header, 48), "fmt ");
    EXPECT_EQ(tag(header, header.size() - 8), "data");
    EXPECT_EQ(number(header, header.size() - 4, 4), 0xFFFFFFFFu);
}

TEST(WavHeaderRf64, IsReadBackByLibsndfileToTheLastFrame) {
    for (const auto format : {SampleFormat::s16, SampleFormat::s24, SampleFormat::f32}) {
        WavShape shape{96'000, 2, format, 0};
        shape.frame_count = 0x1'0000'0010 / shape.frame_bytes() + 1;
        const test::TempDir folder;
        write_file(folder / "large.wav", shape, {});
        std::error_code error;  // sparse: takes no room on the disk
        std::filesystem::resize_file(folder / "large.wav",
                                     wav_header(shape).size() + shape.data_bytes() + shape.pad_bytes(), error);
        if (error) GTEST_SKIP() << error.message();
        SndfileHandle in((folder / "large.wav").c_str());
        ASSERT_EQ(in.error(), 0) << in.strError();
        EXPECT_EQ(in.format() & SF_FORMAT_TYPEMASK, SF_FORMAT_RF64);
        EXPECT_EQ(in.frames(), shape.frame_count);
        ASSERT_EQ(in.seek(shape.frame_count - 1, SEEK_SET), shape.frame_count - 1);
        std::vector<float> frame(4);
        EXPECT_EQ(in.readf(frame.data(), 2), 1);
    }
}

}  // namespace
}  // namespace lacquer
