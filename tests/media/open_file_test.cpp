// What a name leads to, in every place where a link can stand, by both ways of opening.
#include "src/media/open_file.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "src/media/decoder.h"
#include "tests/support/temp_dir.h"

namespace lacquer::media {
namespace {

namespace fs = std::filesystem;

// Index 0: the way the kernel knows; 1: one directory at a time.
class OpenFileTest : public testing::TestWithParam<int> {
protected:
    OpenFileTest() {
        fs::create_directories(at("music/deep"));
        fs::create_directories(at("outside"));
        std::ofstream(at("music/deep/a.wav")) << "inside";
        std::ofstream(at("outside/a.wav")) << "secret";
    }
    fs::path at(const std::string& name) const { return root_ / name; }
    std::string read(const fs::path& file) const {
        const int descriptor = open(file);
        if (descriptor < 0) return errno == ELOOP || errno == ENOTDIR ? "refused" : std::to_string(errno);
        std::string text(6, '\0');
        const ssize_t count = ::read(descriptor, text.data(), text.size());
        ::close(descriptor);
        return text.substr(0, static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
    int open(const fs::path& file, int flags = O_RDONLY) const {
        return GetParam() == 0 ? open_without_links(file, flags) : open_by_components(file, flags);
    }

    test::TempDir folder_;
    fs::path root_ = fs::canonical(folder_.path());
};

TEST_P(OpenFileTest, ReadsWhatIsReallyThere) {
    EXPECT_EQ(read(at("music/deep/a.wav")), "inside");
    EXPECT_EQ(read(at("music//./deep/../deep/a.wav")), "inside");
    EXPECT_EQ(read(at("music/b.wav")), std::to_string(ENOENT));
    EXPECT_EQ(read(at("nothing/b.wav")), std::to_string(ENOENT));
    EXPECT_EQ(read(""), std::to_string(ENOENT));
    const fs::path before = fs::current_path();
    fs::current_path(at("music"));
    EXPECT_EQ(read("deep/a.wav"), "inside");
    fs::current_path(before);
}

TEST_P(OpenFileTest, NoLinkIsFollowedWhereverItStands) {
    fs::create_symlink(at("outside/a.wav"), at("music/link.wav"));
    fs::create_symlink("deep/a.wav", at("music/inner.wav"));
    fs::create_symlink(at("outside"), at("music/folder"));
    fs::create_symlink(at("music/loop.wav"), at("music/loop.wav"));
    fs::create_symlink("/etc/passwd", at("music/passwd.wav"));
    for (const char* name : {"music/link.wav", "music/inner.wav", "music/folder/a.wav", "music/loop.wav",
                             "music/passwd.wav", "music/folder/../outside/a.wav"}) {
        EXPECT_EQ(read(at(name)), "refused") << name;
    }
    EXPECT_EQ(read("/proc/self/root" + at("outside/a.wav").native()), "refused");
}

TEST_P(OpenFileTest, AFolderSwappedForALinkIsNotFollowed) {
    ASSERT_EQ(read(at("music/deep/a.wav")), "inside");
    fs::rename(at("music/deep"), at("music/moved"));
    fs::create_symlink(at("outside"), at("music/deep"));
    EXPECT_EQ(read(at("music/deep/a.wav")), "refused");
}

TEST_P(OpenFileTest, NothingIsWaitedFor) {
    ASSERT_EQ(::mkfifo(at("music/pipe.wav").c_str(), 0600), 0);
    const int pipe = open(at("music/pipe.wav"));
    EXPECT_GE(pipe, 0);
    ::close(pipe);
    const int looked_at = open(at("music/pipe.wav"), O_PATH);
    EXPECT_GE(looked_at, 0);
    ::close(looked_at);
}

INSTANTIATE_TEST_SUITE_P(BothWays, OpenFileTest, testing::Values(0, 1));

TEST(OpenDecoder, TakesRegularFilesOnly) {
    const test::TempDir folder;
    const fs::path root = fs::canonical(folder.path());
    const fs::path pipe = root / "pipe.wav";
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const fs::path socket = root / "socket.wav";
    socket.native().copy(address.sun_path, sizeof address.sun_path - 1);
    const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    for (const fs::path& file : {pipe, socket, root, fs::path("/dev/zero")})
        EXPECT_THROW(probe(file), DecodeError) << file;
    ::close(listener);
}

}  // namespace
}  // namespace lacquer::media
