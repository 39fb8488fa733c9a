// enhanced=false never reads anything but the file of the track.
#include "src/original_file.h"

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/support/temp_dir.h"

namespace lacquer {
namespace {

namespace fs = std::filesystem;

class OriginalFileTest : public testing::Test {
protected:
    OriginalFileTest() {
        std::ofstream(root_ / "a.wav") << "inside";
        std::ofstream(root_ / "secret") << "secret";
        track_.path = root_ / "a.wav";
    }
    // What is served, or the status of the refusal.
    std::string served() {
        try {
            auto file = original_file(track_);
            std::string text(6, '\0');
            const auto bytes = std::as_writable_bytes(std::span(text));
            return text.substr(0, file.body->read(0, bytes, [] { return true; }));
        } catch (const server::HttpError& error) {
            retry_after_ = error.headers.empty() ? "" : error.headers.front().second;
            return std::to_string(error.status);
        }
    }

    test::TempDir folder_;
    fs::path root_ = fs::canonical(folder_.path());
    library::Track track_;
    std::string retry_after_;
};

TEST_F(OriginalFileTest, OnlyARegularFileIsServed) {
    EXPECT_EQ(served(), "inside");
    fs::remove(track_.path);
    EXPECT_EQ(served(), "404");
    ASSERT_EQ(::mkfifo(track_.path.c_str(), 0600), 0);
    EXPECT_EQ(served(), "404") << "and nobody waits for its other end";
    fs::remove(track_.path);
    for (const fs::path& target : {fs::path("/etc/passwd"), root_ / "secret", root_, track_.path}) {
        fs::create_symlink(target, track_.path);
        EXPECT_EQ(served(), "404") << target;
        fs::remove(track_.path);
    }
    fs::create_directory(track_.path);
    EXPECT_EQ(served(), "404");
}

TEST_F(OriginalFileTest, WhatMayPassAsksToComeBackWhatMayNotIsNotFound) {
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlimit none = limit;
    none.rlim_cur = 0;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    EXPECT_EQ(served(), "503") << "no descriptor is free";
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    EXPECT_EQ(retry_after_, "1");
    EXPECT_EQ(served(), "inside");
    track_.path = root_ / std::string(300, 'a');
    EXPECT_EQ(served(), "404") << "a name that is too long stays so";
}

TEST_F(OriginalFileTest, ALinkPutInItsPlaceAtAnyMomentIsNeverFollowed) {
    fs::create_symlink(root_ / "secret", root_ / "link");
    std::atomic<bool> done = false;
    std::jthread swapper([&] {
        while (!done) {
            ASSERT_EQ(::renameat2(AT_FDCWD, track_.path.c_str(), AT_FDCWD, (root_ / "link").c_str(), RENAME_EXCHANGE),
                      0);
        }
    });
    int inside = 0;
    int refused = 0;
    for (int opens = 0; opens < 200'000 && (opens < 5'000 || inside == 0 || refused == 0); ++opens) {
        const std::string what = served();
        inside += what == "inside" ? 1 : 0;
        refused += what == "404" ? 1 : 0;
        EXPECT_NE(what, "secret");
    }
    done = true;
    EXPECT_GT(inside, 0);
    EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace lacquer
