#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <stop_token>
#include <utility>

#include "src/scheduler.h"
#include "tests/src/fixture.h"

namespace lacquer::test {

// A task blocked as in a hung read. What it touches is its own, so that it may return when it likes.
class Blocked {
public:
    Task task() const {
        return {[state = state_, go = go_](TaskContext& context) {
                    state->stop = context.stop();
                    state->begun = true;
                    go.wait();
                    state->was_asked = context.stop().stop_requested();
                    state->was_written_off = context.written_off();
                    state->returned = true;
                },
                [state = state_] {
                    ++state->stuck;
                    state->was_asked_before_it_was_told = state->stop.stop_requested();
                }};
    }
    Task task_that_is_waited_for() const { return {task().run}; }
    void open() {
        if (!std::exchange(opened_, true)) open_.set_value();
    }
    ~Blocked() { open(); }

    bool begun() const {
        return eventually([&] { return state_->begun.load(); });
    }
    bool returned() const {
        return eventually([&] { return state_->returned.load(); });
    }
    bool has_returned() const { return state_->returned; }
    int stuck() const { return state_->stuck; }
    bool was_asked_before_it_was_told() const { return state_->was_asked_before_it_was_told; }
    bool was_asked() const { return state_->was_asked; }
    bool was_written_off() const { return state_->was_written_off; }
    // The worker's thread has let go of the task.
    bool forgotten() {
        go_ = {};
        const std::weak_ptr<State> state = state_;
        return eventually([&] { return state.use_count() == 1; });
    }

private:
    struct State {
        std::atomic<bool> begun = false, returned = false, was_asked = false, was_written_off = false;
        std::atomic<int> stuck = 0;
        std::stop_token stop;  // set before `begun`
        bool was_asked_before_it_was_told = false;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
    std::promise<void> open_;
    std::shared_future<void> go_ = open_.get_future().share();
    bool opened_ = false;
};

}  // namespace lacquer::test
