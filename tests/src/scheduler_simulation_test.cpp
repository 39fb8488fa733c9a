// What the scheduler promises, under seeded loads in virtual time, against what can be said about a load without
// scheduling it.
//
// Demand test: a set of tasks can be met by m workers only if, for every release r and deadline d, the tasks released
// at r or later and due by d need no more than m (d - r). For tasks of one length, released on multiples of it, that is
// sufficient too (Hall's theorem on intervals). For others it leaves a task late by at most (2 - 1/m) times the longest
// one: since the last instant before its start at which a worker was idle or took something less urgent, at most m
// such tasks and the demand were worked off by m workers.
#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/signals.h"
#include "tests/support/virtual_workers.h"

namespace lacquer {
namespace {

using namespace std::chrono_literals;
using test::VirtualWorkers;
using Milliseconds = std::chrono::milliseconds;

constexpr std::array kBackground{TaskClass::rest_of_track, TaskClass::batch, TaskClass::measuring};

Deadline at(Milliseconds time) {
    return Deadline{} + time;
}

struct Order {
    Milliseconds release{}, cost{}, due{};
};

// Whether every interval has room for what must happen in it.
bool demand_fits(std::vector<Order> orders, int workers) {
    std::sort(orders.begin(), orders.end(), [](const Order& a, const Order& b) { return a.due < b.due; });
    for (const Order& first : orders) {
        Milliseconds demand{};
        for (const Order& last : orders) {
            if (last.release < first.release) continue;
            demand += last.cost;
            const auto room = static_cast<double>((last.due - first.release).count());
            if (static_cast<double>(demand.count()) > workers * room) return false;
        }
    }
    return true;
}

// Orders that just fit: random ones, each kept if the demand test still holds.
template <typename AnyOrder>
std::vector<Order> orders_that_fit(std::size_t count, int workers, AnyOrder&& any) {
    std::vector<Order> orders;
    for (std::size_t i = 0; i < 3 * count && orders.size() < count; ++i) {
        orders.push_back(any());
        if (!demand_fits(orders, workers)) orders.pop_back();
    }
    return orders;
}

void place(VirtualWorkers& workers, const std::vector<Order>& orders) {
    for (const Order& order : orders) {
        workers.at(at(order.release), [&workers, order] {
            workers.submit({TaskClass::listener, at(order.due)}, order.cost);
        });
    }
}

Milliseconds latest(const VirtualWorkers& workers) {
    Milliseconds late = -1h;
    for (const VirtualWorkers::Run& run : workers.runs()) {
        if (run.urgency.task_class != TaskClass::listener) continue;
        late = std::max(late, std::chrono::duration_cast<Milliseconds>(run.finished - run.urgency.deadline));
    }
    return late;
}

// Background work of every class, more than there is time for.
void flood(VirtualWorkers& workers, test::Random& random) {
    for (std::size_t i = 0; i < 300; ++i) {
        const TaskClass task_class = i % 4 == 0 ? TaskClass::look_ahead : kBackground[i % kBackground.size()];
        const Milliseconds release(random.below(100'000)), cost(200 + random.below(801));
        workers.at(at(release), [&workers, task_class, cost, i] {
            workers.submit({task_class, Deadline::min(), i % 5}, cost);
        });
    }
}

class SchedulerSimulation : public testing::TestWithParam<int> {};

TEST_P(SchedulerSimulation, ChunksOfOneLengthMeetEveryDeadlineThatCanBeMet) {
    std::size_t placed = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        test::Random random(seed);
        const auto orders = orders_that_fit(90, GetParam(), [&] {
            const Milliseconds release = random.below(60 / static_cast<std::size_t>(GetParam())) * 1s;
            const Milliseconds slack = (random.below(3) == 0 ? random.below(60) : random.below(4)) * 1s;
            return Order{release, 1s, release + 1s + slack};
        });
        placed += orders.size();
        VirtualWorkers workers(GetParam());
        place(workers, orders);
        workers.run_to_the_end();
        EXPECT_LE(latest(workers), 0ms) << "seed " << seed;
    }
    EXPECT_GT(placed, 60u * 40u);
}

TEST_P(SchedulerSimulation, WhateverElseWaitsNoChunkIsLaterThanTheRestOfWhatRuns) {
    const int m = GetParam();
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        test::Random random(seed);
        const auto orders = orders_that_fit(90, m, [&] {
            const Milliseconds release(random.below(60'000 / static_cast<std::size_t>(m)));
            const Milliseconds cost(200 + random.below(801));
            const Milliseconds slack(random.below(3) == 0 ? random.below(60'000) : random.below(3'000));
            return Order{release, cost, release + cost + slack};
        });
        VirtualWorkers workers(m);
        flood(workers, random);
        place(workers, orders);
        workers.run_to_the_end();
        EXPECT_LE(latest(workers), 1000ms * (2 * m - 1) / m) << "seed " << seed;
    }
}

// The bound: while something waits either all workers are busy, or as many with background work as may be.
TEST_P(SchedulerSimulation, NothingStarvesWhileListenersLeaveHalfOfTheWorkersTime) {
    const int m = GetParam();
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        test::Random random(seed);
        VirtualWorkers workers(m);
        Milliseconds background{};
        for (std::size_t i = 0; i < 60; ++i) {
            const TaskClass task_class = i % 4 == 0 ? TaskClass::look_ahead : kBackground[i % kBackground.size()];
            const Milliseconds cost(200 + random.below(801));
            background += cost;
            workers.submit({task_class, Deadline::max(), i % 5}, cost);
        }
        const Milliseconds bound = 2 * (background + background / m + 1s) + 1s;
        // Half of the time in every interval, for longer than the bound.
        for (Milliseconds time = 0s; time < 2 * bound; time += 2s) {
            for (int i = 0; i < m; ++i) {
                workers.at(at(time), [&workers, time] { workers.submit({TaskClass::listener, at(time + 2s)}, 1s); });
            }
        }
        workers.run_until(at(bound));
        for (const auto& [ticket, task] : workers.waiting()) {
            EXPECT_EQ(task.urgency.task_class, TaskClass::listener) << "seed " << seed << ", task " << ticket;
        }
    }
}

struct Mix {
    Mix(int worker_count, std::uint64_t seed) : random(seed), workers(worker_count) {
        for (int i = 0; i < 400; ++i) {
            const Milliseconds time(random.below(60'000));
            workers.at(at(time), [this] { submit_hasten_or_withdraw(); });
        }
    }
    void submit_hasten_or_withdraw() {
        const Urgency any{static_cast<TaskClass>(random.below(kTaskClasses)), workers.now() + 1s * random.below(60),
                          random.below(4)};
        const std::size_t action = random.below(8);
        const Milliseconds cost(100 + random.below(1901));
        if (action < 6 || tickets.empty()) {
            tickets.push_back(*workers.submit(any, cost));
        } else if (action == 6) {
            workers.hasten(tickets[random.below(tickets.size())], any);
        } else {
            workers.withdraw(tickets[random.below(tickets.size())]);
        }
    }
    test::Random random;
    VirtualWorkers workers;
    std::vector<TaskQueue::Ticket> tickets;
};

TEST_P(SchedulerSimulation, NoLimitIsExceededAndNoWorkerIdleAtAnyInstant) {
    const int m = GetParam();
    const int all_but_one = std::max(1, m - 1);
    const std::array<int, kTaskClasses> limits{m, m, all_but_one, std::min(3, all_but_one), std::min(2, all_but_one)};
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Mix mix(m, seed);
        mix.workers.on_instant([&] {
            std::array<int, kTaskClasses> running{}, waiting{};
            for (const auto& run : mix.workers.workers()) {
                if (run) ++running[static_cast<std::size_t>(run->urgency.task_class)];
            }
            for (const auto& [ticket, task] : mix.workers.waiting()) {
                ++waiting[static_cast<std::size_t>(task.urgency.task_class)];
            }
            const int background = running[2] + running[3] + running[4];
            const bool idle = std::accumulate(running.begin(), running.end(), 0) < m;
            ASSERT_LE(background, all_but_one);
            for (std::size_t c = 0; c < kTaskClasses; ++c) {
                ASSERT_LE(running[c], limits[c]) << "class " << c;
                const bool may_run = running[c] < limits[c] && (c < 2 || background < all_but_one);
                ASSERT_FALSE(idle && waiting[c] > 0 && may_run) << "class " << c << " waits beside an idle worker";
            }
        });
        mix.workers.run_to_the_end();
    }
}

TEST_P(SchedulerSimulation, ListenersAndLookAheadNeverWaitForLessUrgentWorkThatStarts) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        Mix mix(GetParam(), seed);
        std::size_t seen = 0;
        mix.workers.on_instant([&] {
            for (; seen < mix.workers.runs().size(); ++seen) {
                const Urgency started = mix.workers.runs()[seen].urgency;
                for (const auto& [ticket, task] : mix.workers.waiting()) {
                    if (task.urgency.task_class > TaskClass::look_ahead) continue;
                    ASSERT_FALSE(task.urgency < started) << "seed " << seed << ", task " << ticket;
                }
            }
        });
        mix.workers.run_to_the_end();
    }
}

// The lead of job a over job b, whenever both have something waiting, varies by one at most.
TEST_P(SchedulerSimulation, TwoBackloggedJobsOfAClassNeverDifferByMoreThanOneChunk) {
    for (const TaskClass task_class : kBackground) {
        for (std::uint64_t seed = 1; seed <= 40; ++seed) {
            SCOPED_TRACE("seed " + std::to_string(seed));
            constexpr std::uint64_t kJobs = 5;
            test::Random random(seed);
            VirtualWorkers workers(GetParam());
            for (std::uint64_t job = 0; job < kJobs; ++job) {
                for (int batch = 0; batch < 4; ++batch) {
                    const Milliseconds time(random.below(80'000));
                    workers.at(at(time), [&workers, &random, task_class, job] {
                        for (std::size_t n = 3 + random.below(20); n > 0; --n) {
                            const Deadline due = at(1s * random.below(1000) * (job + 1));
                            workers.submit({task_class, due, job}, Milliseconds(100 + random.below(900) * (job + 1)));
                        }
                    });
                }
            }
            struct Lead {
                int now = 0, least = 0, most = 0;
            };
            std::map<std::pair<std::uint64_t, std::uint64_t>, Lead> leads;  // since both have been backlogged
            std::size_t seen = 0;
            workers.on_instant([&] {
                std::array<bool, kJobs> backlogged{};
                for (const auto& [ticket, task] : workers.waiting()) backlogged[task.urgency.job] = true;
                std::array<int, kJobs> started{};
                for (; seen < workers.runs().size(); ++seen) ++started[workers.runs()[seen].urgency.job];
                for (std::uint64_t a = 0; a < kJobs; ++a) {
                    for (std::uint64_t b = 0; b < a; ++b) {
                        if (!backlogged[a] || !backlogged[b]) {
                            leads.erase({a, b});
                            continue;
                        }
                        const auto [entry, is_new] = leads.try_emplace({a, b});
                        Lead& lead = entry->second;
                        if (!is_new) lead.now += started[a] - started[b];
                        lead.least = std::min(lead.least, lead.now);
                        lead.most = std::max(lead.most, lead.now);
                        ASSERT_LE(lead.most - lead.least, 1) << "jobs " << a << " and " << b;
                    }
                }
            });
            workers.run_to_the_end();
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Workers, SchedulerSimulation, testing::Values(1, 2, 3, 4, 8));

}  // namespace
}  // namespace lacquer
