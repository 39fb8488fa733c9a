// The daemon as a whole: how it starts, and how it does not.
#include "src/daemon.h"

#include <gmock/gmock.h>

#include "server/http_server.h"
#include "tests/library/fixture.h"
#include "tests/server/memory_sources.h"
#include "tests/support/daemon_process.h"

namespace lacquer {
namespace {

TEST(Daemon, IsFoundByItsNameAlthoughItStartsTwice) {
    const library::test::TemporaryFolder folder;
    std::filesystem::create_directory(folder.path() / "music");
    test::DaemonProcess daemon(folder.path() / "music", folder.path());
    EXPECT_EQ(daemon.name(), "lacquer");
    EXPECT_EQ(daemon.stop(), 0) << daemon.log();
}

// Looks for stuck workers go on until the parts that they look at are gone: for the sanitizers to see.
TEST(Daemon, WithoutItsPortNothingIsCalledThatIsGone) {
    const library::test::TemporaryFolder folder;
    test::MemorySources sources;
    const server::HttpServer other(sources.all(), test::any_port());
    Settings settings;
    settings.music = {folder.path()};
    settings.cache_dir = folder.path() / "cache";
    settings.state_dir = folder.path() / "state";
    settings.workers = 2;
    settings.port = other.port();
    settings.stuck_seconds = 0.008;  // a look every millisecond
    for (int tries = 0; tries < 30; ++tries) {
        try {
            const Daemon daemon(settings);
            ADD_FAILURE() << "two servers share a port";
        } catch (const std::runtime_error& error) {
            EXPECT_THAT(error.what(), testing::HasSubstr("Address already in use"));
        }
    }
}

}  // namespace
}  // namespace lacquer
