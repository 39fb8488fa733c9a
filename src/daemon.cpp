#include "src/daemon.h"

#include <signal.h>
#include <spdlog/spdlog.h>

#include "cache/chunk_cache.h"
#include "server/http_server.h"
#include "src/background_renders.h"
#include "src/chunk_service.h"
#include "src/event_hub.h"
#include "src/library_keeper.h"
#include "src/render_api.h"
#include "src/render_log.h"
#include "src/scheduler.h"
#include "src/stream_api.h"
#include "src/track_api.h"
#include "src/track_measurer.h"

namespace lacquer {
namespace {

constexpr std::chrono::seconds kDrainTime{5};

void check_folders(const Settings& settings) {
    if (settings.music.empty()) throw std::runtime_error("no music folder given: --music DIR");
    for (const auto& folder : settings.music) {
        if (!std::filesystem::is_directory(folder)) {
            throw std::runtime_error("--music: " + folder.string() + " is not a folder");
        }
    }
}

server::ServerOptions server_options(const Settings& settings) {
    server::ServerOptions options;
    options.host = settings.host;
    options.port = settings.port;
    options.token = settings.token;
    options.public_hosts = settings.public_hosts;
    options.log = [](const std::string& line) { spdlog::warn("http: {}", line); };
    return options;
}

// Blocked before any thread starts, so that only wait() sees them.
class ShutdownSignals {
public:
    ShutdownSignals() {
        sigemptyset(&signals_);
        sigaddset(&signals_, SIGTERM);
        sigaddset(&signals_, SIGINT);
        pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
        signal(SIGPIPE, SIG_IGN);
    }
    void wait() const {
        int received = 0;
        sigwait(&signals_, &received);
    }

private:
    sigset_t signals_{};
};

void tell_scan(const library::ScanResult& scan, const std::string& base_url) {
    spdlog::info("library: {} added, {} changed, {} moved, {} removed, {} unchanged, {} cannot be decoded", scan.added,
                 scan.changed, scan.moved, scan.removed, scan.unchanged, scan.undecodable);
    if (scan.added > 0) spdlog::info("play everything: {}/playlist.m3u8", base_url);
}

}  // namespace

int run_daemon(const Settings& settings) {
    check_folders(settings);
    const ShutdownSignals signals;
    cache::ChunkCache cache(settings.cache_dir, settings.cache_size_bytes);
    library::Library library(settings.state_dir / "library.db", settings.music);
    EventHub events;
    RenderLog log(events, cache);
    Scheduler scheduler(settings.workers);
    ChunkService chunks(cache, scheduler, log);
    BackgroundRenders background(chunks, cache);
    log.on_change([&] { background.poke(); });
    TrackMeasurer measurer(scheduler);
    RecipeBook recipes(library, measurer, settings.grid);
    const StreamParts parts{library, recipes, chunks, background};
    TrackApi track_api(library, recipes);
    StreamApi stream_api(parts);
    RenderApi render_api(parts, log, events);
    StatusApi status(cache, library);
    server::HttpServer http({track_api, stream_api, render_api, events, status}, server_options(settings));
    spdlog::info("listening on {}", http.base_url());
    LibraryKeeper keeper(library, recipes, [&](const library::ScanResult& scan) {
        tell_scan(scan, http.base_url());
        status.set_ready(true);
    });

    signals.wait();
    spdlog::info("stopping: streams may finish for up to {} s", kDrainTime.count());
    status.set_ready(false);
    http.stop(kDrainTime);
    keeper.stop();
    scheduler.stop();
    return 0;
}

}  // namespace lacquer
