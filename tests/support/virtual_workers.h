// Workers in virtual time over the real TaskQueue: whatever load a test or a picture thinks of, in milliseconds.
//
// Everything that is to happen at one instant happens first, then idle workers take what may run, as the daemon's
// workers would. Deterministic. Threads: none.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "src/task_queue.h"

namespace lacquer::test {

class VirtualWorkers {
public:
    using Ticket = TaskQueue::Ticket;
    using Duration = Deadline::duration;

    struct Run {
        Ticket ticket = 0;
        Urgency urgency;  // as it started
        Deadline submitted, started, finished;
        std::size_t worker = 0;
    };

    explicit VirtualWorkers(int workers, std::size_t max_waiting = 8192)
        : queue_(workers, max_waiting), busy_(static_cast<std::size_t>(workers)) {}

    // Tasks still waiting, by ticket.
    struct Waiting {
        Urgency urgency;
        Duration cost{};
        Deadline submitted;
        std::function<void(const Run&)> started;
    };

    Deadline now() const { return now_; }
    const TaskQueue& queue() const { return queue_; }
    const std::map<Ticket, Waiting>& waiting() const { return waiting_; }
    const std::vector<std::optional<Run>>& workers() const { return busy_; }
    const std::vector<Run>& runs() const { return runs_; }  // finished or not, in the order of starting

    void at(Deadline time, std::function<void()> event) { events_.emplace(std::max(time, now_), std::move(event)); }
    // `started` is told when it starts, which is when it is known when it will have finished.
    std::optional<Ticket> submit(Urgency urgency, Duration cost, std::function<void(const Run&)> started = {}) {
        const auto ticket = queue_.submit(urgency);
        if (ticket) waiting_.emplace(*ticket, Waiting{urgency, cost, now_, std::move(started)});
        return ticket;
    }
    void hasten(Ticket ticket, Urgency urgency) {
        if (queue_.hasten(ticket, urgency)) waiting_.at(ticket).urgency = urgency;
    }
    bool withdraw(Ticket ticket) { return queue_.withdraw(ticket) && waiting_.erase(ticket) == 1; }

    // After every instant, when idle workers have taken what may run: for what has to hold at any time.
    void on_instant(std::function<void()> check) { check_ = std::move(check); }
    void run_until(Deadline end) {
        start_what_may_run();
        while (!events_.empty() && events_.begin()->first <= end) {
            now_ = events_.begin()->first;
            while (!events_.empty() && events_.begin()->first == now_) {
                const auto event = events_.extract(events_.begin());
                event.mapped()();
            }
            start_what_may_run();
            if (check_) check_();
        }
    }
    void run_to_the_end() { run_until(Deadline::max()); }

private:
    void start_what_may_run() {
        for (std::size_t worker = 0; worker < busy_.size(); ++worker) {
            if (busy_[worker]) continue;
            const auto next = queue_.start_next();
            if (!next) return;
            start(next->ticket, worker);
        }
    }
    void start(Ticket ticket, std::size_t worker) {
        const auto task = waiting_.extract(ticket);
        if (!task) throw std::logic_error("task " + std::to_string(ticket) + " was started and does not wait");
        if (!task) throw std::logic_error("task " + std::to_string(ticket) + " was started and does not wait");
        const Waiting& of = task.mapped();
        const Run run{ticket, of.urgency, of.submitted, now_, now_ + of.cost, worker};
        busy_[worker] = run;
        runs_.push_back(run);
        at(run.finished, [this, run] {
            queue_.finished(run.urgency.task_class);
            busy_[run.worker].reset();
        });
        if (of.started) of.started(run);
    }

    TaskQueue queue_;
    Deadline now_;
    std::multimap<Deadline, std::function<void()>> events_;
    std::map<Ticket, Waiting> waiting_;  // same tasks as in queue_
    std::vector<std::optional<Run>> busy_;
    std::vector<Run> runs_;
    std::function<void()> check_;
};

}  // namespace lacquer::test
