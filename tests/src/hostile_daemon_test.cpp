// The attacks of tests/server/hostile/ against the program itself.
#include <algorithm>
#include <deque>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "tests/library/fixture.h"
#include "tests/server/hostile/all_rows.h"
#include "tests/support/daemon_process.h"

namespace lacquer {
namespace {

using test::RawClient;

class HostileDaemonTest : public testing::Test {
protected:
    HostileDaemonTest() {
        library::test::write_audio(folder_.path() / "music" / "a.wav", 1, 16'000);
        daemon_.emplace(folder_.path() / "music", folder_.path());
        for (int tries = 0; tries < 600 && RawClient(port()).get("/readyz")->status != 200; ++tries)
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    std::uint16_t port() const { return daemon_->port(); }

    library::test::TemporaryFolder folder_;
    std::optional<test::DaemonProcess> daemon_;
};

TEST_F(HostileDaemonTest, EveryRowGetsItsAnswerAndTheDaemonStaysWhatItWas) {
    ASSERT_EQ(RawClient(port()).get("/api/player/stream/1")->status, 200);
    const std::size_t before = daemon_->resident_bytes();
    for (const auto& [table, rows] : test::hostile_tables()) {
        for (const test::Row& row : rows) test::play(row, port());
        ASSERT_TRUE(daemon_->is_running()) << table;
        RecordProperty(table, static_cast<int>(rows.size()));
    }
    const std::size_t after = daemon_->resident_bytes();
    RecordProperty("grown_kib", static_cast<int>((std::max(after, before) - before) / 1024));
    EXPECT_LT(after, before + 20'000'000);
    EXPECT_EQ(daemon_->stop(), 0) << daemon_->log();
}

TEST_F(HostileDaemonTest, ManyAtOnceAreBoundedToo) {
    const std::size_t before = daemon_->resident_bytes();
    std::deque<RawClient> clients;
    for (int i = 0; i < 200; ++i) {
        clients.emplace_back(port(), 4096);
        const bool has_body = i % 2 == 0;
        clients.back().send_what_fits(has_body ? test::head_of("POST", "/api/presets",
                                                               "Content-Type: application/json\r\n"
                                                               "Content-Length: 65536\r\n") +
                                                     std::string(60'000, '[')
                                               : test::head_of("GET", "/healthz").substr(0, 40) +
                                                     "X: " + std::string(16'000, 'a'));
    }
    EXPECT_EQ(RawClient(port()).get("/healthz")->status, 200);
    EXPECT_LT(daemon_->resident_bytes(), before + 200 * 160'000);
    clients.clear();
    EXPECT_EQ(RawClient(port()).get("/healthz")->status, 200);
    EXPECT_EQ(daemon_->stop(), 0) << daemon_->log();
}

}  // namespace
}  // namespace lacquer
