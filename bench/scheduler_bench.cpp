// What a decision of the scheduler costs beside thousands of waiting tasks.
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "src/task_queue.h"

namespace lacquer::bench {
namespace {

// A task comes, is hastened, another is withdrawn, the most urgent one runs.
void task_queue_round(benchmark::State& state) {
    const auto waiting = static_cast<std::size_t>(state.range(0));
    std::mt19937_64 random(1);
    TaskQueue queue(2, 2 * waiting);
    const auto any = [&] {
        return Urgency{static_cast<TaskClass>(random() % kTaskClasses),
                       Deadline{} + std::chrono::seconds(random() % 1000), random() % 50};
    };
    std::vector<TaskQueue::Ticket> tickets;
    while (queue.waiting() < waiting) tickets.push_back(queue.submit(any()).value());
    for (auto _ : state) {
        TaskQueue::Ticket& some = tickets[random() % tickets.size()];
        queue.hasten(some, any());
        if (const auto next = queue.start_next()) queue.finished(next->task_class);
        queue.withdraw(some);
        while (queue.waiting() < waiting) some = queue.submit(any()).value();
    }
}
BENCHMARK(task_queue_round)->Arg(80)->Arg(800)->Arg(8000);

}  // namespace
}  // namespace lacquer::bench
