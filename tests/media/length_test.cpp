// Lengths: exact where the file is whole, what can be decoded where it is not, never what a lying header claims.
#include <algorithm>

#include "tests/media/fixture.h"

// libsndfile 1.2.0 loses 6 kB when it refuses an Ogg Vorbis file whose headers are cut through.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
    return "leak:vorbis_info_init\n";
}

namespace lacquer::media::test {
namespace {

constexpr std::int64_t kFrames = 44100 * 11 + 123;

class LengthTest : public MediaTest {
protected:
    LengthTest() { write("in.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, kFrames); }

    // Bytes [position, position + 4) of the file become `value`, little-endian.
    void patch(const std::string& name, std::size_t position, std::uint32_t value) const {
        std::string bytes = bytes_of(path(name));
        for (std::size_t i = 0; i < 4; ++i) bytes.at(position + i) = static_cast<char>(value >> (8 * i) & 0xff);
        write_bytes(path(name), bytes);
    }
    void expect_frames(const std::string& name, std::int64_t frames, std::int64_t promised) const {
        const MediaInfo info = probe(path(name));
        EXPECT_EQ(info.frame_count, frames) << name;
        EXPECT_EQ(info.promised_frames, promised) << name;
        EXPECT_EQ(decode_all(path(name)).size(), static_cast<std::size_t>(frames) * info.channels) << name;
    }
};

TEST_F(LengthTest, WholeFilesHaveTheLengthThatWasEncoded) {
    run("flac -s in.wav -o a.flac");
    run("oggenc -Q in.wav -o a.ogg");
    run("lame --quiet -V2 in.wav a.mp3");
    run("lame --quiet -b 128 in.wav b.mp3");
    for (const char* name : {"in.wav", "a.flac", "a.ogg", "a.mp3", "b.mp3"}) expect_frames(name, kFrames, kFrames);
    run("opusenc --quiet in.wav a.opus");
    EXPECT_NEAR(static_cast<double>(probe(path("a.opus")).frame_count), kFrames * 48000.0 / 44100.0, 1.0);
}

TEST_F(LengthTest, Mp3WithoutXingHeaderIsCountedNotEstimated) {
    run("lame --quiet -V2 -t in.wav vbr.mp3");
    run("lame --quiet -b 128 -t in.wav cbr.mp3");
    for (const char* name : {"vbr.mp3", "cbr.mp3"}) {
        const auto frames = static_cast<std::int64_t>(ffmpeg_decode(name).size() / 2);
        expect_frames(name, frames, frames);
    }
}

TEST_F(LengthTest, StreamedWavsWithoutALengthAreAsLongAsTheirData) {
    for (const std::uint32_t size : {0u, 0x7ffff000u, 0x7fffffffu, 0xffffffffu}) {
        write("a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, kFrames);
        const std::size_t data = bytes_of(path("a.wav")).find("data");
        patch("a.wav", 4, size);
        patch("a.wav", data + 4, size);
        expect_frames("a.wav", kFrames, kFrames);
    }
    write("a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, kFrames);
    patch("a.wav", 4, 36);
    patch("a.wav", bytes_of(path("a.wav")).find("data") + 4, 0);
    expect_frames("a.wav", kFrames, kFrames);
    run("sh -c 'ffmpeg -v error -i in.wav -f wav - | cat > pipe.wav'");
    expect_frames("pipe.wav", kFrames, kFrames);
    run("sh -c 'ffmpeg -v error -i in.wav -f flac - | cat > pipe.flac'");
    expect_frames("pipe.flac", kFrames, kFrames);
}

TEST_F(LengthTest, CutFilesKeepTheLengthTheirHeadersPromise) {
    run("flac -s in.wav -o a.flac");
    run("lame --quiet -V2 in.wav a.mp3");
    run("sox in.wav a.aiff");
    for (const char* name : {"in.wav", "a.flac", "a.mp3", "a.aiff"}) {
        fs::resize_file(path(name), fs::file_size(path(name)) * 2 / 3);
        const MediaInfo info = probe(path(name));
        EXPECT_NEAR(static_cast<double>(info.frame_count), kFrames * 2.0 / 3.0, kFrames * 0.1) << name;
        EXPECT_EQ(info.promised_frames, kFrames) << name;
    }
}

TEST_F(LengthTest, AbsurdPromisesAreNotBelieved) {
    const std::size_t data = bytes_of(path("in.wav")).find("data");
    patch("in.wav", data + 4, 0x70000000);
    expect_frames("in.wav", kFrames, kFrames);

    run("flac -s in.wav -o a.flac");
    std::string bytes = bytes_of(path("a.flac"));
    bytes.at(21) = static_cast<char>(bytes.at(21) | 0x0f);  // total_samples: 36 bits from the middle of byte 21 on
    for (std::size_t i = 22; i < 26; ++i) bytes.at(i) = '\xff';
    write_bytes(path("a.flac"), bytes);
    expect_frames("a.flac", kFrames, kFrames);
}

TEST_F(LengthTest, Mp3WithAWrongXingCountHasTheLengthOfItsFrames) {
    run("lame --quiet -V2 in.wav a.mp3");
    std::string bytes = bytes_of(path("a.mp3"));
    const std::size_t tag = bytes.find("Xing");
    ASSERT_NE(tag, std::string::npos);
    bytes.replace(tag + 8, 4, std::string("\0\0\0\x32", 4));
    write_bytes(path("a.mp3"), bytes);
    const std::int64_t frames = probe(path("a.mp3")).frame_count;
    EXPECT_GE(frames, kFrames);
    EXPECT_LT(frames, kFrames + 2 * 1152);
    expect_frames("a.mp3", frames, frames);
}

TEST_F(LengthTest, AWavOfNoFramesIsATrackOfNoLength) {
    write("a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 0);
    expect_frames("a.wav", 0, 0);
    const auto decoder = open_decoder(path("a.wav"));
    decoder->seek(0);
    EXPECT_TRUE(read(*decoder, 10).empty());
}

// A cut file gives what the whole file gives, up to some point; where a frame is cut through, the last one may differ.
TEST_F(LengthTest, FilesCutAnywhereGiveAPrefixOfTheWhole) {
    run("flac -s in.wav -o a.flac");
    run("oggenc -Q in.wav -o a.ogg");
    run("lame --quiet -V2 in.wav a.mp3");
    run("lame --quiet -b 64 -t in.wav b.mp3");
    run("opusenc --quiet in.wav a.opus");
    run("sox in.wav a.aiff");
    std::mt19937_64 random(11);
    for (const char* name : {"in.wav", "a.aiff", "a.flac", "a.ogg", "a.opus", "a.mp3", "b.mp3"}) {
        const auto whole = open_decoder(path(name));
        const std::string bytes = bytes_of(path(name));
        for (int i = 0; i < 20; ++i) {
            const std::size_t size = i < 4 ? random() % 600 : random() % bytes.size();
            write_bytes(path("cut"), bytes.substr(0, size));
            std::unique_ptr<Decoder> cut;
            try {
                cut = open_decoder(path("cut"));
            } catch (const DecodeError&) {
                EXPECT_LT(size, 16384u) << name;  // only headers that are cut through cannot be opened
                continue;
            }
            const std::int64_t frames = cut->info().frame_count;
            ASSERT_LE(frames, whole->info().frame_count + 3 * 1152) << name << " cut to " << size;
            const Samples part = read(*cut, frames + 100);
            ASSERT_EQ(part.size(), static_cast<std::size_t>(frames) * 2) << name << " cut to " << size;
            whole->seek(0);
            const auto same =
                static_cast<std::size_t>(std::max<std::int64_t>(0, std::min(frames, whole->info().frame_count) - 1152));
            const Samples expected = read(*whole, static_cast<std::int64_t>(same));
            for (std::size_t c = 0; c < 2; ++c) {
                const float* const channel = part.data() + static_cast<std::size_t>(frames) * c;
                ASSERT_TRUE(same_bits(channel, expected.data() + same * c, same))
                    << name << " cut to " << size << " bytes, " << frames << " frames";
            }
            if (frames == 0) continue;
            const std::int64_t from = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(frames));
            cut->seek(from);
            const Samples tail = read(*cut, frames);
            ASSERT_EQ(tail.size(), static_cast<std::size_t>(frames - from) * 2) << name << " cut to " << size;
            EXPECT_TRUE(same_bits(tail.data(), part.data() + from, tail.size() / 2))
                << name << " cut to " << size << ", from " << from;
        }
    }
}

// Random damage may cost audio, never more than a DecodeError.
TEST_F(LengthTest, DamagedFilesEndInAudioOrADecodeError) {
    run("flac -s in.wav -o a.flac");
    run("oggenc -Q in.wav -o a.ogg");
    run("lame --quiet -V2 in.wav a.mp3");
    run("opusenc --quiet in.wav a.opus");
    std::mt19937_64 random(13);
    for (const char* name : {"in.wav", "a.flac", "a.ogg", "a.opus", "a.mp3"}) {
        const std::string bytes = bytes_of(path(name));
        for (int i = 0; i < 12; ++i) {
            std::string damaged = bytes;
            const std::size_t reach = i % 2 == 0 ? 400 : damaged.size();
            for (int k = 0; k < 20; ++k) damaged[random() % reach] = static_cast<char>(random());
            write_bytes(path("damaged"), damaged);
            try {
                const auto decoder = open_decoder(path("damaged"));
                const std::int64_t frames = std::min<std::int64_t>(decoder->info().frame_count, 2'000'000);
                read(*decoder, frames);
                decoder->seek(frames / 2);
                read(*decoder, 5000);
            } catch (const DecodeError& error) {
                EXPECT_STRNE(error.what(), "");
            }
        }
    }
}

}  // namespace
}  // namespace lacquer::media::test
