// Every seek gives, bit for bit, what a straight decode gives there, whatever was read before it.
#include "tests/media/fixture.h"

namespace lacquer::media::test {
namespace {

struct Encoding {
    const char* name;
    const char* file;
    const char* command;  // makes `file` from in.wav: 44.1 kHz, stereo, 16 bits
};

void PrintTo(const Encoding& encoding, std::ostream* out) {
    *out << encoding.command;
}

class SeekTest : public MediaTest, public testing::WithParamInterface<Encoding> {};

TEST_P(SeekTest, GivesTheBitsOfAStraightDecode) {
    write("in.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100 * 23 + 17);
    run(GetParam().command);
    const MediaInfo info = probe(path(GetParam().file));
    const Samples all = decode_all(path(GetParam().file));
    ASSERT_EQ(all.size(), static_cast<std::size_t>(info.frame_count) * info.channels);

    const auto decoder = open_decoder(path(GetParam().file), info);
    std::mt19937_64 random(3);
    for (int i = 0; i < 64; ++i) {
        const std::int64_t span = i % 8 == 0 ? 20000 : info.frame_count;  // often near the start
        const auto frame = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(span));
        const auto wanted = static_cast<std::int64_t>(1 + random() % 9000);
        decoder->seek(frame);
        const Samples part = read(*decoder, wanted);
        const std::int64_t count = std::min(wanted, info.frame_count - frame);
        ASSERT_EQ(part.size(), static_cast<std::size_t>(count) * info.channels) << "at " << frame;
        for (std::uint32_t c = 0; c < info.channels; ++c) {
            const float* const expected = all.data() + info.frame_count * c + frame;
            const float* const actual = part.data() + count * c;
            ASSERT_TRUE(same_bits(actual, expected, static_cast<std::size_t>(count)))
                << "frame " << frame << ", " << count << " frames, channel " << c;
        }
    }
    decoder->seek(info.frame_count);
    EXPECT_TRUE(read(*decoder, 10).empty());
}

INSTANTIATE_TEST_SUITE_P(
    EveryFormat, SeekTest,
    testing::Values(Encoding{"wav", "in.wav", "true"}, Encoding{"aiff", "a.aiff", "sox in.wav a.aiff"},
                    Encoding{"au", "a.au", "sox in.wav a.au"}, Encoding{"caf", "a.caf", "sox in.wav a.caf"},
                    Encoding{"w64", "a.w64", "sox in.wav a.w64"},
                    Encoding{"wav_float", "a.wav", "ffmpeg -v error -i in.wav -c:a pcm_f32le a.wav"},
                    Encoding{"wav_ima_adpcm", "a.wav", "sox in.wav -e ima-adpcm a.wav"},
                    Encoding{"wav_ms_adpcm", "a.wav", "sox in.wav -e ms-adpcm a.wav"},
                    Encoding{"wav_gsm", "a.wav", "sox in.wav -r 8000 -c 1 -e gsm-full-rate a.wav"},
                    Encoding{"flac", "a.flac", "flac -s in.wav -o a.flac"},
                    Encoding{"flac_without_length", "a.flac",
                             "sox in.wav -t raw - | flac -s --endian=little --sign=signed "
                             "--channels=2 --bps=16 --sample-rate=44100 -c - > a.flac"},
                    Encoding{"vorbis", "a.ogg", "oggenc -Q -q 6 in.wav -o a.ogg"},
                    Encoding{"vorbis_mono", "a.ogg", "oggenc -Q -q 0 --downmix --resample 22050 in.wav -o a.ogg"},
                    Encoding{"opus_celt", "a.opus", "opusenc --quiet --bitrate 128 in.wav a.opus"},
                    Encoding{"opus_hybrid", "a.opus", "opusenc --quiet --bitrate 24 in.wav a.opus"},
                    Encoding{"opus_silk", "a.opus",
                             "opusenc --quiet --bitrate 12 --downmix-mono --speech in.wav a.opus"},
                    Encoding{"mp3_vbr", "a.mp3", "lame --quiet -V2 in.wav a.mp3"},
                    Encoding{"mp3_vbr_without_xing", "a.mp3", "lame --quiet -V2 -t in.wav a.mp3"},
                    Encoding{"mp3_cbr_320", "a.mp3", "lame --quiet -b 320 in.wav a.mp3"},
                    Encoding{"mp3_cbr_without_xing", "a.mp3", "lame --quiet -b 128 -t in.wav a.mp3"},
                    Encoding{"mp3_22_khz", "a.mp3", "lame --quiet -V5 --resample 22.05 in.wav a.mp3"},
                    Encoding{"mp3_8_kbps", "a.mp3", "lame --quiet -b 8 --resample 8 in.wav a.mp3"},
                    Encoding{"mp3_mono", "a.mp3", "lame --quiet -b 32 -m m --resample 48 in.wav a.mp3"},
                    Encoding{"mp2", "a.mp2", "ffmpeg -v error -i in.wav -c:a mp2 a.mp2"}),
    [](const auto& encoding) { return encoding.param.name; });

TEST_F(MediaTest, SeeksInRealMusicAreBitExact) {
    const fs::path music = "/usr/share/games/singularity/music/Awakening.ogg";
    ASSERT_TRUE(fs::exists(music)) << "install singularity-music (script/setup does)";
    const Samples all = decode_all(music);
    const auto decoder = open_decoder(music);
    const std::int64_t frames = decoder->info().frame_count;
    std::mt19937_64 random(5);
    for (int i = 0; i < 60; ++i) {
        const auto frame = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(frames - 4000));
        decoder->seek(frame);
        const Samples part = read(*decoder, 4000);
        ASSERT_TRUE(same_bits(part.data(), all.data() + frame, 4000)) << "frame " << frame;
    }
}

TEST_F(MediaTest, ReadsTheFileItOpenedWhenTheNameIsReplaced) {
    write("a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 200000);
    const Samples before = decode_all(path("a.wav"));
    const auto decoder = open_decoder(path("a.wav"));
    write("b.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 100, 1);
    fs::rename(path("b.wav"), path("a.wav"));
    EXPECT_EQ(read(*decoder, 300000), before);
}

}  // namespace
}  // namespace lacquer::media::test
