// What is recognised, by what, and what is refused.
#include "tests/media/fixture.h"

namespace lacquer::media::test {
namespace {

std::string reason_of(const fs::path& file) {
    try {
        probe(file);
    } catch (const DecodeError& error) {
        return error.what();
    }
    return {};
}

TEST_F(MediaTest, ContentDecidesNotTheName) {
    write("in.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 50000);
    run("lame --quiet in.wav a.mp3");
    fs::rename(path("a.mp3"), path("fake.wav"));
    fs::rename(path("in.wav"), path("fake.mp3"));
    EXPECT_EQ(probe(path("fake.wav")).format, "mp3");
    EXPECT_EQ(probe(path("fake.wav")).frame_count, 50000);
    EXPECT_EQ(probe(path("fake.mp3")).format, "wav");
}

TEST_F(MediaTest, Id3TagsInFrontAreSkipped) {
    write("in.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 50000);
    run("flac -s in.wav -o a.flac");
    run("lame --quiet in.wav a.mp3");
    const std::string tag = std::string("ID3\x03\0\0\0\0\x02\x10", 10) + std::string(0x110, '\xff');
    for (const char* name : {"in.wav", "a.flac", "a.mp3"}) {
        const Samples plain = decode_all(path(name));
        write_bytes(path("tagged"), tag + tag + bytes_of(path(name)));
        EXPECT_EQ(decode_all(path("tagged")), plain) << name;
    }
}

TEST_F(MediaTest, Mp3InAWavContainerAndBehindJunkIsFound) {
    write("in.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 50000);
    run("lame --quiet in.wav a.mp3");
    run("ffmpeg -v error -i in.wav -c:a libmp3lame -f wav mp3.wav");
    EXPECT_EQ(probe(path("mp3.wav")).format, "mp3");
    write_bytes(path("junk.bin"), std::string(5000, 'x') + bytes_of(path("a.mp3")));
    EXPECT_EQ(decode_all(path("junk.bin")), decode_all(path("a.mp3")));
}

TEST_F(MediaTest, WhatIsNotAudioIsRefusedWithAReasonAndWithoutItsPath) {
    write_bytes(path("a.txt"), "Forty-two lines of prose, none of them audio.");
    write_bytes(path("a.mp3"), std::string(3000, 'x'));
    write_bytes(path("empty.wav"), "");
    fs::create_directory(path("folder.wav"));
    for (const char* name : {"a.txt", "a.mp3", "empty.wav", "folder.wav", "missing.wav"}) {
        const std::string reason = reason_of(path(name));
        EXPECT_NE(reason, "") << name;
        EXPECT_EQ(reason.find(path("").string()), std::string::npos) << reason;
    }
    EXPECT_EQ(reason_of(path("folder.wav")), "not a regular file");
}

TEST_F(MediaTest, MoreThan64ChannelsAreRefused) {
    write("a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 100, 64);
    EXPECT_EQ(probe(path("a.wav")).source_channels, 64u);
    write("a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 100, 65);
    EXPECT_NE(reason_of(path("a.wav")), "");
}

TEST(HasAudioExtension, KnowsWhatTheLibrariesDecodeWhateverTheCase) {
    for (const char* name : {"a.wav", "b.FLAC", "c.Mp3", "d.ogg", "e.opus", "f.aiff", "g.caf", "h.w64"}) {
        EXPECT_TRUE(has_audio_extension(name)) << name;
    }
    for (const char* name : {"cover.jpg", "mp3", ".mp3.txt", "a.m3u8", ""}) EXPECT_FALSE(has_audio_extension(name));
}

}  // namespace
}  // namespace lacquer::media::test
