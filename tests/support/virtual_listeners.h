// Listeners, as src/stream and src/chunk_service make them, and jobs, over virtual workers: each chunk is rendered
// once, is there from its first bytes on, and is dropped from the queue when nobody wants it any more.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "tests/support/virtual_workers.h"

namespace lacquer::test {

struct VirtualCosts {
    std::chrono::milliseconds audio{30'000};     // in a chunk
    std::chrono::milliseconds first_bytes{150};  // from a render's start until there is something to hear
    std::chrono::milliseconds render{1'000};     // of the whole chunk
};

struct VirtualChunk {
    int track = 0;
    int index = 0;
    auto operator<=>(const VirtualChunk&) const = default;
};

// Who is interested in which chunk: the chunk service.
class VirtualChunks {
public:
    VirtualChunks(VirtualWorkers& workers, VirtualCosts costs) : workers_(workers), costs_(costs) {}

    const VirtualCosts& costs() const { return costs_; }
    VirtualWorkers& workers() { return workers_; }
    std::uint64_t refused() const { return refused_; }
    const std::vector<std::pair<VirtualChunk, VirtualWorkers::Run>>& renders() const { return renders_; }
    std::map<VirtualChunk, int> interested() const {  // in waiting chunks
        std::map<VirtualChunk, int> counts;
        for (const auto& [chunk, flight] : flights_) {
            if (flight.ticket != 0) counts[chunk] = flight.interested;
        }
        return counts;
    }
    void open(VirtualChunk chunk, Urgency urgency) {
        Flight& flight = flights_[chunk];
        ++flight.interested;
        hasten(chunk, urgency);
        if (flight.ticket != 0 || flight.first_bytes) return;
        const auto told = [this, chunk](const VirtualWorkers::Run& run) { begin(chunk, run); };
        flight.ticket = workers_.submit(urgency, costs_.render, told).value_or(0);
        if (flight.ticket == 0) ++refused_;
    }
    void hasten(VirtualChunk chunk, Urgency urgency) {
        const Flight& flight = flights_.at(chunk);
        if (flight.ticket != 0) workers_.hasten(flight.ticket, urgency);
    }
    void leave(VirtualChunk chunk) {
        Flight& flight = flights_.at(chunk);
        if (--flight.interested > 0 || flight.ticket == 0) return;
        workers_.withdraw(flight.ticket);
        flight.ticket = 0;
    }
    // Calls once there is something to hear of it, now or later.
    void when_heard(VirtualChunk chunk, std::function<void()> heard) {
        Flight& flight = flights_.at(chunk);
        if (flight.first_bytes) {
            workers_.at(*flight.first_bytes, std::move(heard));
        } else {
            flight.heard.push_back(std::move(heard));
        }
    }

private:
    struct Flight {
        int interested = 0;
        VirtualWorkers::Ticket ticket = 0;  // while it waits
        std::optional<Deadline> first_bytes = std::nullopt;
        std::vector<std::function<void()>> heard = {};
    };
    void begin(VirtualChunk chunk, const VirtualWorkers::Run& run) {
        Flight& flight = flights_.at(chunk);
        flight.ticket = 0;
        renders_.emplace_back(chunk, run);
        flight.first_bytes = run.started + costs_.first_bytes;
        for (auto& heard : std::exchange(flight.heard, {})) workers_.at(*flight.first_bytes, std::move(heard));
    }

    VirtualWorkers& workers_;
    const VirtualCosts costs_;
    std::map<VirtualChunk, Flight> flights_;
    std::vector<std::pair<VirtualChunk, VirtualWorkers::Run>> renders_;
    std::uint64_t refused_ = 0;
};

// Plays a track at its own speed: src/stream. `look_ahead` is at least 1. Lives as long as the workers run.
class VirtualListener {
public:
    struct Heard {
        int index = 0;
        Deadline due;        // when the listener came to it
        Deadline at;         // when there was something to hear
        bool first = false;  // after a start or a seek: nobody could have known before
    };

    VirtualListener(VirtualChunks& chunks, int track, int look_ahead = 1)
        : chunks_(chunks), track_(track), look_ahead_(look_ahead) {}
    VirtualListener(const VirtualListener&) = delete;

    // Starts, or seeks: the new request is there before the old one is gone.
    void play(int index) {
        const std::set<int> old = std::exchange(held_, {});
        ++life_;
        left_.reset();
        first_read_ = chunks_.workers().now();
        first_index_ = index;
        enter(index, 0);
        for (const int held : old) chunks_.leave({track_, held});
    }
    void leave() {
        ++life_;
        left_ = chunks_.workers().now();
        for (const int index : held_) chunks_.leave({track_, index});
        held_.clear();
    }
    const std::vector<Heard>& heard() const { return heard_; }
    std::optional<Deadline> left() const { return left_; }
    int track() const { return track_; }

private:
    Urgency urgency(int index, TaskClass task_class) const {
        return {task_class, first_read_ + (index - first_index_) * chunks_.costs().audio};
    }
    void enter(int index, int ahead) {
        for (const int held : std::exchange(held_, {})) {
            if (held >= index && held <= index + ahead) {
                held_.insert(held);
            } else {
                chunks_.leave({track_, held});
            }
        }
        for (int n = index; n <= index + ahead; ++n) {
            const Urgency wanted = urgency(n, n == index ? TaskClass::listener : TaskClass::look_ahead);
            if (held_.insert(n).second) {
                chunks_.open({track_, n}, wanted);
            } else {
                chunks_.hasten({track_, n}, wanted);
            }
        }
        const Deadline due = chunks_.workers().now();
        if (ahead == 0 || index != first_index_) wait_for(index, due);
    }
    void wait_for(int index, Deadline due) {
        chunks_.when_heard({track_, index}, [this, index, due, life = life_] {
            if (life != life_) return;
            const Deadline now = chunks_.workers().now();
            heard_.push_back({index, due, now, index == first_index_});
            if (index == first_index_) enter(index, look_ahead_);
            chunks_.workers().at(now + chunks_.costs().audio, [this, index, life] {
                if (life == life_) enter(index + 1, look_ahead_);
            });
        });
    }

    VirtualChunks& chunks_;
    const int track_;
    const int look_ahead_;
    Deadline first_read_;
    int first_index_ = 0;
    int life_ = 0;                  // grows with every seek: what belonged to the life before is void
    std::optional<Deadline> left_;  // for good, unless play() follows
    std::set<int> held_;
    std::vector<Heard> heard_;
};

// Renders chunks of a track one after the other, two in the queue at a time: src/background_renders.
class VirtualJob {
public:
    VirtualJob(VirtualChunks& chunks, Urgency urgency, int track, int first, int end)
        : chunks_(chunks), urgency_(urgency), track_(track), next_(first), end_(end) {}
    VirtualJob(const VirtualJob&) = delete;

    void go() {
        for (int i = 0; i < 2; ++i) open_next();
    }

private:
    void open_next() {
        if (next_ == end_) return;
        const VirtualChunk chunk{track_, next_++};
        chunks_.open(chunk, urgency_);
        chunks_.when_heard(chunk, [this, chunk] {
            chunks_.leave(chunk);
            open_next();
        });
    }

    VirtualChunks& chunks_;
    const Urgency urgency_;
    const int track_;
    int next_;
    const int end_;
};

// Measures track after track: src/track_measurer for src/library_keeper.
class VirtualMeasuring {
public:
    VirtualMeasuring(VirtualWorkers& workers, std::chrono::milliseconds segment, int segments)
        : workers_(workers), segment_(segment), segments_(segments) {}
    VirtualMeasuring(const VirtualMeasuring&) = delete;

    void measure_next_track() {
        left_ = segments_;
        const auto told = [this](const VirtualWorkers::Run& run) {
            workers_.at(run.finished, [this] {
                if (--left_ == 0) measure_next_track();
            });
        };
        for (int i = 0; i < segments_; ++i) workers_.submit({TaskClass::measuring}, segment_, told);
    }

private:
    VirtualWorkers& workers_;
    const std::chrono::milliseconds segment_;
    const int segments_;
    int left_ = 0;
};

}  // namespace lacquer::test
