#include "src/library_keeper.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include <spdlog/spdlog.h>

namespace lacquer {
namespace {

constexpr std::chrono::seconds kRescanInterval{300};
constexpr std::chrono::seconds kDamageCheck{1};

}  // namespace

LibraryKeeper::LibraryKeeper(library::Library& library, RecipeBook& recipes,
                             std::function<void(const library::ScanResult&)> on_scanned,
                             std::function<bool()> may_measure)
    : library_(library),
      recipes_(recipes),
      on_scanned_(std::move(on_scanned)),
      may_measure_(std::move(may_measure)),
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
        const auto next_scan = Clock::now() + kRescanInterval;
        bool damaged = library_.damaged();
        try {
            if (damaged) spdlog::warn("{}", library_.repair());
            damaged = false;
            const library::ScanResult result = library_.scan(stop);
            if (!stop.stop_requested()) on_scanned_(result);
            measure_until(next_scan, stop);
            while (!stop.stop_requested() && Clock::now() < next_scan && library_.hash_one(stop)) continue;
        } catch (const std::exception& error) {  // the thread's boundary: the next round tries again
            spdlog::error("keeping the library: {}", error.what());
        }
        sleep_until(next_scan, stop, !damaged);
    } while (!stop.stop_requested());
}

void LibraryKeeper::measure_until(Clock::time_point end, std::stop_token stop) {
    for (const std::int64_t id : library_.unmeasured()) {
        if (stop.stop_requested() || Clock::now() >= end || !may_measure_()) return;
        const auto track = library_.fresh_track(id);
        if (!track || !track->error.empty() || !tried_.insert(track->content_id).second) continue;
        try {
            recipes_.full_profile(*track, TaskClass::measuring, [&] { return !stop.stop_requested(); });
        } catch (const NotWanted&) {
            return;
        } catch (const media::DecodeError& error) {
            spdlog::warn("track {} cannot be measured: {}", id, error.what());
        }
    }
}

// Damage is met by whoever reads, here too. It is repaired at once, but where that failed not before `end`.
void LibraryKeeper::sleep_until(Clock::time_point end, std::stop_token stop, bool wake_for_damage) {
    std::mutex mutex;
    std::condition_variable_any woken;
    std::unique_lock lock(mutex);
    do {
        woken.wait_until(lock, stop, std::min(end, Clock::now() + kDamageCheck), [] { return false; });
    } while (!stop.stop_requested() && Clock::now() < end && !(wake_for_damage && library_.damaged()));
}

}  // namespace lacquer
