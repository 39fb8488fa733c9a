// An evening on a small machine, in virtual time over the daemon's own queue: listeners come, one seeks, one leaves,
// two batches and the measuring of the library run beside them.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <random>

#include "tests/support/virtual_listeners.h"
#include "tests/support/virtual_workers.h"

namespace lacquer::bench {

struct ScenarioWish {
    int workers = 2;
    int listeners = 12;
    int seconds = 100;
    int render_ms = 1000;  // a chunk of 30 s
    std::uint64_t seed = 1;
};

class Scenario {
public:
    static constexpr int kSeeker = 3, kLeaver = 5;  // listeners
    static constexpr std::chrono::seconds kSeekAt{45}, kLeaveAt{65};

    explicit Scenario(const ScenarioWish& wish);

    const ScenarioWish& wish() const { return wish_; }
    const test::VirtualWorkers& workers() const { return workers_; }
    const test::VirtualChunks& chunks() const { return chunks_; }
    const std::deque<test::VirtualListener>& listeners() const { return listeners_; }

private:
    void add_listener(int track, std::mt19937_64& random);
    void add_batch(int number, std::chrono::seconds at);

    const ScenarioWish wish_;
    test::VirtualWorkers workers_;
    test::VirtualChunks chunks_;
    std::deque<test::VirtualListener> listeners_;
    std::deque<test::VirtualJob> jobs_;
    test::VirtualMeasuring measuring_;
};

}  // namespace lacquer::bench
