// Keeps the library current: scans the folders at start and every few minutes, then measures what is not yet measured
// and fingerprints whole files, one after the other, at background urgency. A database found damaged while running is
// replaced within a second, or when the scan or the fingerprint under way is done, and the folders scanned anew.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <thread>

#include "src/library/library.h"
#include "src/recipe_book.h"

namespace lacquer {

class LibraryKeeper {
public:
    // `on_scanned` is told after each scan, `may_measure` asked before each track, from the keeper's thread.
    LibraryKeeper(library::Library& library, RecipeBook& recipes,
                  std::function<void(const library::ScanResult&)> on_scanned, std::function<bool()> may_measure);
    ~LibraryKeeper();                                // stop()
    void request_stop() { thread_.request_stop(); }  // and it ends soon: the workers get nothing more from it
    void stop();

private:
    using Clock = std::chrono::steady_clock;

    void run(std::stop_token stop);
    void measure_until(Clock::time_point end, std::stop_token stop);
    void measure(const library::Track& track, std::stop_token stop);
    void rest(const std::string& content_id, bool passes);
    void sleep_until(Clock::time_point end, std::stop_token stop, bool wake_for_damage);

    library::Library& library_;
    RecipeBook& recipes_;
    const std::function<void(const library::ScanResult&)> on_scanned_;
    const std::function<bool()> may_measure_;
    // By content id: what could not be measured. What may pass is tried again after kFailureRest, and twice as long
    // each time, for it may cost a worker; the rest not before a restart.
    struct Failed {
        int times = 0;
        Clock::time_point again{};
    };
    std::map<std::string, Failed> failed_;
    std::jthread thread_;
};

}  // namespace lacquer
