#include "src/task_queue.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/signals.h"

namespace lacquer {
namespace {

using Ticket = TaskQueue::Ticket;

constexpr std::size_t kRoomy = 100'000;

Deadline at(int seconds) {
    return Deadline{} + std::chrono::seconds(seconds);
}

bool is_background(TaskClass task_class) {
    return task_class == TaskClass::rest_of_track || task_class == TaskClass::batch ||
           task_class == TaskClass::measuring;
}

// The rules of the header, word for word, by looking at everything every time.
class NaiveQueue {
public:
    explicit NaiveQueue(int workers) : workers_(workers) {}

    void submit(Ticket ticket, Urgency urgency) { join({ticket, urgency}); }
    void hasten(Ticket ticket, Urgency urgency) {
        const auto is_it = [&](const Task& task) { return task.ticket == ticket && urgency < task.urgency; };
        const auto known = std::find_if(tasks_.begin(), tasks_.end(), is_it);
        if (known == tasks_.end()) return;
        const auto place = known - tasks_.begin();
        join({ticket, urgency});  // its place is taken before the old one is left
        tasks_.erase(tasks_.begin() + place);
    }
    bool withdraw(Ticket ticket) {
        return std::erase_if(tasks_, [&](const Task& task) { return task.ticket == ticket; }) == 1;
    }
    std::optional<TaskQueue::Next> start_next() {
        const Task* best = nullptr;
        for (const Task& task : tasks_) {
            if (may_run(task.urgency.task_class) && (best == nullptr || is_before(task, *best))) best = &task;
        }
        if (best == nullptr) return std::nullopt;
        const Task chosen = *best;
        last_[turn_key(chosen.urgency)] = ++steps_;
        withdraw(chosen.ticket);
        ++running_[chosen.urgency.task_class];
        return TaskQueue::Next{chosen.ticket, chosen.urgency.task_class};
    }
    void finished(TaskClass task_class) { --running_[task_class]; }

private:
    struct Task {
        Ticket ticket;
        Urgency urgency;
    };
    using TurnKey = std::pair<TaskClass, std::uint64_t>;
    static TurnKey turn_key(const Urgency& urgency) { return {urgency.task_class, urgency.job}; }

    void join(const Task& task) {
        const bool is_there = std::any_of(tasks_.begin(), tasks_.end(), [&](const Task& other) {
            return turn_key(other.urgency) == turn_key(task.urgency);
        });
        if (!is_there) last_[turn_key(task.urgency)] = ++steps_;
        tasks_.push_back(task);
    }
    bool is_before(const Task& a, const Task& b) const {
        if (a.urgency.task_class != b.urgency.task_class) return a.urgency.task_class < b.urgency.task_class;
        if (is_background(a.urgency.task_class) && a.urgency.job != b.urgency.job) {
            return last_.at(turn_key(a.urgency)) < last_.at(turn_key(b.urgency));
        }
        return std::pair(a.urgency.deadline, a.ticket) < std::pair(b.urgency.deadline, b.ticket);
    }
    bool may_run(TaskClass task_class) {
        const int all_but_one = std::max(1, workers_ - 1);
        const int background =
            running_[TaskClass::rest_of_track] + running_[TaskClass::batch] + running_[TaskClass::measuring];
        switch (task_class) {
            case TaskClass::listener:
            case TaskClass::look_ahead:
                return running_[task_class] < workers_;
            case TaskClass::rest_of_track:
                return background < all_but_one;
            case TaskClass::batch:
                return background < all_but_one && running_[task_class] < 3;
            case TaskClass::measuring:
                return background < all_but_one && running_[task_class] < 2;
        }
        return false;
    }

    const int workers_;
    std::vector<Task> tasks_;
    std::map<TurnKey, std::uint64_t> last_;  // a job's last turn, or when it came (again)
    std::map<TaskClass, int> running_;
    std::uint64_t steps_ = 0;
};

class TaskQueueOf : public testing::TestWithParam<int> {};

TEST_P(TaskQueueOf, ChoosesWhatANaiveQueueWouldWhateverIsDoneToIt) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        test::Random random(seed);
        TaskQueue queue(GetParam(), kRoomy);
        NaiveQueue naive(GetParam());
        std::vector<Ticket> tickets{12345};  // one that is not known
        std::vector<TaskClass> running;
        const auto any = [&] {
            return Urgency{static_cast<TaskClass>(random.below(kTaskClasses)), at(static_cast<int>(random.below(6))),
                           random.below(4)};
        };
        for (int step = 0; step < 2000; ++step) {
            const Ticket ticket = tickets[random.below(tickets.size())];
            const std::size_t action = random.below(10);
            if (action < 3) {
                const Urgency urgency = any();
                tickets.push_back(queue.submit(urgency).value());
                naive.submit(tickets.back(), urgency);
            } else if (action < 5) {
                const Urgency urgency = any();
                queue.hasten(ticket, urgency);
                naive.hasten(ticket, urgency);
            } else if (action == 5) {
                ASSERT_EQ(queue.withdraw(ticket), naive.withdraw(ticket)) << "step " << step;
            } else if (action < 8 && static_cast<int>(running.size()) < GetParam()) {
                const auto next = queue.start_next();
                const auto expected = naive.start_next();
                ASSERT_EQ(next.has_value(), expected.has_value()) << "step " << step;
                if (!next) continue;
                ASSERT_EQ(next->ticket, expected->ticket) << "step " << step;
                ASSERT_EQ(next->task_class, expected->task_class);
                running.push_back(next->task_class);
            } else if (!running.empty()) {
                const std::size_t which = random.below(running.size());
                queue.finished(running[which]);
                naive.finished(running[which]);
                running.erase(running.begin() + static_cast<std::ptrdiff_t>(which));
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Workers, TaskQueueOf, testing::Values(1, 2, 3, 4, 8, 20));

// One worker's order of running everything that waits, as jobs.
std::string order_of_jobs(TaskQueue& queue, const std::map<Ticket, std::string>& names) {
    std::string order;
    while (const auto next = queue.start_next()) {
        order += names.at(next->ticket);
        queue.finished(next->task_class);
    }
    return order;
}

TEST(TaskQueue, JobsOfABackgroundClassTakeTurnsWhateverTheirDeadlines) {
    TaskQueue queue(1, kRoomy);
    std::map<Ticket, std::string> names;
    for (int i = 0; i < 4; ++i) names[*queue.submit({TaskClass::batch, at(i), 1})] = "a";
    for (int i = 0; i < 2; ++i) names[*queue.submit({TaskClass::batch, at(-9), 2})] = "b";
    for (int i = 0; i < 3; ++i) names[*queue.submit({TaskClass::batch, Deadline::max(), 3})] = "c";
    EXPECT_EQ(order_of_jobs(queue, names), "abcabcaca");
}

// A job that has one task at a time waiting would otherwise always be the one that was served least recently.
TEST(TaskQueue, AJobThatComesAgainJoinsBehindThoseThatWait) {
    TaskQueue queue(1, kRoomy);
    std::map<Ticket, std::string> names;
    for (int i = 0; i < 3; ++i) names[*queue.submit({TaskClass::batch, at(0), 1})] = "a";
    std::string order;
    for (int i = 0; i < 3; ++i) {
        names[*queue.submit({TaskClass::batch, at(-1), 2})] = "b";
        for (int turn = 0; turn < 2; ++turn) {
            order += names.at(queue.start_next()->ticket);
            queue.finished(TaskClass::batch);
        }
    }
    EXPECT_EQ(order, "ababab");
}

TEST(TaskQueue, NoStreamOfNewJobsStarvesAnOldOne) {
    TaskQueue queue(1, kRoomy);
    const Ticket old = *queue.submit({TaskClass::batch, Deadline::max(), 1});
    for (std::uint64_t job = 2; job < 12; ++job) queue.submit({TaskClass::batch, at(0), job});
    EXPECT_EQ(queue.start_next()->ticket, old);
    const Ticket later = *queue.submit({TaskClass::batch, Deadline::max(), 1});
    queue.finished(TaskClass::batch);
    int turns = 0;
    for (std::uint64_t job = 100; job < 200; ++job) {
        queue.submit({TaskClass::batch, at(0), job});
        ++turns;
        const auto next = queue.start_next();
        queue.finished(TaskClass::batch);
        if (next->ticket == later) break;
    }
    EXPECT_EQ(turns, 11) << "ten jobs waited when it came";
}

TEST(TaskQueue, HasteningTheOnlyTaskOfAJobKeepsItsTurn) {
    TaskQueue queue(1, kRoomy);
    const Ticket a = *queue.submit({TaskClass::batch, at(5), 1});
    queue.submit({TaskClass::batch, at(0), 2});
    EXPECT_TRUE(queue.hasten(a, {TaskClass::batch, at(4), 1}));
    EXPECT_EQ(queue.start_next()->ticket, a);
}

TEST(TaskQueue, IsBoundedAndKeepsAQuarterForListeners) {
    TaskQueue queue(2, 100);
    int background = 0, listeners = 0;
    Ticket last = 0;
    for (int i = 0; i < 1000; ++i) {
        const auto ticket = queue.submit({i % 2 == 0 ? TaskClass::batch : TaskClass::measuring});
        background += ticket ? 1 : 0;
        last = ticket.value_or(last);
    }
    for (int i = 0; i < 1000; ++i) {
        listeners += queue.submit({i % 2 == 0 ? TaskClass::listener : TaskClass::look_ahead}) ? 1 : 0;
    }
    EXPECT_EQ(background, 75);
    EXPECT_EQ(listeners, 25);
    EXPECT_EQ(queue.waiting(), 100u);
    EXPECT_TRUE(queue.withdraw(last));
    EXPECT_FALSE(queue.submit({TaskClass::batch})) << "the kept places are for listeners";
    EXPECT_TRUE(queue.submit({TaskClass::listener}));
    EXPECT_FALSE(queue.submit({TaskClass::listener}));
    EXPECT_TRUE(queue.start_next());
    EXPECT_TRUE(queue.submit({TaskClass::look_ahead})) << "what runs takes no place";
    EXPECT_THROW(TaskQueue(2, 0), std::invalid_argument);
    EXPECT_TRUE(TaskQueue(2, 1).submit({TaskClass::batch}));
}

}  // namespace
}  // namespace lacquer
