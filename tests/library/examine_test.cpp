// What is kept of a file that could not be read, and what of one that cannot be decoded.
#include "src/library/examine.h"

#include <cerrno>

#include "tests/library/fixture.h"

namespace lacquer::library::test {
namespace {

class ExamineTest : public LibraryTest {
protected:
    Track after(const media::DecodeError& error) {
        write_audio(music() / "a.wav", 1);
        return examine(music() / "a.wav", [&](const fs::path&) -> media::MediaInfo { throw error; });
    }
};

TEST_F(ExamineTest, WhatTheDiskRefusedHasNoContentSoThatItIsExaminedAgain) {
    for (const int code : {EIO, EMFILE, ESTALE, EACCES}) {
        const Track track = after(media::DecodeError("the file cannot be read", {code, std::generic_category()}));
        EXPECT_EQ(track.content_id, "") << code;
        EXPECT_NE(track.error, "") << code;
        EXPECT_EQ(track.title, "a");
    }
}

TEST_F(ExamineTest, WhatNoDecoderTakesKeepsItsContent) {
    const Track track = after(media::DecodeError("no audio format is recognised in the file"));
    EXPECT_EQ(track.content_id, content_id(music() / "a.wav"));
    EXPECT_NE(track.error, "");
}

}  // namespace
}  // namespace lacquer::library::test
