#include "src/daemon.h"

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <stop_token>
#include <thread>

#include <malloc.h>
#include <spdlog/spdlog.h>

#include "cache/chunk_cache.h"
#include "dsp/simd.h"
#include "server/http_server.h"
#include "src/background_renders.h"
#include "src/chunk_service.h"
#include "src/event_hub.h"
#include "src/library_keeper.h"
#include "src/preset_api.h"
#include "src/render_api.h"
#include "src/render_log.h"
#include "src/scheduler.h"
#include "src/shutdown_signals.h"
#include "src/stream_api.h"
#include "src/stuck_watch.h"
#include "src/sweeper.h"
#include "src/timers.h"
#include "src/track_api.h"
#include "src/track_measurer.h"

namespace lacquer {
namespace {

constexpr int kWorkerNiceness = 5;  // a third of the share of what serves, when cores are short
constexpr std::chrono::seconds kDrainTime{5};
constexpr std::chrono::seconds kPatienceWithFiles{5};  // after that; the scheduler gives up its own tasks within 2
constexpr std::chrono::seconds kTrimPeriod{10};

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

// A thread that reads a share which hangs cannot be ended, so it is not waited for: what is on disk is whole at any
// moment, cache and database alike.
class EndInAnyCase {
public:
    explicit EndInAnyCase(std::chrono::seconds patience)
        : thread_([patience](std::stop_token stop) {
              std::mutex mutex;
              std::condition_variable_any stopped;
              std::unique_lock lock(mutex);
              if (stopped.wait_for(lock, stop, patience, [&] { return stop.stop_requested(); })) return;
              spdlog::warn("stopping: something still waits for a file; ended without it");
              spdlog::shutdown();
              std::_Exit(0);
          }) {}

private:
    std::jthread thread_;
};

// What calls others from threads of its own ends before any of those others, also when a later part cannot be had.
struct StopsCalls {
    ~StopsCalls() {
        timers.stop();
        scheduler.stop();
    }
    RealTimers& timers;
    Scheduler& scheduler;
};

void tell_scan(const library::ScanResult& scan, const std::string& base_url) {
    if (scan.added + scan.changed + scan.moved + scan.removed == 0) return;
    spdlog::info("library: {} added, {} changed, {} moved, {} removed, {} unchanged, {} cannot be decoded", scan.added,
                 scan.changed, scan.moved, scan.removed, scan.unchanged, scan.undecodable);
    if (scan.added > 0) spdlog::info("play everything: {}/playlist.m3u8", base_url);
}

}  // namespace

struct Daemon::Parts {
    explicit Parts(const Settings& settings)
        : cache(settings.cache_dir, settings.cache_size_bytes),
          library(settings.state_dir / "library.db", settings.music),
          log(events, cache, [this] { background.poke(); }),
          scheduler(settings.workers, kWorkerNiceness),
          stuck_watch(timers, scheduler, milliseconds_of(settings.stuck_seconds)),
          chunks(cache, scheduler, timers, log),
          background(chunks, cache),
          measurer(scheduler),
          recipes(library, measurer, settings.grid),
          tracks(library, recipes),
          presets(library, recipes),
          streams({library, recipes, chunks, background}),
          renders({library, recipes, chunks, background}, log, events),
          sweeper(cache, library, settings.grid),
          status({cache, library, sweeper, scheduler, log}),
          http({tracks, presets, streams, renders, events, status}, server_options(settings)),
          keeper(
              library, recipes,
              [this](const library::ScanResult& scan) {
                  tell_scan(scan, http.base_url());
                  status.set_ready(true);
                  sweeper.begin();
              },
              // A share that hangs would take one worker for every track on it.
              [this] { return scheduler.counts().written_off == 0; }) {
        if (!library.notice().empty()) spdlog::warn("{}", library.notice());
    }

    cache::ChunkCache cache;
    library::Library library;
    EventHub events;
    RenderLog log;
    Scheduler scheduler;
    RealTimers timers;
    StuckWatch stuck_watch;
    ChunkService chunks;
    BackgroundRenders background;
    TrackMeasurer measurer;
    RecipeBook recipes;
    TrackApi tracks;
    PresetApi presets;
    StreamApi streams;
    RenderApi renders;
    Sweeper sweeper;
    StatusApi status;
    StopsCalls stops_calls{timers, scheduler};
    server::HttpServer http;
    LibraryKeeper keeper;
};

Daemon::Daemon(const Settings& settings) {
    check_folders(settings);
    parts_ = std::make_unique<Parts>(settings);
}

Daemon::~Daemon() {
    stop(std::chrono::milliseconds(0));
}

std::string Daemon::base_url() const {
    return parts_->http.base_url();
}

// Whoever waits for workers goes first, then the workers, so that nothing they touch is gone before them.
void Daemon::stop(std::chrono::milliseconds patience) {
    if (!parts_) return;
    parts_->status.set_ready(false);
    parts_->background.stop();
    parts_->keeper.request_stop();
    parts_->http.stop(patience);
    parts_->keeper.stop();
    parts_->timers.stop();
    parts_->sweeper.stop();
    parts_->scheduler.stop();
    left_workers_ = parts_->scheduler.counts().written_off > 0;
    // One that was given up may come back, to the cache and to those that it tells.
    if (left_workers_) {
        [[maybe_unused]] const Parts* const left = parts_.release();
    }
    parts_.reset();
}

int run_daemon(const Settings& settings) {
    const ShutdownSignals signals;
    Daemon daemon(settings);
    spdlog::info("listening on {} (computing on {})", daemon.base_url(), dsp::simd_in_use());
    while (signals.wait(kTrimPeriod) == 0) malloc_trim(0);  // what a burst of work left behind
    spdlog::info("stopping: streams may finish for up to {} s", kDrainTime.count());
    const EndInAnyCase end_in_any_case(kDrainTime + kPatienceWithFiles);
    daemon.stop(kDrainTime);
    if (daemon.left_workers()) {
        spdlog::warn("stopped, with sources that still hang");
        spdlog::shutdown();
        std::_Exit(0);  // a thread that comes back now must not meet what static destructors left
    }
    return 0;
}

}  // namespace lacquer
