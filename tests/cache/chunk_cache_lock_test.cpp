// One directory, one daemon.
#include <functional>
#include <stdexcept>

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/cache/fixture.h"

namespace lacquer::test {
namespace {

using cache::ChunkCache;
using testing::AllOf;
using testing::HasSubstr;

class LockTest : public testing::Test {
protected:
    // What opening the directory throws; empty when it does not.
    static std::string refusal(const std::filesystem::path& directory) {
        try {
            const ChunkCache cache(directory, 10 * kPage);
            return {};
        } catch (const std::runtime_error& error) {
            return error.what();
        }
    }
    // A child process runs `work` and ends at once; true when `work` returned true.
    static bool in_child(const std::function<bool()>& work) {
        const pid_t child = ::fork();
        if (child == 0) ::_exit(work() ? 0 : 1);
        int status = 0;
        ::waitpid(child, &status, 0);
        return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }

    TemporaryDirectory temporary;
    std::filesystem::path directory = temporary.path() / "a" / "b" / "cache";
};

TEST_F(LockTest, DirectoryIsMadeForTheOwnerAloneWithItsParents) {
    const ChunkCache cache(directory, 10 * kPage);
    for (const auto& made : {directory, directory.parent_path(), directory.parent_path().parent_path()}) {
        struct stat status {};
        ASSERT_EQ(::stat(made.c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777, 0700u) << made;
    }
}

TEST_F(LockTest, TrailingSlashIsTheSameDirectory) {
    const ChunkCache cache(directory / "", 10 * kPage);
    EXPECT_EQ(cache::cache_owner(directory), ::getpid());
}

TEST_F(LockTest, SecondOpenerInThisProcessIsRefusedWithThePid) {
    const ChunkCache cache(directory, 10 * kPage);
    EXPECT_THAT(refusal(directory), AllOf(HasSubstr(directory.string()), HasSubstr(std::to_string(::getpid()))));
    EXPECT_EQ(cache::cache_owner(directory), ::getpid());
}

TEST_F(LockTest, SecondOpenerInAnotherProcessIsRefusedWithThePid) {
    const ChunkCache cache(directory, 10 * kPage);
    const auto owner = ::getpid();
    EXPECT_TRUE(in_child([&] {
        return refusal(directory).find("pid " + std::to_string(owner) + ")") != std::string::npos &&
               cache::cache_owner(directory) == owner;
    }));
}

TEST_F(LockTest, DirectoryOwnedByAnotherProcessIsRefusedWithItsPidAndFreeWhenItIsKilled) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const ChunkCache cache(directory, 10 * kPage);
        [[maybe_unused]] const auto written = ::write(ready[1], "x", 1);
        for (;;) ::pause();
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    EXPECT_THAT(refusal(directory), HasSubstr("pid " + std::to_string(child) + ")"));
    EXPECT_EQ(cache::cache_owner(directory), child);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_EQ(cache::cache_owner(directory), std::nullopt);
    EXPECT_EQ(refusal(directory), "");
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_F(LockTest, NobodyOwnsADirectoryThatIsClosedOrNotThere) {
    EXPECT_EQ(cache::cache_owner(directory), std::nullopt);
    EXPECT_EQ(refusal(directory), "");
    EXPECT_EQ(cache::cache_owner(directory), std::nullopt);
    EXPECT_EQ(refusal(directory), "");
}

TEST_F(LockTest, FileInTheWayIsRefusedWithTheReason) {
    std::ofstream(temporary.path() / "a") << "a file";
    EXPECT_THAT(refusal(directory), AllOf(HasSubstr(directory.string()), HasSubstr("Not a directory")));
}

TEST_F(LockTest, DirectoryThatIsNotWritableIsRefusedWithTheReason) {
    std::filesystem::create_directories(directory);
    for (const auto& path : {temporary.path(), temporary.path() / "a", temporary.path() / "a" / "b", directory})
        ::chmod(path.c_str(), 0555);
    EXPECT_TRUE(in_child([&] {
        if (::geteuid() == 0 && ::seteuid(65534) != 0) return false;  // root may write anywhere
        const auto text = refusal(directory);
        return text.find("not writable: Permission denied") != std::string::npos &&
               text.find(directory.string()) != std::string::npos;
    }));
    for (const auto& path : {temporary.path(), temporary.path() / "a", temporary.path() / "a" / "b", directory})
        ::chmod(path.c_str(), 0700);
}

}  // namespace
}  // namespace lacquer::test
