#include "src/library_keeper.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string_view>

#include <spdlog/spdlog.h>

#include "src/retry_policy.h"

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
            if (damaged) {
                spdlog::warn("{}", library_.repair());
                failed_.clear();
            }
            damaged = false;
            const library::ScanResult result = library_.scan(stop);
            if (!stop.stop_requested()) on_scanned_(result);
            measure_until(next_scan, stop);
            const auto may_go_on = [&] {
                return !stop.stop_requested() && Clock::now() < next_scan && !library_.damaged();
            };
            while (may_go_on() && library_.hash_one(stop)) continue;
        } catch (const std::exception& error) {  // the thread's boundary: the next round tries again
            spdlog::error("keeping the library: {}", error.what());
        }
        sleep_until(next_scan, stop, !damaged);
    } while (!stop.stop_requested());
}

void LibraryKeeper::measure_until(Clock::time_point end, std::stop_token stop) try {
    for (const std::int64_t id : library_.unmeasured()) {
        if (stop.stop_requested() || Clock::now() >= end || library_.damaged() || !may_measure_()) return;
        const auto track = library_.fresh_track(id);
        if (!track || !track->error.empty()) continue;
        const auto known = failed_.find(track->content_id);
        if (known == failed_.end() || Clock::now() >= known->second.again) measure(*track, stop);
    }
} catch (const NotWanted&) {
    return;
} catch (const WorkRefused&) {  // a later round goes on
    return;
}

void LibraryKeeper::measure(const library::Track& track, std::stop_token stop) {
    try {
        const auto wanted = [&] { return !stop.stop_requested() && !library_.damaged(); };
        recipes_.full_profile(track, TaskClass::measuring, wanted);
        if (!library_.has_profile(track)) rest(track.content_id, true);  // in parts only, or it could not be stored
    } catch (const media::DecodeError& error) {
        spdlog::warn("track {} cannot be measured: {}", track.id, error.what());
        rest(track.content_id, can_pass(error) || error.what() == std::string_view(kTimeout));
    }
}

void LibraryKeeper::rest(const std::string& content_id, bool passes) {
    constexpr int kMostDoublings = 7;  // 21 hours
    Failed& failed = failed_[content_id];
    const auto pause = kFailureRest * (1 << std::min(failed.times++, kMostDoublings));
    failed.again = passes ? Clock::now() + pause : Clock::time_point::max();
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
