// Gets tracks ready to be played, ahead of time, on a thread of its own: fetching, looking and measuring take as long
// as they take, and who feeds the sound card must not wait for them.
//
// Threads: one of its own runs `load`; the members are for others. Memory: the tracks next to the last one asked for.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "src/player/voice.h"

namespace lacquer::player {

class TrackLoader {
public:
    struct Loaded {
        TrackPtr track;       // null: it cannot be played
        std::string problem;  // then why
    };
    // `load` throws what keeps the track from being played; it is given up when `wanted` says no. `loaded` is told
    // when there is something new to be found.
    using Load = std::function<TrackPtr(std::size_t index, const std::function<bool()>& wanted)>;
    TrackLoader(std::size_t count, Load load, std::function<void()> loaded);
    ~TrackLoader();  // stop()
    // False: `load` does not come back, its source hangs, and it may still touch what it was given. So end the process,
    // without destructors. Idempotent.
    bool stop();

    std::size_t count() const noexcept { return count_; }
    // What became of the track; nullopt: not yet known, it is loaded now, before any other. The one after it comes
    // next.
    std::optional<Loaded> find(std::size_t index);
    // Why it cannot be played; nullopt: it can, or that is not known. Loads nothing.
    std::optional<std::string> known_problem(std::size_t index) const;
    // It was loaded, and still cannot be played.
    void reject(std::size_t index, const std::string& problem);

private:
    struct State;
    static void work(const std::shared_ptr<State>& state);

    const std::size_t count_;
    const std::shared_ptr<State> state_;  // shared with the thread, which may be left behind
};

}  // namespace lacquer::player
