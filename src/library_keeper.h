// Keeps the library current: scans the folders at start and every few minutes, then measures what is not yet measured
// and fingerprints whole files, one after the other, at background urgency.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "src/library/library.h"
#include "src/recipe_book.h"

namespace lacquer {

class LibraryKeeper {
public:
    // `on_scanned` is told after each scan, from the keeper's thread.
    LibraryKeeper(library::Library& library, RecipeBook& recipes,
                  std::function<void(const library::ScanResult&)> on_scanned);
    ~LibraryKeeper();  // stop()
    void stop();

private:
    void run(std::stop_token stop);
    void measure_all(std::stop_token stop);
    bool sleep(std::stop_token stop, std::chrono::seconds duration);

    library::Library& library_;
    RecipeBook& recipes_;
    const std::function<void(const library::ScanResult&)> on_scanned_;
    std::jthread thread_;
};

}  // namespace lacquer
