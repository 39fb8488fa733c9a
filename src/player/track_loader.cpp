#include "src/player/track_loader.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <thread>
#include <utility>

#include "thread/mutex.h"

namespace lacquer::player {
namespace {

constexpr std::chrono::seconds kPatience{2};

}  // namespace

struct TrackLoader::State {
    State(std::size_t count_, Load load_, std::function<void()> loaded_)
        : count(count_), load(std::move(load_)), loaded(std::move(loaded_)) {}

    bool is_wanted(std::size_t index) const REQUIRES_LOCK(mutex) {
        return !stopping && asked && (index == *asked || index == *asked + 1);
    }
    std::optional<std::size_t> next_to_load() const REQUIRES_LOCK(mutex) {
        if (!asked) return std::nullopt;
        for (std::size_t index = *asked; index < std::min(count, *asked + 2); ++index) {
            if (!tracks.contains(index)) return index;
        }
        return std::nullopt;
    }
    // What cannot be played is remembered: going back and forth does not try again. The one before stays for who steps
    // back.
    void forget_others() REQUIRES_LOCK(mutex) {
        for (auto known = tracks.begin(); known != tracks.end();) {
            const bool is_near = known->first + 1 >= *asked && known->first <= *asked + 1;
            known = is_near || !known->second.track ? std::next(known) : tracks.erase(known);
        }
    }
    // nullopt: given up, not refused.
    std::optional<Loaded> attempt(std::size_t index) {
        bool told_to_give_up = false;
        const auto wanted = [&] {
            const thread::MutexLock lock(mutex);
            told_to_give_up = told_to_give_up || !is_wanted(index);
            return !told_to_give_up;
        };
        try {
            return Loaded{load(index, wanted), ""};
        } catch (const std::exception& error) {  // the track's boundary
            if (told_to_give_up) return std::nullopt;
            return Loaded{nullptr, error.what()};
        }
    }

    const std::size_t count;
    const Load load;
    const std::function<void()> loaded;
    thread::Mutex mutex;
    std::condition_variable_any changed;
    std::optional<std::size_t> asked GUARDED_BY(mutex);
    bool stopping GUARDED_BY(mutex) = false;
    bool ended GUARDED_BY(mutex) = false;
    std::map<std::size_t, Loaded> tracks GUARDED_BY(mutex);
};

TrackLoader::TrackLoader(std::size_t count, Load load, std::function<void()> loaded)
    : count_(count), state_(std::make_shared<State>(count, std::move(load), std::move(loaded))) {
    std::thread([state = state_] { work(state); }).detach();
}

TrackLoader::~TrackLoader() {
    stop();
}

bool TrackLoader::stop() {
    const thread::MutexLock lock(state_->mutex);
    const bool is_asked_again = std::exchange(state_->stopping, true);
    const auto give_up = std::chrono::steady_clock::now() + (is_asked_again ? std::chrono::seconds(0) : kPatience);
    state_->changed.notify_all();
    while (!state_->ended) {
        if (state_->changed.wait_until(state_->mutex, give_up) == std::cv_status::timeout) break;
    }
    return state_->ended;
}

std::optional<TrackLoader::Loaded> TrackLoader::find(std::size_t index) {
    const thread::MutexLock lock(state_->mutex);
    if (state_->asked != index) {
        state_->asked = index;
        state_->forget_others();
        state_->changed.notify_all();
    }
    const auto found = state_->tracks.find(index);
    if (found == state_->tracks.end()) return std::nullopt;
    return found->second;
}

std::optional<std::string> TrackLoader::known_problem(std::size_t index) const {
    const thread::MutexLock lock(state_->mutex);
    const auto found = state_->tracks.find(index);
    if (found == state_->tracks.end() || found->second.track) return std::nullopt;
    return found->second.problem;
}

void TrackLoader::reject(std::size_t index, const std::string& problem) {
    const thread::MutexLock lock(state_->mutex);
    state_->tracks[index] = {nullptr, problem};
}

void TrackLoader::work(const std::shared_ptr<State>& state) {
    while (true) {
        std::size_t index = 0;
        {
            const thread::MutexLock lock(state->mutex);
            while (!state->stopping && !state->next_to_load()) state->changed.wait(state->mutex);
            if (state->stopping) {
                state->ended = true;
                state->changed.notify_all();
                return;
            }
            index = *state->next_to_load();
        }
        std::optional<Loaded> loaded = state->attempt(index);
        {
            const thread::MutexLock lock(state->mutex);
            if (!loaded || state->stopping) continue;
            state->tracks[index] = std::move(*loaded);
        }
        state->loaded();
    }
}

}  // namespace lacquer::player
