// The numbers that come out: exact for integers, as they are for floats, a second decoder's for lossy codecs.
#include <algorithm>
#include <limits>

#include "tests/media/fixture.h"

namespace lacquer::media::test {
namespace {

struct IntegerFormat {
    const char* name;
    int format;
    int bits;
};

class IntegerTest : public MediaTest, public testing::WithParamInterface<IntegerFormat> {};

TEST_P(IntegerTest, DividesEveryIntegerByTwoToTheBitsMinusOne) {
    const auto written = write("a", GetParam().format, 30000, 2, 48000, GetParam().bits);
    const auto decoder = open_decoder(path("a"));
    EXPECT_EQ(decoder->info().integer_bits, GetParam().bits);
    ASSERT_EQ(decoder->info().frame_count, 30000);
    const Samples samples = read(*decoder, 30000);
    for (std::size_t i = 0; i < 30000; ++i) {
        for (std::size_t c = 0; c < 2; ++c) {
            const auto expected = static_cast<float>(static_cast<double>(written[2 * i + c]) / 2147483648.0);
            ASSERT_EQ(samples[30000 * c + i], expected) << "frame " << i << ", channel " << c;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(EveryDepth, IntegerTest,
                         testing::Values(IntegerFormat{"wav_8", SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 8},
                                         IntegerFormat{"wav_16", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16},
                                         IntegerFormat{"wav_24", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 24},
                                         IntegerFormat{"wav_32", SF_FORMAT_WAV | SF_FORMAT_PCM_32, 32},
                                         IntegerFormat{"wavex_24", SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, 24},
                                         IntegerFormat{"rf64_16", SF_FORMAT_RF64 | SF_FORMAT_PCM_16, 16},
                                         IntegerFormat{"w64_24", SF_FORMAT_W64 | SF_FORMAT_PCM_24, 24},
                                         IntegerFormat{"aiff_8", SF_FORMAT_AIFF | SF_FORMAT_PCM_S8, 8},
                                         IntegerFormat{"aiff_24", SF_FORMAT_AIFF | SF_FORMAT_PCM_24, 24},
                                         IntegerFormat{"au_16", SF_FORMAT_AU | SF_FORMAT_PCM_16, 16},
                                         IntegerFormat{"flac_16", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16},
                                         IntegerFormat{"flac_24", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 24},
                                         IntegerFormat{"caf_alac_16", SF_FORMAT_CAF | SF_FORMAT_ALAC_16, 16}),
                         [](const auto& format) { return format.param.name; });

TEST_F(MediaTest, FloatsPassAsTheyAreNotANumberIncluded) {
    const float values[] = {
        0.5f, -3.25f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN(), 1e-42f, -0.0f};
    SF_INFO info{0, 48000, 1, SF_FORMAT_WAV | SF_FORMAT_FLOAT, 0, 0};
    SNDFILE* file = sf_open(path("a.wav").c_str(), SFM_WRITE, &info);
    ASSERT_NE(file, nullptr);
    sf_writef_float(file, values, 6);
    sf_close(file);
    EXPECT_EQ(probe(path("a.wav")).integer_bits, 0);
    const Samples samples = decode_all(path("a.wav"));
    ASSERT_EQ(samples.size(), 6u);
    EXPECT_EQ(std::memcmp(samples.data(), values, sizeof(values)), 0);
}

TEST_F(MediaTest, LossyCodecsAgreeWithFfmpeg) {
    write("in.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100 * 8);
    run("oggenc -Q in.wav -o a.ogg");
    run("lame --quiet in.wav a.mp3");
    run("opusenc --quiet in.wav a.opus");
    for (const char* name : {"a.ogg", "a.mp3", "a.opus"}) {
        const Samples expected = ffmpeg_decode(name);
        const Samples actual = decode_all(path(name));
        ASSERT_EQ(actual.size(), expected.size()) << name;
        const std::size_t frames = actual.size() / 2;
        float worst = 0.0f;
        for (std::size_t i = 0; i < frames; ++i) {
            worst = std::max(worst, std::abs(actual[i] - expected[2 * i]));
            worst = std::max(worst, std::abs(actual[frames + i] - expected[2 * i + 1]));
        }
        EXPECT_LT(worst, 1e-4f) << name;
    }
}

TEST_F(MediaTest, EveryRateFrom8To192KilohertzIsServedAndNoOther) {
    for (const int rate_hz : {8000, 11025, 22050, 44100, 48000, 88200, 96000, 176400, 192000}) {
        write("a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 1000, 1, rate_hz);
        EXPECT_EQ(probe(path("a.wav")).sample_rate_hz, static_cast<std::uint32_t>(rate_hz));
        EXPECT_EQ(probe(path("a.wav")).channels, 1u);
    }
    for (const int rate_hz : {7999, 192001, 384000}) {
        write("a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 1000, 1, rate_hz);
        EXPECT_THROW(probe(path("a.wav")), DecodeError) << rate_hz;
    }
}

TEST_F(MediaTest, NamesTheLibrariesThatDecideTheBits) {
    write("in.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100);
    run("lame --quiet in.wav a.mp3");
    run("opusenc --quiet in.wav a.opus");
    EXPECT_NE(probe(path("in.wav")).decoder.find("libsndfile-1."), std::string::npos);
    EXPECT_NE(probe(path("a.opus")).decoder.find("libopus 1."), std::string::npos);
    EXPECT_NE(probe(path("a.mp3")).decoder.find("libmpg123-1."), std::string::npos);
}

}  // namespace
}  // namespace lacquer::media::test
