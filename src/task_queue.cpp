#include "src/task_queue.h"

#include <algorithm>
#include <cassert>
#include <stdexcept>
#include <string>

namespace lacquer {
namespace {

constexpr std::size_t at(TaskClass task_class) {
    return static_cast<std::size_t>(task_class);
}

constexpr bool is_background(TaskClass task_class) {
    return task_class >= TaskClass::rest_of_track;
}

// Listeners and look-ahead know no turns: all of a class are one job.
constexpr std::uint64_t job_of(const Urgency& urgency) {
    return is_background(urgency.task_class) ? urgency.job : 0;
}

}  // namespace

void TurnQueue::move_to_the_end(std::uint64_t id, Job& job) {
    turns_.erase({job.turn, id});
    job.turn = next_turn_++;
    turns_.emplace(job.turn, id);
}

void TurnQueue::insert(std::uint64_t job, Deadline deadline, Ticket ticket) {
    const auto [entry, is_new] = jobs_.try_emplace(job);
    if (is_new) move_to_the_end(job, entry->second);
    entry->second.tasks.emplace(deadline, ticket);
}

void TurnQueue::erase(std::uint64_t job, Deadline deadline, Ticket ticket) {
    const auto entry = jobs_.find(job);
    assert(entry != jobs_.end());
    entry->second.tasks.erase({deadline, ticket});
    if (!entry->second.tasks.empty()) return;
    turns_.erase({entry->second.turn, job});
    jobs_.erase(entry);
}

TurnQueue::Ticket TurnQueue::take() {
    assert(!empty());
    const std::uint64_t id = turns_.begin()->second;
    Job& job = jobs_.at(id);
    const auto [deadline, ticket] = *job.tasks.begin();
    move_to_the_end(id, job);
    erase(id, deadline, ticket);
    return ticket;
}

TaskQueue::TaskQueue(int workers, std::size_t max_waiting) : max_waiting_(max_waiting) {
    if (workers < 1 || workers > 20) {
        throw std::invalid_argument("workers is " + std::to_string(workers) + "; allowed: 1 to 20");
    }
    if (max_waiting == 0) throw std::invalid_argument("max_waiting is 0; allowed: 1 and more");
    const int all_but_one = std::max(1, workers - 1);
    limits_[at(TaskClass::listener)] = workers;
    limits_[at(TaskClass::look_ahead)] = workers;
    limits_[at(TaskClass::rest_of_track)] = all_but_one;
    limits_[at(TaskClass::batch)] = std::min(3, all_but_one);
    limits_[at(TaskClass::measuring)] = std::min(2, all_but_one);
}

std::optional<TaskQueue::Ticket> TaskQueue::submit(Urgency urgency) {
    const std::size_t kept_free = is_background(urgency.task_class) ? max_waiting_ / 4 : 0;
    if (waiting() >= max_waiting_ - kept_free) return std::nullopt;
    const Ticket ticket = next_ticket_++;
    queue(urgency.task_class).insert(job_of(urgency), urgency.deadline, ticket);
    urgencies_.emplace(ticket, urgency);
    return ticket;
}

bool TaskQueue::hasten(Ticket ticket, Urgency urgency) {
    const auto known = urgencies_.find(ticket);
    if (known == urgencies_.end() || known->second <= urgency) return false;
    // In this order: a job whose only task this is keeps its turn.
    queue(urgency.task_class).insert(job_of(urgency), urgency.deadline, ticket);
    queue(known->second.task_class).erase(job_of(known->second), known->second.deadline, ticket);
    known->second = urgency;
    return true;
}

bool TaskQueue::withdraw(Ticket ticket) {
    const auto known = urgencies_.find(ticket);
    if (known == urgencies_.end()) return false;
    queue(known->second.task_class).erase(job_of(known->second), known->second.deadline, ticket);
    urgencies_.erase(known);
    return true;
}

bool TaskQueue::may_run(TaskClass task_class) const noexcept {
    if (running(task_class) >= limit(task_class)) return false;
    if (!is_background(task_class)) return true;
    const int background =
        running(TaskClass::rest_of_track) + running(TaskClass::batch) + running(TaskClass::measuring);
    return background < background_limit();
}

std::optional<TaskQueue::Next> TaskQueue::start_next() {
    for (std::size_t i = 0; i < kTaskClasses; ++i) {
        const auto task_class = static_cast<TaskClass>(i);
        if (queues_[i].empty() || !may_run(task_class)) continue;
        const Ticket ticket = queues_[i].take();
        urgencies_.erase(ticket);
        ++running_[i];
        return Next{ticket, task_class};
    }
    return std::nullopt;
}

void TaskQueue::finished(TaskClass task_class) {
    assert(running(task_class) > 0);
    --running_[at(task_class)];
}

}  // namespace lacquer
