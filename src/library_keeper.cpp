#include "src/library_keeper.h"

#include <condition_variable>
#include <mutex>

#include <spdlog/spdlog.h>

namespace lacquer {
namespace {

constexpr std::chrono::seconds kRescanInterval{300};

}  // namespace

LibraryKeeper::LibraryKeeper(library::Library& library, RecipeBook& recipes,
                             std::function<void(const library::ScanResult&)> on_scanned)
    : library_(library),
      recipes_(recipes),
      on_scanned_(std::move(on_scanned)),
      thread_([this](std::stop_token stop) { run(stop); }) {}

LibraryKeeper::~LibraryKeeper() {
    stop();
}

void LibraryKeeper::stop() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
}

void LibraryKeeper::run(std::stop_token stop) {
    do {
        try {
            const library::ScanResult result = library_.scan(stop);
            if (!stop.stop_requested()) on_scanned_(result);
            measure_all(stop);
            while (!stop.stop_requested() && library_.hash_one(stop)) continue;
        } catch (const std::exception& error) {  // the thread's boundary: the next round tries again
            spdlog::error("keeping the library: {}", error.what());
        }
    } while (sleep(stop, kRescanInterval));
}

void LibraryKeeper::measure_all(std::stop_token stop) {
    for (const std::int64_t id : library_.unmeasured()) {
        if (stop.stop_requested()) return;
        const auto track = library_.track(id);
        if (!track || !track->error.empty()) continue;
        try {
            recipes_.full_profile(*track, TaskClass::measuring, [&] { return !stop.stop_requested(); });
        } catch (const NotWanted&) {
            return;
        } catch (const media::DecodeError& error) {
            spdlog::warn("track {} cannot be measured: {}", id, error.what());
        }
    }
}

// False when it is time to stop.
bool LibraryKeeper::sleep(std::stop_token stop, std::chrono::seconds duration) {
    std::mutex mutex;
    std::condition_variable_any woken;
    std::unique_lock lock(mutex);
    woken.wait_for(lock, stop, duration, [] { return false; });
    return !stop.stop_requested();
}

}  // namespace lacquer
