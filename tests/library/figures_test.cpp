// Prints what a large library costs; run with --gtest_also_run_disabled_tests --gtest_filter='*Figures*'.
#include <chrono>
#include <cstdio>

#include "tests/library/fixture.h"

namespace lacquer::library::test {
namespace {

using FiguresTest = LibraryTest;

template <typename Action>
void print_ms(const char* what, Action action) {
    const auto begin = std::chrono::steady_clock::now();
    action();
    const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - begin;
    std::printf("%-48s %9.2f ms\n", what, elapsed.count());
}

TEST_F(FiguresTest, DISABLED_FiguresOfTwentyThousandTracks) {
    for (std::uint32_t i = 0; i < 20'000; ++i)
        write_audio(music() / std::to_string(i / 20) / (std::to_string(i) + ".wav"), i, 32);
    print_ms("first scan of 20,000 files", [&] { scan(); });
    print_ms("scan with nothing changed", [&] { scan(); });
    print_ms("first page of 100", [&] { library().tracks("", 0, 100); });
    print_ms("last page of 100", [&] { library().tracks("", 19'900, 100); });
    print_ms("search, one match", [&] { library().tracks("19999", 0, 100); });
    print_ms("search, no match, three words", [&] { library().tracks("no such track", 0, 100); });
    print_ms("unmeasured", [&] { library().unmeasured(); });
    const std::int64_t id = listed("19999").at(0).id;
    print_ms("track, 1000 times", [&] {
        for (int i = 0; i < 1000; ++i) library().track(id);
    });
    print_ms("fresh_track, 1000 times", [&] {
        for (int i = 0; i < 1000; ++i) library().fresh_track(id);
    });
    fs::rename(music() / "7", music() / "seven");
    print_ms("scan with a folder of 20 renamed", [&] { EXPECT_EQ(scan().moved, 20); });
    close();
    std::printf("%-48s %9.1f MB\n", "database", static_cast<double>(fs::file_size(database())) / 1e6);
    print_ms("open", [&] { library(); });
}

}  // namespace
}  // namespace lacquer::library::test
